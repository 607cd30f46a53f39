/**
 * TLS over `node:tls` sockets, for Deno. Such a socket there goes on reading when it is told to pause, so
 * that a slow upload would fill the memory; hence it reads from a stream of ours that can be held.
 */
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ConnectionTls } from "./tls.ts";
import type { Chosen } from "./tls_accept.ts";
import { clientCertificate, secureOf } from "./tls_context.ts";

/** A socket's bytes as a stream that gives none while it is held. */
export class HeldStream extends Duplex {
  readonly #socket: Socket;
  #held = false;

  constructor(socket: Socket, early: Uint8Array) {
    super();
    this.#socket = socket;
    this.push(early);
    socket.on("data", (bytes: Uint8Array) => {
      if (!this.push(bytes)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  release(): void {
    this.#held = false;
    this.#socket.resume();
  }

  override _read(): void {
    if (!this.#held) this.#socket.resume();
  }

  override _write(bytes: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** A socket that speaks TLS, and what was agreed on. */
export interface Secured {
  readonly socket: TLSSocket;
  readonly tls: ConnectionTls;
}

/** Settles once the handshake is over; rejects with why it failed. */
export function secured(below: HeldStream, chosen: Chosen): Promise<Secured> {
  const { promise, resolve, reject } = Promise.withResolvers<Secured>();
  const { protocols: [protocol], name } = chosen;
  const socket = new TLSSocket(below as unknown as Socket, {
    isServer: true,
    secureContext: secureOf(chosen.context),
    requestCert: chosen.asksClient,
    rejectUnauthorized: false,
    ...(protocol !== undefined && { ALPNProtocols: [protocol] }),
  });
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("client left")));
  socket.once("secure", () => {
    const shown = chosen.asksClient && isVerified(socket) ? socket.getPeerCertificate() : undefined;
    const client = shown?.raw && clientCertificate(new X509Certificate(shown.raw));
    const tls = {
      version: socket.getProtocol() ?? "",
      cipher: socket.getCipher()?.name ?? "",
      name,
      protocol,
      client,
    };
    resolve({ socket, tls });
  });
  return promise;
}

/**
 * What `node:tls` asks its own handle when it makes `authorized`, which it does for sockets of its own
 * server alone. Whoever cannot be asked has verified nothing.
 */
function isVerified(socket: TLSSocket): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return false;
  const verify: unknown = Reflect.get(handle, "verifyError");
  return typeof verify === "function" && Reflect.apply(verify, handle, []) === "";
}
