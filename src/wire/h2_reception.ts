/**
 * What the frames of a client mean (RFC 9113 section 6): opens streams, hands each on as an exchange, keeps
 * the windows, and counts what comes to no good. A breach of the rules ends a stream, or is thrown and ends all.
 * Longer than usual, as what each frame means is best read on one page.
 */
import { Fields } from "../fields.ts";
import type { Connection } from "../platform/platform.ts";
import { answerFrames } from "./h2_answer.ts";
import { type Block, Blocks } from "./h2_blocks.ts";
import { Credit } from "./h2_credit.ts";
import { H2Exchange, type H2Site } from "./h2_exchange.ts";
import {
  BrokenConnection,
  check,
  CODE,
  content,
  DEFAULT_WINDOW_BYTES,
  dependsOnItself,
  FLAG,
  FRAME,
  type Frame,
  FRAME_LIMIT_BYTES,
  FrameReader,
  SETTING,
  settingsOf,
  tooWide,
  uint,
  WINDOW_MAX,
} from "./h2_frames.ts";
import { Guard, type Nuisance } from "./h2_guard.ts";
import { STREAM_WINDOW_BYTES } from "./h2_intake.ts";
import { frame, numberFrame, SETTINGS_ACK, settingsFrame, together } from "./h2_make.ts";
import type { Outbox } from "./h2_outbox.ts";
import type { Gate } from "./h2_gate.ts";
import { readH2Request } from "./h2_request.ts";
import { STREAMS_MAX, type StreamShare } from "./h2_share.ts";
import { Streams } from "./h2_streams.ts";
import type { Refused } from "./section.ts";
import type { ServerDeps } from "./server.ts";

/** Exchanges that may not have come to rest though their client has left them (CVE-2023-44487). */
export const FORSAKEN_MAX = STREAMS_MAX;
/** Bytes of requests that may wait for their readers, on all streams together. */
const WINDOW_BYTES = 2 * 1024 * 1024;

/** What may be dealt with in one turn, a frame being one: a few milliseconds, in the worst case. */
const TURN_WORK = 1024;
/** What a head is in frames, with all that a request begins with. And how much of its block makes one more. */
const HEAD_WORK = 8;
const BLOCK_BYTES = 64;

export interface H2Deps extends ServerDeps {
  /** Told of what must never happen, and has ended one connection. */
  readonly bug: (error: unknown) => void;
  /** What all clients have of the streams that may be. */
  readonly share: StreamShare;
}

/** What it needs of its connection. */
export interface Host {
  readonly connection: Connection;
  readonly misplaced: boolean;
  readonly localPort: number | undefined;
  readonly gate: Gate;
  readonly outbox: Outbox;
  /** The client has sent its settings, or the last stream is over. */
  rests(): void;
  /** A ping of ours came back. */
  echoed(): void;
  /** A bug of ours was thrown where nobody else would hear of it. */
  failed(error: unknown): void;
  /** Ends it once what runs has ended. */
  drain(): void;
}

export class Reception implements H2Site {
  readonly connection: Connection;
  readonly misplaced: boolean;
  readonly localPort: number | undefined;
  readonly gate: Gate;
  initialWindow = DEFAULT_WINDOW_BYTES;
  readonly streams = new Streams();
  /** The client has sent its settings. */
  settled = false;
  /** `elapsed` time by which the settings, or the rest of a block, must have come. */
  headBy: number;
  /** Streams that come now are not looked at. */
  shut = false;
  /** Nothing is heard or said any more. */
  over = false;
  readonly #host: Host;
  readonly #deps: H2Deps;
  readonly #reader = new FrameReader();
  readonly #blocks: Blocks;
  readonly #guard = new Guard();
  readonly #credit = new Credit(WINDOW_BYTES, FRAME_LIMIT_BYTES);
  /** Whether the block that comes begins a stream, and one that waits for itself. */
  #opening = false;
  #selfish = false;
  /** Exchanges without a client that have not come to rest. */
  readonly #forsaken = new Set<H2Exchange>();

  constructor(host: Host, deps: H2Deps) {
    this.#host = host;
    this.#deps = deps;
    this.connection = host.connection;
    this.misplaced = host.misplaced;
    this.localPort = host.localPort;
    this.gate = host.gate;
    this.#blocks = new Blocks(deps.limits.head.headLimitBytes);
    this.headBy = deps.deadlines.after(deps.limits.headTimeoutMs);
  }

