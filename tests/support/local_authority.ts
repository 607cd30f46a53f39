/** An authority of our own in a folder that is gone with its scope, and servers that show what it issued. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "#platform";
import type { Clock, Connection } from "../../src/platform/platform.ts";
import type { TlsDoor } from "../../src/platform/tls.ts";
import { type AuthorityParts, InternalAuthority } from "../../src/tls/internal.ts";
import type { Identity } from "../../src/tls/issuer.ts";
import { openStore } from "../../src/tls/store.ts";

export const NEVER = new AbortController().signal;
export const HOUR_MS = 60 * 60 * 1000;
export const DAY_MS = 24 * HOUR_MS;

export class LocalAuthority implements AsyncDisposable {
  readonly folder: string;
  readonly parts: AuthorityParts;
  readonly authority: InternalAuthority;

  private constructor(folder: string, parts: AuthorityParts) {
    this.folder = folder;
    this.parts = parts;
    this.authority = new InternalAuthority(parts);
  }

  static async open(clock: Clock = platform.clock): Promise<LocalAuthority> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-tls-"));
    const { store } = await openStore(folder, { files: platform, clock: platform.clock });
    return new LocalAuthority(folder, {
      store: () => Promise.resolve(store),
      clock,
      randomBytes: (count) => platform.randomBytes(count),
      certificateFacts: (chain) => platform.certificateFacts(chain),
    });
  }

  /** As after a restart: nothing is remembered but what the folder holds. */
  again(): InternalAuthority {
    return new InternalAuthority(this.parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

/** What openssl says of a chain; empty where it finds nothing wrong at that moment. */
export async function verified(
  { chain }: Identity,
  root: string,
  { at, words = [] }: { readonly at: number; readonly words?: readonly string[] },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-verify-"));
  try {
    await writeFile(join(folder, "chain.pem"), chain);
    await writeFile(join(folder, "root.pem"), root);
    const { status, stdout, stderr } = spawnSync("openssl", [
      ...[
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-attime",
        String(Math.floor(at / 1000)),
      ],
      ...["-no-CApath", "-no-CAstore", "-CAfile", "root.pem", "-untrusted", "chain.pem", ...words],
      "chain.pem",
    ], { cwd: folder, encoding: "utf8" });
    return status === 0 ? "" : stdout + stderr;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const PAGE = "<!doctype html><title>served</title>";

/** A server on loopback that shows this certificate and answers every request with a page. */
export async function serving(
  { chain, key }: Identity,
): Promise<AsyncDisposable & { readonly port: number }> {
  const context = platform.tlsContext({ chain, key, clientAuthorities: [], minVersion: "1.2" });
  const choice = { context, protocols: ["http/1.1"], asksClient: false };
  const door: TlsDoor = { choose: () => choice, failed() {} };
  const accepted = new Set<Connection>();
  const listener = await platform.listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (connection) => {
      accepted.add(connection);
      const data = () => {
        const head = `HTTP/1.1 200 OK\r\ncontent-length: ${PAGE.length}\r\nconnection: close\r\n`;
        connection.write(new TextEncoder().encode(`${head}content-type: text/html\r\n\r\n${PAGE}`));
        connection.close();
      };
      connection.events = { data, drained() {}, closed: () => void accepted.delete(connection) };
    },
    () => door,
  );
  return {
    port: listener.address.kind === "tcp" ? listener.address.port : 0,
    [Symbol.asyncDispose]() {
      for (const connection of accepted) connection.reset();
      listener.close();
      return Promise.resolve();
    },
  };
}
