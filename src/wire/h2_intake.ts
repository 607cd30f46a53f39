/**
 * A request's body as a stream of HTTP/2 brings it: no faster than it is read, and no other than was told.
 * Says which rule was broken; what follows from that is its stream's business.
 */
import type { Fields } from "../fields.ts";
import type { ByteSource } from "../model.ts";
import { NOTHING } from "./bytes.ts";
import { StreamBody } from "./h2_body.ts";
import { Credit } from "./h2_credit.ts";
import { CODE, FRAME } from "./h2_frames.ts";
import { trailersOf } from "./h2_head.ts";
import type { Packed } from "./h2_hpack.ts";
import { numberFrame } from "./h2_make.ts";
import { Inflow, type InflowEvents, WINDOWED } from "./inflow.ts";

/** Bytes of a request that its client may send ahead of their reader. */
export const STREAM_WINDOW_BYTES = 256 * 1024;

/** What it needs of its connection. */
export interface IntakeSite {
  /** Sends what is no part of an answer. */
  tell(frame: Uint8Array): void;
  /** Bytes of bodies that are out of the way. */
  consumed(bytes: number): void;
}

interface IntakeDeps {
  readonly site: IntakeSite;
  /** Called when somebody waits for bytes, for the first time. */
  readonly wanted: () => void;
}

export class Intake implements InflowEvents {
  /** All of it has come. */
  complete = false;
  readonly #id: number;
  readonly #site: IntakeSite;
  readonly #decoder: StreamBody;
  readonly #inflow: Inflow | undefined;
  readonly #credit = new Credit(STREAM_WINDOW_BYTES);
  /** Bytes that came and wait for their reader. */
  #waitingBytes = 0;
  #unwanted = false;
  #closed = false;
  readonly wanted: () => void;

  constructor(id: number, lengthBytes: number | undefined, { site, wanted }: IntakeDeps) {
    this.#id = id;
    this.#site = site;
    this.wanted = wanted;
    this.#decoder = new StreamBody(lengthBytes);
    if (lengthBytes !== 0) this.#inflow = new Inflow(this.#decoder, lengthBytes, WINDOWED, this);
  }

  /** Undefined when it was told to be empty. */
  get body(): ByteSource | undefined {
    return this.#inflow;
  }

  /** Takes a piece, which was `frameBytes` long with its padding. Returns the code of a breach. */
  dataCame(bytes: Uint8Array, frameBytes: number, end: boolean): number | undefined {
    this.#waitingBytes += frameBytes;
    if (this.complete) return CODE.streamClosed;
    if (!this.#credit.spend(frameBytes)) return CODE.flowControl;
    this.taken(frameBytes - bytes.length);
    if (this.#inflow !== undefined) this.#inflow.feed(bytes);
    else this.#decoder.push(bytes);
    if (this.#decoder.state.kind === "refused") return CODE.protocol;
    return end ? this.#completed(undefined) : undefined;
  }

  /** Takes a second block of fields; undefined for such as are too large. Returns the code of a breach. */
  trailersCame(packed: readonly Packed[] | undefined, end: boolean): number | undefined {
    if (this.complete) return CODE.streamClosed;
    const trailers = packed === undefined ? "Too large" : trailersOf(packed);
    if (!end || typeof trailers === "string") return CODE.protocol;
    return this.#completed(trailers);
  }

  /** The stream is over. Whoever still reads gets what has come whole, and else an error. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#site.consumed(this.#waitingBytes);
    this.#inflow?.connectionEnded(false);
  }

  ended(): void {}

  /** Nobody reads the rest, so no more need come until the answer ends the stream. */
  cancelled(): void {
    this.#unwanted = true;
  }

  taken(bytes: number): void {
    if (this.#closed) return;
    this.#waitingBytes -= bytes;
    this.#site.consumed(bytes);
    if (this.complete || this.#unwanted) return;
    const more = this.#credit.earn(bytes);
    if (more > 0) this.#site.tell(numberFrame(FRAME.windowUpdate, this.#id, more));
  }

  #completed(trailers: Fields | undefined): number | undefined {
    this.complete = true;
    const whole = this.#decoder.finish(trailers);
    this.#inflow?.feed(NOTHING);
    return whole ? undefined : CODE.protocol;
  }
}