  /** What a server says first of all. */
  greet(): void {
    const settings = settingsFrame([
      [SETTING.concurrentStreams, STREAMS_MAX],
      [SETTING.initialWindow, STREAM_WINDOW_BYTES],
      [SETTING.headerListSize, this.#deps.limits.head.headLimitBytes],
      [SETTING.noPriorities, 1],
    ]);
    const window = numberFrame(FRAME.windowUpdate, 0, WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
    this.tell(together([settings, window]));
  }

  /** Takes bytes, of which `go` deals with the frames. All of them, before more is taken. */
  take(bytes: Uint8Array): void {
    this.#reader.take(bytes);
  }

  /**
   * Deals with as many frames as one turn is for; says whether there may be more. Throws `BrokenConnection` or
   * `BrokenBlock` where the connection cannot go on.
   */
  go(): boolean {
    let left = TURN_WORK;
    for (let one = this.#reader.next(); one !== undefined; one = this.#reader.next()) {
      this.#take(one);
      if (this.over) return false;
      left -= workOf(one);
      if (left <= 0) return true;
    }
    return false;
  }

  /** The client is gone, or will hear no more. */
  leave(): void {
    this.over = true;
    for (const exchange of this.streams.all()) exchange.leave();
    // Whoever waits to answer learns that nobody listens.
    this.gate.open();
  }

  now(): number {
    return this.#deps.clock.now();
  }

  write(bytes: Uint8Array): void {
    if (this.over) return;
    this.#guard.wrote(bytes.length);
    this.#host.outbox.push(bytes);
  }

  data(stream: number, content: Uint8Array): void {
    if (this.over) return;
    this.#guard.wrote(content.length);
    this.#host.outbox.data(stream, content);
  }

  tell(bytes: Uint8Array): void {
    if (!this.over) this.#host.outbox.push(bytes);
  }

  consumed(bytes: number): void {
    const more = this.#credit.earn(bytes);
    if (more > 0) this.tell(numberFrame(FRAME.windowUpdate, 0, more));
  }

  retire(): void {
    this.#host.drain();
  }

  reset(id: number, code: number, breach: boolean): void {
    this.tell(numberFrame(FRAME.rst, id, code));
    this.streams.brokeOff(id);
    if (breach) this.#count("breach");
  }

  ended(exchange: H2Exchange, answered: boolean): void {
    this.streams.delete(exchange.id);
    this.#deps.share.closed();
    if (answered) this.#guard.answers++;
    else if (!exchange.rested) this.#forsaken.add(exchange);
    if (this.streams.size === 0 && !this.over) this.#host.rests();
  }

  #count(nuisance: Nuisance): void {
    const excess = this.#guard.count(nuisance, this.#deps.clock.elapsed());
    if (excess === undefined) return;
    throw new BrokenConnection(`Too many ${excess}`, CODE.enhanceYourCalm);
  }

  #take(one: Frame): void {
    const { type } = one;
    if (!this.settled && (type !== FRAME.settings || (one.flags & FLAG.ack) !== 0)) {
      throw new BrokenConnection("Settings must come first");
    }
    if (this.#blocks.open && type !== FRAME.continuation) {
      throw new BrokenConnection("A header block breaks off");
    }
    check(one);
    switch (type) {
      case FRAME.data:
        return this.#takeData(one);
      case FRAME.headers:
        this.#opening = this.streams.opens(one.stream);
        this.#selfish = dependsOnItself(one);
        return this.#takeBlock(one);
      case FRAME.continuation:
        return this.#takeBlock(one);
      case FRAME.priority:
        return this.#takePriority(one);
      case FRAME.rst:
        return this.#takeReset(one);
      case FRAME.settings:
        return this.#takeSettings(one);
      case FRAME.push:
        throw new BrokenConnection("Clients push nothing");
      case FRAME.ping:
        return this.#takePing(one);
      case FRAME.windowUpdate:
        return this.#takeWindow(one);
    }
    // Others are extensions, which may be ignored, and farewells, after which the client ends the connection.
    this.#count("stray");
  }

