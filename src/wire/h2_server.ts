/**
 * The client's side of the wire in HTTP/2 (RFC 9113): the life of one connection, from its preface to the last
 * word. What comes in between, the reception understands.
 */
import type { Waiting } from "../deadlines.ts";
import type { Connection, ConnectionEvents } from "../platform/platform.ts";
import { BrokenConnection, CODE, DEFAULT_WINDOW_BYTES, FRAME, WINDOW_MAX } from "./h2_frames.ts";
import { BrokenBlock } from "./h2_hpack.ts";
import { frame, goawayFrame, PREFACE } from "./h2_make.ts";
import { Outbox } from "./h2_outbox.ts";
import { Gate } from "./h2_gate.ts";
import { type H2Deps, type Host, Reception } from "./h2_reception.ts";
import { Turns } from "./h2_turns.ts";
import type { ClientSide } from "./server.ts";

/** Any eight bytes, for the ping that finds out whether the client has heard that we leave. */
const FAREWELL = new Uint8Array(8);
const TOO_LATE = new BrokenConnection("Head took too long", CODE.enhanceYourCalm);

export class H2Server implements ConnectionEvents, ClientSide, Host, Waiting {
  place = -1;
  readonly connection: Connection;
  readonly misplaced: boolean;
  readonly localPort: number | undefined;
  readonly gate: Gate;
  readonly outbox: Outbox;
  readonly #deps: H2Deps;
  readonly #reception: Reception;
  readonly #turns: Turns;
  /** Bytes of the preface that have come. */
  #prefaced = 0;
  /**
   * leaving: has said that it will end, and takes streams until that was heard · last: ends after the streams that
   * run · lingering: drops what comes · closing: what was written goes out
   */
  #state: "open" | "leaving" | "last" | "lingering" | "closing" | "over" = "open";
  /** `elapsed` time by which a stream must run. */
  #restBy = Infinity;
  /** `elapsed` time by which the present state must have ended. */
  #endBy = Infinity;
  #lingerEnd = 0;
  /** By a bug of ours. */
  #broken = false;

  /** `misplaced`: in the clear where it is not answered so. */
  constructor(connection: Connection, deps: H2Deps, misplaced = false) {
    this.connection = connection;
    this.misplaced = misplaced;
    this.localPort = deps.localPort;
    this.#deps = deps;
    const clock = {
      soon: (callback: () => void) => deps.clock.soon(() => this.#safely(callback)),
    };
    this.gate = new Gate(DEFAULT_WINDOW_BYTES, clock);
    this.outbox = new Outbox(connection, this.gate, { clock, stuck: () => connection.reset() });
    this.#turns = new Turns({ connection, clock, deal: (bytes) => this.#deal(bytes) });
    this.#reception = new Reception(this, deps);
    connection.events = this;
    deps.deadlines.add(this);
    this.#reception.greet();
    this.outbox.flush();
  }

  data(bytes: Uint8Array): void {
    if (this.#state === "lingering") {
      const { clock, limits } = this.#deps;
      this.#endBy = Math.min(clock.elapsed() + limits.lingerMs, this.#lingerEnd);
    }
    if (!this.#ended) this.#safely(() => this.#turns.give(bytes));
  }

  drained(): void {
    this.#safely(() => {
      this.outbox.gather();
      this.gate.open();
      this.outbox.flush();
    });
  }

  closed(): void {
    this.#state = "over";
    this.#deps.deadlines.drop(this);
    this.#deps.gone(this);
    this.#safely(() => this.#leave());
  }

