/**
 * Debian's Caddy and understudy side by side: each serves the same Caddyfile, byte for byte, in front
 * of the same upstreams, and is asked the same. What differs between them is told facet by facet.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, engineFlags, type StartOptions, type Subject } from "./processes.ts";

const PROGRAM = "/usr/bin/caddy";

/** Why there is no Caddy here; undefined when there is. */
export const unavailable: string | undefined = spawnSync(PROGRAM, ["version"]).status === 0
  ? undefined
  : "needs Debian's caddy";

/** A proxy that serves a Caddyfile. Ends with its scope. */
export class Served implements AsyncDisposable {
  readonly name: "caddy" | "ours";
  readonly port: number;
  readonly child: Child;
  readonly #folder: string;

  private constructor(name: "caddy" | "ours", port: number, child: Child, folder: string) {
    this.name = name;
    this.port = port;
    this.child = child;
    this.#folder = folder;
  }

  static caddy(path: string, options: StartOptions & { readonly port?: number } = {}) {
    return Served.#start(
      "caddy",
      [PROGRAM, "run", "--adapter", "caddyfile", "--config", path],
      options,
    );
  }

  static ours(
    { command }: Subject,
    path: string,
    options: StartOptions & { readonly port?: number } = {},
  ) {
    const flags = options.engine === undefined ? engineFlags : ["--engine", options.engine];
    return Served.#start("ours", [...command, "run", "--config", path, ...flags], options);
  }

  /** Serves on `PORT`, which the Caddyfile takes from the environment, and is there when it is returned. */
  static async #start(
    name: "caddy" | "ours",
    command: readonly string[],
    { port: given, env, ...options }: StartOptions & { readonly port?: number },
  ): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), `beside-${name}-`));
    const port = given ?? await freePort();
    const child = new Child(command, {
      ...options,
      // Each keeps things in its home, ours as root in a folder of the system's, and must not find another's there.
      env: {
        ...env,
        PORT: String(port),
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
        STATE_DIRECTORY: folder,
      },
    });
    const served = new Served(name, port, child, folder);
    const there = () =>
      /serving initial configuration|proxy\.started/.test(child.stdout + child.stderr);
    await child.until(there, 20_000, `${name} to serve`).catch(async (error: unknown) => {
      await served[Symbol.asyncDispose]();
      throw error;
    });
    return served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A port where nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" ? address?.port ?? 0 : 0;
}
