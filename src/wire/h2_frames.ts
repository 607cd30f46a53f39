/**
 * Frames of HTTP/2 (RFC 9113 sections 4 and 6) as they come: cut out of a stream of bytes, and held to
 * their lengths, their padding and the streams they may name. What one means, its connection knows.
 */
import { NOTHING } from "./bytes.ts";

export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rst: 0x3,
  settings: 0x4,
  push: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** RFC 9113 section 7. */
export const CODE = {
  none: 0x0,
  protocol: 0x1,
  internal: 0x2,
  flowControl: 0x3,
  streamClosed: 0x5,
  frameSize: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compression: 0x9,
  enhanceYourCalm: 0xb,
} as const;

export const SETTING = {
  enablePush: 0x2,
  concurrentStreams: 0x3,
  initialWindow: 0x4,
  frameSize: 0x5,
  headerListSize: 0x6,
  /** RFC 9218 section 2.1: priorities of RFC 7540 are not heeded. */
  noPriorities: 0x9,
} as const;

/** What every peer takes (RFC 9113 section 4.2), and all that we take or send. */
export const FRAME_LIMIT_BYTES = 16 * 1024;
const FRAME_LENGTH_MAX = 0xff_ffff;
export const WINDOW_MAX = 0x7fff_ffff;
export const DEFAULT_WINDOW_BYTES = 65_535;
export const HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** A view, which nothing is written over later. */
  readonly payload: Uint8Array;
}

/** The connection cannot go on; the code tells the peer why. */
export class BrokenConnection extends Error {
  override readonly name = "BrokenConnection";
  readonly code: number;

  constructor(message: string, code: number = CODE.protocol) {
    super(message);
    this.code = code;
  }
}

/** Cuts frames out of what comes. */
export class FrameReader {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  /** Holds a frame that comes in pieces: its head first, then all of it. */
  #begun: Uint8Array | undefined;
  #filled = 0;

  /** Takes the next bytes, of which `next` gives the frames. All of them, before more is taken. */
  take(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  /** The next frame that is whole. Throws `BrokenConnection` for one that is too large. */
  next(): Frame | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    if (this.#begun === undefined) {
      const bodyAt = at + HEAD_BYTES;
      const end = bodyAt <= bytes.length ? bodyAt + lengthAt(bytes, at) : Infinity;
      if (end <= bytes.length) {
        this.#at = end;
        return frameAt(bytes, at, end);
      }
      if (at === bytes.length) return this.#rest();
      this.#begun = new Uint8Array(HEAD_BYTES);
      this.#filled = 0;
    }
    return this.#fill(this.#begun);
  }

  #fill(begun: Uint8Array): Frame | undefined {
    const missing = begun.length - this.#filled;
    const piece = this.#bytes.subarray(this.#at, this.#at + missing);
    begun.set(piece, this.#filled);
    this.#at += piece.length;
    this.#filled += piece.length;
    if (piece.length < missing) return this.#rest();
    const length = begun.length === HEAD_BYTES ? lengthAt(begun, 0) : 0;
    if (length === 0) {
      this.#begun = undefined;
      return frameAt(begun, 0, begun.length);
    }
    const whole = new Uint8Array(HEAD_BYTES + length);
    whole.set(begun);
    this.#begun = whole;
    return this.#fill(whole);
  }

  #rest(): undefined {
    this.#bytes = NOTHING;
    this.#at = 0;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const length = uint(bytes, at, 3);
  if (length > FRAME_LIMIT_BYTES) {
    throw new BrokenConnection("A frame is too large", CODE.frameSize);
  }
  return length;
}

function frameAt(bytes: Uint8Array, at: number, end: number): Frame {
  return {
    type: bytes[at + 3] ?? 0,
    flags: bytes[at + 4] ?? 0,
    stream: uint(bytes, at + 5, 4) & WINDOW_MAX,
    payload: bytes.subarray(at + HEAD_BYTES, end),
  };
}

/** A number of so many bytes, the first one highest. */
export function uint(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let offset = 0; offset < count; offset++) value = value * 256 + (bytes[at + offset] ?? 0);
  return value;
}

