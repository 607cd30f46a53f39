/**
 * The client's side of the wire: one object a connection, which reads heads, runs one exchange at a
 * time in the order they came, and keeps the connection for the next. Decides nothing about routes.
 * Longer than usual, as the states of one connection are best read on one page.
 */
import type { Exchange, Refusal } from "../model.ts";
import type { Clock, Connection, ConnectionEvents } from "../platform/platform.ts";
import { latin1Bytes, NOTHING, restOf } from "./bytes.ts";
import type { Deadlines, Waiting } from "../deadlines.ts";
import { type ExchangeSite, WireExchange } from "./exchange.ts";
import { bodyDecoder } from "./framing.ts";
import { type Heads, type RequestHead, requestHeads } from "./head.ts";
import { Inflow, type InflowEvents } from "./inflow.ts";
import type { ServerLimits } from "./limits.ts";
import { Outflow } from "./outflow.ts";
import { reasonOf } from "../reasons.ts";
import type { WireTunnel } from "./tunnel.ts";

export interface ServerDeps {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly limits: ServerLimits;
  readonly serve: (exchange: Exchange) => Promise<void>;
  /** Told of what was no request, and of one that never came to its end. */
  readonly refused: (refusal: Refusal) => void;
  /** Port of ours that connections come in on; undefined on a unix socket. */
  readonly localPort: number | undefined;
  /** Told when the connection is over. */
  readonly gone: (side: ClientSide) => void;
}

/** A client's connection, in whatever version of HTTP. */
export interface ClientSide {
  readonly connection: Connection;
  /** Ends after what runs, or now. */
  drain(): void;
}

