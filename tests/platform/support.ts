/**
 * Raw peers for the platform's contract: sockets that say exactly what a test wants, a fetch with
 * everything filled in, and waits that fail in words instead of hanging.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { platform } from "#platform";
import type { FetchOptions, HttpServer } from "../../src/platform/platform.ts";

export const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

/** Real time that anything here may take at most, in milliseconds. */
const PATIENCE_MS = 8000;

export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  // Not the platform's clock: its timers keep no process running, so waiting for one would end it.
  const timer = setTimeout(
    () => late.reject(new Error(`Waited too long for ${what}`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A TCP peer on port 0, closed with its connections at the end of its scope. */
export class Peer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  accepted = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(talk: (socket: Socket) => void): Promise<Peer> {
    const server = createServer((socket) => {
      peer.accepted += 1;
      peer.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => peer.#sockets.delete(socket));
      talk(socket);
    });
    const peer = new Peer(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return peer;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A peer that answers every request head with the given bytes and leaves the connection open. */
export function answering(text: string | Uint8Array): Promise<Peer> {
  return Peer.open((socket) => socket.on("data", () => socket.write(text)));
}

/** A port where nobody listens any more. */
export async function freePort(): Promise<number> {
  const peer = await Peer.open(() => {});
  const { port } = peer;
  await peer[Symbol.asyncDispose]();
  return port;
}

export function ask(url: string, options: Partial<FetchOptions> = {}): Promise<Response> {
  return within(
    `an answer from ${url}`,
    platform.fetch(url, {
      method: "GET",
      headers: new Headers(),
      body: undefined,
      signal: new AbortController().signal,
      fresh: false,
      unixPath: undefined,
      ...options,
    }),
  );
}

/** A server of the platform, cut off at the end of its scope. */
export async function serving(
  handler: Parameters<typeof platform.serve>[1],
): Promise<AsyncDisposable & { readonly server: HttpServer; readonly port: number }> {
  const server = await platform.serve(LOOPBACK, handler);
  const port = server.address.kind === "tcp" ? server.address.port : 0;
  return {
    server,
    port,
    async [Symbol.asyncDispose]() {
      server.abort();
      await within("the server's end", server.close());
    },
  };
}

/** Everything a socket receives until it closes, and how it ended. */
export async function drain(socket: Socket): Promise<{ text: string; reset: boolean }> {
  let text = "";
  let reset = false;
  socket.on("data", (chunk) => text += chunk.toString("latin1"));
  socket.on("error", () => reset = true);
  await within("a socket's end", new Promise((resolve) => socket.once("close", resolve)));
  return { text, reset };
}
