/**
 * Frames of HTTP/2 (RFC 9113 sections 4 and 6): cut out of a stream of bytes, and made. Checks lengths
 * and padding; what a frame means on its connection, the session knows.
 */

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
} as const;

/** What every peer takes (RFC 9113 section 4.2), and all that we take or send. */
export const FRAME_LIMIT_BYTES = 16 * 1024;
export const WINDOW_MAX = 0x7fff_ffff;
export const DEFAULT_WINDOW_BYTES = 65_535;
const HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** A view of what was pushed. */
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
  #rest: Uint8Array | undefined;

  /** The frames that are whole by now. Throws `BrokenConnection` for one that is too large. */
  *push(bytes: Uint8Array): Generator<Frame> {
    let all = bytes;
    if (this.#rest !== undefined) {
      all = new Uint8Array(this.#rest.length + bytes.length);
      all.set(this.#rest);
      all.set(bytes, this.#rest.length);
      this.#rest = undefined;
    }
    let at = 0;
    while (all.length - at >= HEAD_BYTES) {
      const length = uint(all, at, 3);
      if (length > FRAME_LIMIT_BYTES) {
        throw new BrokenConnection("A frame is too large", CODE.frameSize);
      }
      const end = at + HEAD_BYTES + length;
      if (end > all.length) break;
      yield {
        type: all[at + 3] ?? 0,
        flags: all[at + 4] ?? 0,
        stream: uint(all, at + 5, 4) & WINDOW_MAX,
        payload: all.subarray(at + HEAD_BYTES, end),
      };
      at = end;
    }
    if (at < all.length) this.#rest = all.slice(at);
  }
}

/** A number of so many bytes, the first one highest. */
export function uint(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let offset = 0; offset < count; offset++) value = value * 256 + (bytes[at + offset] ?? 0);
  return value;
}

/** The content of a frame that may be padded, and that may begin with a priority nobody reads. */
export function content({ flags, payload, type }: Frame): Uint8Array {
  const padded = (flags & FLAG.padded) !== 0;
  const front = (padded ? 1 : 0) +
    (type === FRAME.headers && (flags & FLAG.priority) !== 0 ? 5 : 0);
  const back = padded ? payload[0] ?? 0 : 0;
  if (front + back > payload.length) throw new BrokenConnection("Padding is longer than its frame");
  return payload.subarray(front, payload.length - back);
}

/** Pairs of a SETTINGS frame. */
export function* settingsOf({ payload }: Frame): Generator<readonly [id: number, value: number]> {
  if (payload.length % 6 !== 0) {
    throw new BrokenConnection("Settings are of a wrong length", CODE.frameSize);
  }
  for (let at = 0; at < payload.length; at += 6) {
    yield [uint(payload, at, 2), uint(payload, at + 2, 4)];
  }
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, payload.length >> 8);
  bytes[2] = payload.length & 0xff;
  bytes[3] = type;
  bytes[4] = flags;
  view.setUint32(5, stream);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** A header block in as many frames as it takes. */
export function headerFrames(stream: number, block: Uint8Array, endStream: boolean): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < block.length; at += FRAME_LIMIT_BYTES) {
    const piece = block.subarray(at, at + FRAME_LIMIT_BYTES);
    const last = at + FRAME_LIMIT_BYTES >= block.length ? FLAG.endHeaders : 0;
    const end = at === 0 && endStream ? FLAG.endStream : 0;
    frames.push(frame(at === 0 ? FRAME.headers : FRAME.continuation, last | end, stream, piece));
  }
  return together(frames);
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]) {
  const payload = new Uint8Array(6 * settings.length);
  const view = new DataView(payload.buffer);
  settings.forEach(([id, value], at) => {
    view.setUint16(6 * at, id);
    view.setUint32(6 * at + 2, value);
  });
  return frame(FRAME.settings, 0, 0, payload);
}

/** RST_STREAM, WINDOW_UPDATE: one number of four bytes. */
export function numberFrame(type: number, stream: number, value: number): Uint8Array {
  return frame(type, 0, stream, numbers(value));
}

export function goawayFrame(code: number): Uint8Array {
  // A client has taken no streams of its server, so there is none to name.
  return frame(FRAME.goaway, 0, 0, numbers(0, code));
}

function numbers(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setUint32(4 * at, value));
  return bytes;
}

export function together(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