export class ServerConnection
  implements ConnectionEvents, ClientSide, ExchangeSite, InflowEvents, Waiting {
  place = -1;
  readonly connection: Connection;
  readonly outflow: Outflow;
  readonly misplaced: boolean;
  readonly localPort: number | undefined;
  deadline: number;
  readonly #deps: ServerDeps;
  readonly #heads: Heads<RequestHead>;
  #exchange: WireExchange | undefined;
  #inflow: Inflow | undefined;
  /** Bytes that came ahead of their turn; reading stops while there are any. */
  #ahead: Uint8Array = NOTHING;
  #idle = false;
  /** The exchange has been handed on. */
  #serving = false;
  #lingerEnd = 0;
  readonly #served = () => this.#finished();
  /** last: ends after the exchange that runs · lingering: drops what comes · closing: what was written goes out */
  #state: "open" | "last" | "lingering" | "closing" | "over" = "open";

  /** `misplaced`: in the clear where it is not answered so. */
  constructor(connection: Connection, deps: ServerDeps, misplaced = false) {
    this.connection = connection;
    this.misplaced = misplaced;
    this.outflow = new Outflow(connection);
    this.#deps = deps;
    this.localPort = deps.localPort;
    this.#heads = requestHeads(deps.limits.head);
    this.deadline = deps.deadlines.after(deps.limits.headTimeoutMs);
    connection.events = this;
    deps.deadlines.add(this);
  }

  data(bytes: Uint8Array): void {
    if (this.#state === "lingering") {
      const { clock, limits } = this.#deps;
      this.deadline = Math.min(clock.elapsed() + limits.lingerMs, this.#lingerEnd);
    }
    if (this.#ended) return;
    if (this.#exchange === undefined) return this.#read(bytes);

    const inflow = this.#inflow;
    const left = inflow === undefined || inflow.ended ? bytes.length : inflow.feed(bytes);
    if (left > 0) this.#putAhead(bytes.subarray(bytes.length - left));
  }

  drained(): void {
    this.outflow.drained();
  }

  closed(): void {
    this.#state = "over";
    this.#deps.deadlines.drop(this);
    this.#deps.gone(this);
    this.outflow.gone();
    this.#inflow?.connectionEnded(false);
    this.#exchange?.leave();
  }

  expire(): void {
    this.deadline = Infinity;
    if (this.#state === "closing") return this.connection.reset();
    if (this.#state === "lingering" || this.#idle || !this.#heads.begun) return this.#close();
    this.#refuse(408, "Head took too long");
  }

  /** Ends after the exchange that runs, or now. */
  drain(): void {
    if (this.#state !== "open") return;
    this.#state = "last";
    if (this.#exchange === undefined && !this.#heads.begun) this.#close();
  }

  now(): number {
    return this.#deps.clock.now();
  }

  get ending(): boolean {
    return this.#state !== "open" || this.#bodyOpen;
  }

  lastOne(): void {
    if (this.#state === "open") this.#state = "last";
  }

  cut(): void {
    if (!this.#ended) this.#state = "closing";
    this.connection.reset();
  }

  handOver(tunnel: WireTunnel): void {
    const early = this.#ahead;
    this.#ahead = NOTHING;
    this.#state = "over";
    this.#deps.deadlines.drop(this);
    void tunnel.ended.then(() => this.#deps.gone(this));
    tunnel.join(this.connection, early.length > 0 ? early : undefined);
  }

  /** Nothing that comes is heard any more. */
  get #ended(): boolean {
    return this.#state !== "open" && this.#state !== "last";
  }

  get #bodyOpen(): boolean {
    return this.#inflow !== undefined && !this.#inflow.ended;
  }

  #read(bytes: Uint8Array): void {
    if (this.#idle) {
      this.#idle = false;
      this.deadline = this.#deps.deadlines.after(this.#deps.limits.headTimeoutMs);
    }
    const result = this.#heads.push(bytes);
    switch (result.kind) {
      case "more":
        return;
      case "refused":
        return this.#refuse(result.status, result.reason);
      case "head":
        return this.#begin(result.head, restOf(bytes, result.consumed));
    }
  }

  #begin(head: RequestHead, rest: Uint8Array): void {
    this.deadline = Infinity;
    const decoder = bodyDecoder(head.framing, this.#deps.limits.body);
    const lengthBytes = head.framing.kind === "length" ? head.framing.lengthBytes : undefined;
    const empty = decoder === undefined || decoder.state.kind === "done";
    const inflow = empty ? undefined : new Inflow(decoder, lengthBytes, this.connection, this);
    const exchange = new WireExchange(head, inflow, this);
    this.#inflow = inflow;
    this.#exchange = exchange;

    const left = rest.length > 0 && inflow !== undefined ? inflow.feed(rest) : rest.length;
    // Refused already: what was refused goes nowhere.
    if (this.#ended) return;
    if (left > 0) this.#putAhead(rest.subarray(rest.length - left));
    this.#serving = true;
    void this.#deps.serve(exchange).then(this.#served);
  }

  /** The body of the request is whole, or broken. */
  ended(whole: boolean): void {
    // One that breaks its framing leaves nothing that could be believed, the next head least of all.
    if (!whole && !this.#ended) this.#refuse(400, "Body broke its framing");
  }

  cancelled(): void {}

  wanted(): void {
    this.#exchange?.invite();
  }

  #putAhead(bytes: Uint8Array): void {
    const ahead = new Uint8Array(this.#ahead.length + bytes.length);
    ahead.set(this.#ahead);
    ahead.set(bytes, this.#ahead.length);
    this.#ahead = ahead;
    this.connection.pause();
  }

  #finished(): void {
    if (this.#ended) return;
    // Without an answer the next one would pass for it.
    if (this.#exchange?.answered !== true) return this.cut();
    const unread = this.#bodyOpen || this.#ahead.length > 0;
    if (this.#state === "last" || this.#bodyOpen) return unread ? this.#linger() : this.#close();

    this.#exchange = undefined;
    this.#inflow = undefined;
    this.#serving = false;
    this.#idle = true;
    this.deadline = this.#deps.deadlines.after(this.#deps.limits.keepAliveMs);
    if (this.#ahead.length === 0) return;
    const ahead = this.#ahead;
    this.#ahead = NOTHING;
    this.connection.resume();
    this.#read(ahead);
  }

  /** Answers what is not worth an exchange, and ends the connection. */
  #refuse(status: number, reason: string): void {
    const exchange = this.#exchange;
    // What is served already has an account of its own.
    if (!this.#serving) this.#deps.refused({ peer: this.connection.peer, status, reason });
    exchange?.leave();
    if (exchange?.answered === true) {
      // Its end must not look like one: nobody knows what else of the request was misread.
      this.outflow.gone();
      return this.cut();
    }
    const head = `HTTP/1.1 ${status} ${reasonOf(status)}\r\nContent-Length: 0\r\n`;
    this.outflow.write(latin1Bytes(`${head}Connection: close\r\n\r\n`));
    this.#linger();
  }

  /**
   * Sends no more and drops what still comes, for a while: closing on unread bytes would reset the
   * connection and could take our last answer with it (RFC 9112 section 9.6).
   */
  #linger(): void {
    this.#state = "lingering";
    this.#ahead = NOTHING;
    this.#inflow?.cancel();
    const now = this.#deps.clock.elapsed();
    this.deadline = now + this.#deps.limits.lingerMs;
    this.#lingerEnd = now + this.#deps.limits.lingerLimitMs;
    this.connection.finish();
    this.connection.resume();
  }

  #close(): void {
    this.#state = "closing";
    this.deadline = this.#deps.clock.elapsed() + this.#deps.limits.lingerLimitMs;
    this.connection.close();
  }
}