/** Whether a type speaks of a stream or of the connection; others speak of either. */
const ON_STREAM = new Set<number>([
  FRAME.data,
  FRAME.headers,
  FRAME.priority,
  FRAME.rst,
  FRAME.push,
  FRAME.continuation,
]);
const ON_CONNECTION = new Set<number>([FRAME.settings, FRAME.ping, FRAME.goaway]);
/** Types that have one length only, but for priorities, whose length is the stream's affair. */
const LENGTHS = new Map<number, number>([
  [FRAME.rst, 4],
  [FRAME.ping, 8],
  [FRAME.windowUpdate, 4],
]);

/** Throws `BrokenConnection` where a frame has not the length of its type, or names a stream it must not. */
export function check({ type, flags, stream, payload }: Frame): void {
  if (stream === 0 ? ON_STREAM.has(type) : ON_CONNECTION.has(type)) {
    throw new BrokenConnection(stream === 0 ? "A frame without a stream" : "A frame on a stream");
  }
  const { length } = payload;
  const isAck = type === FRAME.settings && (flags & FLAG.ack) !== 0;
  const wrong = length !== (LENGTHS.get(type) ?? length) || (isAck && length > 0) ||
    (type === FRAME.goaway && length < 8);
  if (wrong) throw new BrokenConnection("A frame is of a wrong length", CODE.frameSize);
}

/** The content of a frame that may be padded, and that may begin with a priority nobody reads. */
export function content({ flags, payload, type }: Frame): Uint8Array {
  if ((flags & (FLAG.padded | FLAG.priority)) === 0) return payload;
  const padded = (flags & FLAG.padded) !== 0;
  const front = (padded ? 1 : 0) +
    (type === FRAME.headers && (flags & FLAG.priority) !== 0 ? 5 : 0);
  const back = padded ? payload[0] ?? 0 : 0;
  if (front + back > payload.length) throw new BrokenConnection("Padding is longer than its frame");
  return payload.subarray(front, payload.length - back);
}

/** Whether the priority in a frame makes its stream wait for itself (RFC 7540 section 5.3.1). */
export function dependsOnItself({ type, flags, stream, payload }: Frame): boolean {
  if (type === FRAME.headers && (flags & FLAG.priority) === 0) return false;
  const padded = type === FRAME.headers && (flags & FLAG.padded) !== 0;
  return (uint(payload, padded ? 1 : 0, 4) & WINDOW_MAX) === stream;
}

/** What a peer says of itself; undefined where it says nothing. */
export interface Settings {
  readonly concurrentStreams: number | undefined;
  readonly initialWindow: number | undefined;
}

/** Settings in one frame at most, seven being known: more only keep us busy. */
const SETTINGS_MAX = 64;

/** Reads a SETTINGS frame, of which the last word on each counts. */
export function settingsOf({ payload }: Frame): Settings {
  if (payload.length % 6 !== 0) {
    throw new BrokenConnection("Settings are of a wrong length", CODE.frameSize);
  }
  if (payload.length > 6 * SETTINGS_MAX) {
    throw new BrokenConnection("Too many settings", CODE.enhanceYourCalm);
  }
  let concurrentStreams: number | undefined;
  let initialWindow: number | undefined;
  for (let at = 0; at < payload.length; at += 6) {
    const value = uint(payload, at + 2, 4);
    switch (uint(payload, at, 2)) {
      case SETTING.enablePush:
        if (value > 1) throw new BrokenConnection("Push is neither on nor off");
        break;
      case SETTING.concurrentStreams:
        concurrentStreams = value;
        break;
      case SETTING.initialWindow:
        if (value > WINDOW_MAX) throw tooWide();
        initialWindow = value;
        break;
      case SETTING.frameSize:
        if (value < FRAME_LIMIT_BYTES || value > FRAME_LENGTH_MAX) {
          throw new BrokenConnection("Frames of a size that may not be");
        }
        break;
    }
  }
  return { concurrentStreams, initialWindow };
}

export function tooWide(): BrokenConnection {
  return new BrokenConnection("Window is too large", CODE.flowControl);
}