  get deadline(): number {
    if (this.#ended) return this.#endBy;
    const { streams, headBy } = this.#reception;
    return Math.min(headBy, this.#endBy, streams.size === 0 ? this.#restBy : Infinity);
  }

  expire(): void {
    this.#safely(() => this.#expire());
  }

  #expire(): void {
    switch (this.#state) {
      case "open":
      case "leaving":
      case "last":
        if (this.#reception.headBy > this.#deps.clock.elapsed()) return this.#farewell();
        return this.#prefaced === 0 ? this.#close() : this.#break(TOO_LATE);
      case "lingering":
        return this.#close();
      case "closing":
        return this.connection.reset();
      case "over":
        return;
    }
  }

  /** Ends once what runs has ended, in two steps, as a request may be on its way (RFC 9113 section 6.8). */
  drain(): void {
    if (this.#state !== "open") return;
    this.#state = "leaving";
    if (this.#prefaced === 0) return this.#close();
    this.#endBy = this.#deps.deadlines.after(this.#deps.limits.lingerMs);
    this.#reception.tell(goawayFrame(CODE.none, WINDOW_MAX));
    this.#reception.tell(frame(FRAME.ping, 0, 0, FAREWELL));
    this.outbox.flush();
  }

  echoed(): void {
    if (this.#state === "leaving") this.#farewell();
  }

  rests(): void {
    if (this.#state === "last") return this.#linger();
    this.#restBy = this.#deps.deadlines.after(this.#deps.limits.keepAliveMs);
  }

  /** Nothing that comes is heard any more. */
  get #ended(): boolean {
    return this.#reception.over;
  }

  /** A bug of ours ends this connection, and no other. */
  failed(error: unknown): void {
    if (!this.#broken && this.#state !== "over") {
      this.#broken = true;
      // Past the outbox, which may be what is broken.
      const farewell = goawayFrame(CODE.internal, this.#reception.streams.lastId);
      this.#safely(() => this.connection.write(farewell));
      this.#safely(() => this.#close());
    }
    this.#deps.bug(error);
  }

  #safely(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Deals with what comes, for one turn. Says whether some of it is left. */
  #deal(bytes: Uint8Array | undefined): boolean {
    this.outbox.gather();
    try {
      const begins = this.#prefaced < PREFACE.length;
      if (bytes !== undefined) this.#reception.take(begins ? this.#greeted(bytes) : bytes);
      return this.#reception.go();
    } catch (error) {
      const broken = error instanceof BrokenConnection || error instanceof BrokenBlock;
      if (!broken) throw error;
      this.#break(error);
      return false;
    } finally {
      this.outbox.flush();
    }
  }

  #leave(): void {
    this.#turns.stop();
    this.#reception.leave();
  }

  /** Reads the preface; returns what follows. */
  #greeted(bytes: Uint8Array): Uint8Array {
    let at = 0;
    while (at < bytes.length && this.#prefaced < PREFACE.length) {
      if (bytes[at++] !== PREFACE[this.#prefaced++]) {
        throw new BrokenConnection("Not the preface of HTTP/2");
      }
    }
    return bytes.subarray(at);
  }

  /** Says which stream is the last one, and takes no more. */
  #farewell(): void {
    this.#state = "last";
    this.#endBy = Infinity;
    this.#restBy = Infinity;
    const { streams } = this.#reception;
    this.#reception.shut = true;
    this.#reception.tell(goawayFrame(CODE.none, streams.lastId));
    if (streams.size === 0) this.#linger();
  }

  /** The client has broken the rules, or asked for too much; what runs for it ends. */
  #break(error: BrokenConnection | BrokenBlock): void {
    const code = error instanceof BrokenConnection ? error.code : CODE.compression;
    const status = code === CODE.enhanceYourCalm ? 429 : 400;
    this.#deps.refused({ peer: this.connection.peer, status, reason: error.message });
    this.#reception.tell(goawayFrame(code, this.#reception.streams.lastId));
    this.#linger();
    // What else it has to say is of no interest.
    this.#lingerEnd = this.#endBy;
  }

  /**
   * Sends no more and drops what still comes, for a while: closing on unread bytes would reset the
   * connection and could take our last answer with it.
   */
  #linger(): void {
    this.#state = "lingering";
    this.outbox.empty();
    this.#leave();
    const { clock, limits } = this.#deps;
    const now = clock.elapsed();
    this.#endBy = now + limits.lingerMs;
    this.#lingerEnd = now + limits.lingerLimitMs;
    this.connection.finish();
  }

  #close(): void {
    this.#state = "closing";
    this.#endBy = this.#deps.clock.elapsed() + this.#deps.limits.lingerLimitMs;
    try {
      this.#leave();
    } finally {
      this.connection.close();
    }
  }
}
