/**
 * Two WebSockets joined, as fetch runtimes have no raw upgrade: messages, pings and close codes
 * pass; extensions are negotiated on each side apart. The wire engine does better.
 */
import type { Tunnel } from "../model.ts";
import type { MessageHandlers, MessageSocket } from "../platform/platform.ts";

const GOING_AWAY = 1001;

export class WebTunnel implements Tunnel {
  /** What the client's socket reports to. */
  readonly fromClient: MessageHandlers;
  /** What the upstream's socket reports to. */
  readonly fromUpstream: MessageHandlers;
  /** Settles with the bytes sent to the client once both sides are closed. */
  readonly ended: Promise<number>;

  #client: MessageSocket | undefined;
  #upstream: MessageSocket | undefined;
  /** Messages that came before the client's side was open. */
  readonly #early: (string | Uint8Array)[] = [];
  #sentBytes = 0;
  /** How it closed, for a client's side that opens too late. */
  #closed: { readonly code: number | undefined; readonly reason: string } | undefined;
  #end: (bytes: number) => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.fromClient = {
      message: (message) => this.#pass(message, this.#upstream, this.#client),
      ping: (data) => this.#upstream?.ping(data),
      pong: (data) => this.#upstream?.pong(data),
      close: (code, reason) => this.#close(this.#upstream, code, reason),
    };
    this.fromUpstream = {
      message: (message) => this.#toClient(message),
      ping: (data) => this.#client?.ping(data),
      pong: (data) => this.#client?.pong(data),
      close: (code, reason) => this.#close(this.#client, code, reason),
    };
  }

  /** Takes the upstream's side. */
  attach(upstream: MessageSocket): void {
    this.#upstream = upstream;
  }

  /** Takes the client's side; from here on messages flow. */
  join(client: MessageSocket): void {
    this.#client = client;
    for (const message of this.#early.splice(0)) this.#toClient(message);
    if (this.#closed !== undefined) client.close(this.#closed.code, this.#closed.reason);
  }

  goAway(): void {
    this.#close(this.#upstream, GOING_AWAY, "going away");
    this.#close(this.#client, GOING_AWAY, "going away");
  }

  #toClient(message: string | Uint8Array): void {
    if (this.#client === undefined) {
      this.#early.push(message);
      return;
    }
    this.#sentBytes += message.length;
    this.#pass(message, this.#client, this.#upstream);
  }

  /** Stops reading one side for as long as the other cannot take more. */
  #pass(
    message: string | Uint8Array,
    to: MessageSocket | undefined,
    from: MessageSocket | undefined,
  ): void {
    const drained = to?.send(message);
    if (drained === undefined) return;
    from?.pause();
    void drained.then(() => from?.resume());
  }

  #close(other: MessageSocket | undefined, code: number | undefined, reason: string): void {
    this.#closed ??= { code, reason };
    other?.close(code, reason);
    this.#end(this.#sentBytes);
  }
}
