/**
 * TLS over `node:tls` sockets, for Deno. Such a socket there goes on reading when it is told to pause, so
 * that a slow upload would fill the memory; hence it reads from a stream of ours that can be held.
 */
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ClientCertificate, ConnectionTls } from "./tls.ts";
import type { Chosen } from "./tls_accept.ts";
import { clientCertificate, judgesOf, secureOf } from "./tls_context.ts";
import { clock } from "./web.ts";

/** A socket's bytes as a stream that gives none while it is held. */
export class HeldStream extends Duplex {
  readonly #socket: Socket;
  readonly #early: Uint8Array;
  #held = false;

  constructor(socket: Socket, early: Uint8Array) {
    super();
    this.#socket = socket;
    this.#early = early;
    socket.on("data", (bytes: Uint8Array) => {
      if (!this.push(bytes)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Gives what came before, once there is someone who reads. */
  begin(): void {
    this.push(this.#early);
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
  // Deno begins in the next tick, and throws where nobody can catch it if the hello was refused by then.
  nextTick(() => below.begin());
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("client left")));
  socket.once("secure", () => {
    const client = chosen.asksClient ? provenClient(socket, chosen) : undefined;
    const tls = {
      version: socket.getProtocol() ?? "",
      cipher: socket.getCipher()?.name ?? "",
      name,
      protocol,
      client,
      authorities: chosen.asksClient ? judgesOf(chosen.context).authorities : [],
    };
    resolve({ socket, tls });
  });
  return promise;
}

/** Clients that were verified, each with those who judged it; the one that was longest ago goes first. */
const proven = new Set<string>();
const PROVEN_MAX = 10_000;

/**
 * The client, where the context's authorities know it. Deno keeps sessions of all contexts together and finds
 * no fault with any certificate in one that is taken up, so there it must have been verified by the same
 * authorities before.
 */
function provenClient(socket: TLSSocket, { context }: Chosen): ClientCertificate | undefined {
  const { raw } = socket.getPeerCertificate();
  if (!raw) return undefined;
  const shown = new X509Certificate(raw);
  const client = clientCertificate(shown);
  const key = `${judgesOf(context).judges} ${client.fingerprint}`;
  if (socket.isSessionReused()) {
    return proven.has(key) && clock.now() < Date.parse(shown.validTo) ? client : undefined;
  }
  if (!isVerified(socket)) return undefined;
  proven.delete(key);
  proven.add(key);
  const [oldest] = proven;
  if (proven.size > PROVEN_MAX && oldest !== undefined) proven.delete(oldest);
  return client;
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
