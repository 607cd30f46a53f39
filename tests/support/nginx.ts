/** A real nginx for tests: Debian's, with a configuration, a port and a folder of its own. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./processes.ts";
import { ask } from "./raw_client.ts";

const PROGRAM = "/usr/sbin/nginx";

/** Why there is no nginx here; undefined when there is. */
export const unavailable: string | undefined = spawnSync(PROGRAM, ["-v"]).status === 0
  ? undefined
  : "needs nginx";

const configOf = (folder: string, port: number) => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
${isRoot() ? "user root;" : ""}
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/bodies;
  proxy_temp_path ${folder}/proxied;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 0;
  gzip on;
  gzip_types text/plain;
  gzip_min_length 100;
  gzip_proxied any;
  types { text/plain txt; application/octet-stream bin; }
  server {
    listen 127.0.0.1:${port};
    root ${folder}/files;
    add_header X-Connection $connection;
    add_header X-Worker $pid;
    location = /told { return 200 "$request_method $content_length $http_x_own $host"; }
    location = /two { add_header Set-Cookie a=1; add_header Set-Cookie b=2; return 200 "two"; }
  }
}
`;

export class Nginx implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #child: Child;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    const arguments_ = [
      "-p",
      folder,
      "-c",
      join(folder, "nginx.conf"),
      "-e",
      `${folder}/error.log`,
    ];
    this.#child = new Child([PROGRAM, ...arguments_]);
  }

  /** Serves these files and answers when it is returned. */
  static async start(files: Readonly<Record<string, string | Uint8Array>>): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-nginx-"));
    const port = await freePort();
    await mkdir(join(folder, "files"));
    await writeFile(join(folder, "nginx.conf"), configOf(folder, port));
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, "files", name), content);
    }
    const nginx = new Nginx(port, folder);
    const began = performance.now();
    while ((await ask({ port }, { target: "/told" })).status !== 200) {
      if (performance.now() - began < 5000) continue;
      await nginx[Symbol.asyncDispose]();
      throw new Error(`nginx does not answer: ${nginx.#child.stderr}`);
    }
    return nginx;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Replaces its workers, as after a change of its configuration. */
  reload(): void {
    this.#child.kill("SIGHUP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Killed, the master would leave its workers behind.
    this.#child.kill("SIGTERM");
    await this.#child.exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function isRoot(): boolean {
  return spawnSync("id", ["-u"], { encoding: "utf8" }).stdout.trim() === "0";
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" ? address?.port ?? 0 : 0;
}
