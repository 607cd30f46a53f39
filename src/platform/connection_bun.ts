/**
 * A byte connection on one of Bun's own sockets, in the clear or with TLS. Bun writes what the system
 * takes and says how much; what is left waits here.
 */
import type { Connection, ConnectionEvents } from "./platform.ts";
import type { ConnectionTls } from "./tls.ts";
import { plainIp } from "./web.ts";

export type Socket = Bun.Socket<BunConnection | undefined>;

export class BunConnection implements Connection {
  readonly peer: Connection["peer"];
  readonly tls: ConnectionTls | undefined;
  readonly copies = true;
  events: ConnectionEvents;
  #socket: Socket;
  /** Bytes that the system did not take yet. */
  #waiting: Uint8Array[] = [];
  #ending: "no" | "finish" | "close" = "no";
  #peerEnded = false;
  #closed = false;

  constructor(socket: Socket, events: ConnectionEvents, tls?: ConnectionTls) {
    this.#socket = socket;
    this.events = events;
    this.tls = tls;
    this.peer = { ip: plainIp(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Its bytes are carried by another one from now on: what becomes of this one closes nothing. */
  set socket(socket: Socket) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ending !== "no") return true;
    if (this.#waiting.length > 0) {
      this.#waiting.push(bytes);
      return false;
    }
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken >= bytes.length) return true;
    this.#waiting.push(bytes.subarray(taken));
    return false;
  }

  finish(): void {
    if (this.#ending !== "no") return;
    this.#ending = "finish";
    if (this.#waiting.length === 0) this.#socket.shutdown();
  }

  close(): void {
    if (this.#ending === "close") return;
    this.#ending = "close";
    if (this.#waiting.length === 0) this.#socket.end();
  }

  reset(): void {
    this.#waiting = [];
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  drain(): void {
    if (this.#waiting.length === 0) return;
    while (this.#waiting.length > 0) {
      const [bytes] = this.#waiting;
      if (bytes === undefined) break;
      const taken = Math.max(0, this.#socket.write(bytes));
      if (taken < bytes.length) {
        this.#waiting[0] = bytes.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
    if (this.#ending === "finish") this.#socket.shutdown();
    else if (this.#ending === "close") this.#socket.end();
    else this.events.drained();
  }

  ended(): void {
    this.#peerEnded = true;
  }

  gone(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.events.closed(this.#peerEnded && !error);
  }
}

export const HANDLERS: Bun.SocketHandler<BunConnection | undefined> = {
  // Views of a plain array cost half of what those of a `Buffer` do; the types know of none here.
  binaryType: "uint8array" as unknown as "buffer",
  data: (socket, bytes) => socket.data?.events.data(bytes),
  drain: (socket) => socket.data?.drain(),
  end: (socket) => socket.data?.ended(),
  close: (socket, error) => socket.data?.gone(error),
  error(socket, error) {
    socket.data?.gone(error);
    // Also told of what our own handlers throw, after which the socket would stay open.
    socket.terminate();
  },
};
