/**
 * One HTTP/2 connection to an upstream and the streams on it: settings, windows, pings, farewells.
 * A breach of the protocol ends the connection; one of a stream, only that. Longer than usual, as what
 * each frame means is read best on one page.
 */
import type { Attempt, Outcome } from "../model.ts";
import type { Clock, Connection, ConnectionEvents } from "../platform/platform.ts";
import type { Deadlines, Waiting } from "../deadlines.ts";
import {
  BrokenConnection,
  check,
  CODE,
  content,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  type Frame,
  FrameReader,
  SETTING,
  settingsOf,
  tooWide,
  uint,
  WINDOW_MAX,
} from "./h2_frames.ts";
import { Blocks } from "./h2_blocks.ts";
import { Credit } from "./h2_credit.ts";
import { BrokenBlock } from "./h2_hpack.ts";
import {
  frame,
  goawayFrame,
  numberFrame,
  PREFACE,
  SETTINGS_ACK,
  settingsFrame,
  together,
} from "./h2_make.ts";
import { Gate } from "./h2_gate.ts";
import { type Link, Stream, STREAM_WINDOW_BYTES } from "./h2_stream.ts";

/** Wide, as the windows of the streams bound what may wait. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** One that was heard of so lately needs no ping. */
const LATELY_MS = 1_000;

export interface SessionDeps {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Kept this long without a stream, in milliseconds. */
  readonly idleMs: number;
  readonly headLimitBytes: number;
  /** It takes another stream again, or never will. */
  readonly turned: (session: Session) => void;
}