  #takeData(one: Frame): void {
    const { stream, flags } = one;
    const { length } = one.payload;
    const end = (flags & FLAG.endStream) !== 0;
    const bytes = content(one);
    if (!this.#credit.spend(length)) {
      throw new BrokenConnection("Window overrun", CODE.flowControl);
    }
    if (bytes.length === 0 && !end) this.#count("empty");
    const exchange = this.streams.get(stream);
    if (exchange !== undefined) return exchange.dataCame(bytes, length, end);
    this.streams.mayBring(stream);
    this.consumed(length);
  }

  #takeBlock(one: Frame): void {
    const wasOpen = this.#blocks.open;
    const block = this.#blocks.push(one);
    if (block === undefined) {
      if (!wasOpen) this.headBy = this.#deps.deadlines.after(this.#deps.limits.headTimeoutMs);
      return;
    }
    this.headBy = Infinity;
    const exchange = this.streams.get(block.stream);
    if (this.#selfish) {
      if (exchange !== undefined) exchange.breach(CODE.protocol);
      else if (this.#opening) this.reset(block.stream, CODE.protocol, true);
      return;
    }
    if (exchange !== undefined) return exchange.trailersCame(block.fields, block.end);
    // Else it is of a stream that we broke off, and was read for the table's sake.
    if (this.#opening) this.#open(block);
  }

  #open({ stream, fields, end }: Block): void {
    // The client was told that it would not be.
    if (this.shut) return this.streams.brokeOff(stream);
    if (this.streams.size >= STREAMS_MAX) return this.reset(stream, CODE.refusedStream, true);
    const crowded = this.streams.size >= this.#deps.share.each ||
      this.#forsaken.size >= FORSAKEN_MAX;
    if (crowded) return this.reset(stream, CODE.refusedStream, false);
    const head = readH2Request(fields, end, this.#deps.limits.head);
    if ("kind" in head) return this.#refuse(stream, head, end);

    const exchange = new H2Exchange(stream, { head, ends: end }, this);
    this.streams.add(exchange);
    this.#deps.share.opened();
    this.#deps.serve(exchange).then(() => {
      exchange.rest();
      this.#forsaken.delete(exchange);
    }).catch((error: unknown) => this.#host.failed(error));
  }

  /** Answers what is not worth an exchange. What is malformed gets no answer, as it asks for nothing. */
  #refuse(stream: number, { status, reason }: Refused, ends: boolean): void {
    this.#deps.refused({ peer: this.connection.peer, status, reason });
    if (status === 400) return this.reset(stream, CODE.protocol, true);
    const fields = Fields.from([["Content-Length", "0"]]);
    this.tell(answerFrames(stream, { status, fields, now: this.now() }, "nothing"));
    if (!ends) this.reset(stream, CODE.none, false);
  }

  #takePriority(one: Frame): void {
    this.#count("priority");
    const exchange = this.streams.get(one.stream);
    const wrong = one.payload.length !== 5;
    if (!wrong && !dependsOnItself(one)) return;
    const code = wrong ? CODE.frameSize : CODE.protocol;
    if (exchange !== undefined) return exchange.breach(code);
    throw new BrokenConnection("A priority that is none", code);
  }

  #takeReset({ stream }: Frame): void {
    this.streams.known(stream);
    const exchange = this.streams.get(stream);
    this.#count(exchange === undefined ? "stray" : "reset");
    exchange?.leave();
  }

  #takeSettings(one: Frame): void {
    if ((one.flags & FLAG.ack) !== 0) return this.#count("stray");
    this.#count("settings");
    const { initialWindow } = settingsOf(one);
    if (initialWindow !== undefined) {
      const wider = initialWindow - this.initialWindow;
      this.initialWindow = initialWindow;
      for (const { upload } of this.streams.all()) if (!upload.widen(wider)) throw tooWide();
      this.gate.serve();
    }
    this.tell(SETTINGS_ACK);
    if (this.settled) return;
    this.settled = true;
    this.headBy = Infinity;
    this.#host.rests();
  }

  #takePing({ flags, payload }: Frame): void {
    if ((flags & FLAG.ack) !== 0) {
      this.#count("stray");
      return this.#host.echoed();
    }
    this.#count("ping");
    this.tell(frame(FRAME.ping, FLAG.ack, 0, payload));
  }

  #takeWindow({ stream, payload }: Frame): void {
    this.#count("window");
    const bytes = uint(payload, 0, 4) & WINDOW_MAX;
    const exchange = this.streams.get(stream);
    if (stream === 0) {
      if (bytes === 0) throw new BrokenConnection("A window is opened by nothing");
      if (!this.gate.widen(bytes)) throw tooWide();
    } else if (exchange === undefined) {
      // It may have crossed the end of its stream.
      return this.streams.known(stream);
    } else {
      if (bytes === 0) return exchange.breach(CODE.protocol);
      if (!exchange.upload.widen(bytes)) return exchange.breach(CODE.flowControl);
    }
    this.gate.serve();
  }
}

function workOf({ type, payload }: Frame): number {
  if (type !== FRAME.headers && type !== FRAME.continuation) return 1;
  return HEAD_WORK + payload.length / BLOCK_BYTES;
}