export class Session implements ConnectionEvents, Waiting, Link {
  place = -1;
  readonly clock: Clock;
  /** Settles with what is wrong, or with undefined once the upstream has shown that it speaks HTTP/2. */
  readonly greeted: Promise<string | undefined>;
  readonly gate: Gate;
  readonly #deps: SessionDeps;
  readonly #reader = new FrameReader();
  readonly #blocks: Blocks;
  readonly #streams = new Map<number, Stream>();
  readonly #pings: (() => void)[] = [];
  #greet: (problem: string | undefined) => void = () => {};
  #connection: Connection | undefined;
  #nextId = 1;
  /** Until its settings say otherwise. */
  #streamsMax = 100;
  #initialWindow = DEFAULT_WINDOW_BYTES;
  readonly #credit = new Credit(WINDOW_BYTES);
  #settled = false;
  #leaving = false;
  #over = false;
  #heardAt = 0;
  #idleSince = 0;
  /** Times that something came. */
  heard = 0;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.clock = deps.clock;
    this.gate = new Gate(DEFAULT_WINDOW_BYTES, deps.clock);
    this.#blocks = new Blocks(deps.headLimitBytes);
    this.greeted = new Promise((resolve) => (this.#greet = resolve));
  }

  /** Takes the connection that was dialled with this as its events. */
  open(connection: Connection): void {
    this.#connection = connection;
    const settings = settingsFrame([
      [SETTING.enablePush, 0],
      [SETTING.initialWindow, STREAM_WINDOW_BYTES],
      [SETTING.headerListSize, this.#deps.headLimitBytes],
    ]);
    const window = numberFrame(FRAME.windowUpdate, 0, WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
    this.write(together([PREFACE, settings, window]));
    this.#rest();
  }

  /** Takes another stream now. */
  get free(): boolean {
    return this.#settled && !this.ending && this.#streams.size < this.#streamsMax;
  }

  /** Takes no more streams, ever. */
  get ending(): boolean {
    return this.#leaving || this.#over;
  }

  start(attempt: Attempt): { readonly stream: Stream; readonly outcome: Promise<Outcome> } {
    const stream = new Stream(this.#nextId, attempt, { link: this, window: this.#initialWindow });
    this.#nextId += 2;
    if (this.#nextId > WINDOW_MAX) this.#leaving = true;
    this.#deps.deadlines.drop(this);
    this.#streams.set(stream.id, stream);
    return { stream, outcome: stream.run() };
  }

  /** Whether the upstream is heard of within the time. */
  answers(timeoutMs: number): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    if (this.clock.elapsed() - this.#heardAt < LATELY_MS) return Promise.resolve(true);
    return new Promise((resolve) => {
      const stopTimer = this.clock.after(timeoutMs, () => resolve(false));
      this.#pings.push(() => {
        stopTimer();
        resolve(!this.#over);
      });
      this.write(frame(FRAME.ping, 0, 0, new Uint8Array(8)));
    });
  }

  /** Ends it with all that runs on it. */
  close(): void {
    this.#close(CODE.none);
  }

  /** Takes no more streams; those that run end as they will. */
  retire(): void {
    if (this.ending) return;
    this.#leaving = true;
    this.#deps.turned(this);
    if (this.#streams.size === 0) this.#close(CODE.none);
  }

  get deadline(): number {
    const idle = this.#settled && this.#streams.size === 0;
    return idle ? this.#idleSince + this.#deps.idleMs : Infinity;
  }

  expire(): void {
    this.retire();
  }

  data(bytes: Uint8Array): void {
    if (this.#over) return;
    this.heard++;
    this.#heardAt = this.clock.elapsed();
    try {
      this.#reader.take(bytes);
      for (let one = this.#reader.next(); one !== undefined; one = this.#reader.next()) {
        this.#take(one);
        if (this.#over) return;
      }
    } catch (error) {
      const broken = error instanceof BrokenConnection;
      if (!broken && !(error instanceof BrokenBlock)) throw error;
      this.#greet(this.#settled ? error.message : "does not speak HTTP/2");
      this.#close(broken ? error.code : CODE.compression, error.message);
    }
  }

  drained(): void {
    this.gate.open();
  }

  closed(): void {
    this.#end();
  }

  write(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#connection?.write(bytes) === false) this.gate.block();
  }

  forget(id: number): void {
    this.#streams.delete(id);
    if (this.#over) return;
    if (this.#deps.idleMs === 0) this.#leaving = true;
    if (this.#streams.size === 0) this.#rest();
    this.#deps.turned(this);
  }

  /** Nothing runs on it. */
  #rest(): void {
    if (this.#leaving) return this.#close(CODE.none);
    this.#idleSince = this.clock.elapsed();
    this.#deps.deadlines.add(this);
  }

  #take(one: Frame): void {
    const { type, flags, stream } = one;
    if (!this.#settled && type !== FRAME.settings) {
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
        this.#known(stream);
        return this.#takeBlock(one);
      case FRAME.continuation:
        return this.#takeBlock(one);
      case FRAME.rst:
        this.#known(stream);
        return this.#streams.get(stream)?.resetCame(uint(one.payload, 0, 4));
      case FRAME.settings:
        return this.#takeSettings(one);
      case FRAME.push:
        throw new BrokenConnection("Nobody asked for pushes");
      case FRAME.ping:
        if ((flags & FLAG.ack) !== 0) return this.#pings.shift()?.();
        return this.write(frame(FRAME.ping, FLAG.ack, 0, one.payload));
      case FRAME.goaway:
        return this.#takeGoaway(uint(one.payload, 0, 4) & WINDOW_MAX);
      case FRAME.windowUpdate:
        return this.#takeWindow(stream, uint(one.payload, 0, 4) & WINDOW_MAX);
    }
    // Others are extensions, which may be ignored, and priorities, which nobody minds.
  }

  /** Frames of streams that are over may still be on their way; of those to come, none may be. */
  #known(stream: number): void {
    if (stream % 2 === 0 || stream >= this.#nextId) {
      throw new BrokenConnection("A stream that nobody has opened");
    }
  }

  #takeData(one: Frame): void {
    this.#known(one.stream);
    const { length } = one.payload;
    if (!this.#credit.spend(length)) {
      throw new BrokenConnection("Window overrun", CODE.flowControl);
    }
    // At once, so that the slow reader of one stream stops no other.
    const more = this.#credit.earn(length);
    if (more > 0) this.write(numberFrame(FRAME.windowUpdate, 0, more));
    const end = (one.flags & FLAG.endStream) !== 0;
    this.#streams.get(one.stream)?.dataCame(content(one), length, end);
  }

  #takeBlock(one: Frame): void {
    const block = this.#blocks.push(one);
    if (block !== undefined) this.#streams.get(block.stream)?.headersCame(block.fields, block.end);
  }

  #takeSettings(one: Frame): void {
    if ((one.flags & FLAG.ack) !== 0) return;
    const { concurrentStreams, initialWindow } = settingsOf(one);
    if (concurrentStreams !== undefined) this.#streamsMax = concurrentStreams;
    if (initialWindow !== undefined) this.#resizeWindows(initialWindow);
    this.write(SETTINGS_ACK);
    this.#settled = true;
    this.#greet(undefined);
    this.#deps.turned(this);
  }

  #resizeWindows(bytes: number): void {
    const wider = bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    for (const { upload } of this.#streams.values()) if (!upload.widen(wider)) throw tooWide();
    this.gate.serve();
  }

  #takeWindow(id: number, bytes: number): void {
    const of = id === 0 ? this.gate : this.#streams.get(id)?.upload;
    if (of?.widen(bytes) === false) throw tooWide();
    this.gate.serve();
  }

  #takeGoaway(lastId: number): void {
    this.retire();
    for (const stream of [...this.#streams.values()]) {
      if (stream.id > lastId) stream.unseen();
    }
  }

  #close(code: number, breach?: string): void {
    if (this.#over) return;
    // A client has taken no streams of its server, so there is none to name.
    this.write(goawayFrame(code, 0));
    // First of all, as a connection may tell of its end before `close` returns.
    this.#end(breach);
    this.#connection?.close();
  }

  #end(breach?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#deps.deadlines.drop(this);
    this.#greet("connection ended before a word of HTTP/2");
    for (const stream of [...this.#streams.values()]) stream.connectionGone(breach);
    for (const heard of this.#pings.splice(0)) heard();
    this.#deps.turned(this);
  }
}
