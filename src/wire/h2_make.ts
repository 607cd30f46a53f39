/** Frames of HTTP/2 as we send them. What goes into one, its maker decides; none is larger than every peer takes. */
import { latin1Bytes, NOTHING } from "./bytes.ts";
import { FLAG, FRAME, FRAME_LIMIT_BYTES, HEAD_BYTES } from "./h2_frames.ts";

/** What a client says first of all (RFC 9113 section 3.4). */
export const PREFACE = latin1Bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  writeHead(bytes, 0, { type, flags, stream, length: payload.length });
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly length: number;
}

export function writeHead(bytes: Uint8Array, at: number, head: FrameHead): void {
  const { type, flags, stream, length } = head;
  bytes[at] = length >> 16;
  bytes[at + 1] = length >> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes[at + 5] = stream >>> 24;
  bytes[at + 6] = stream >> 16;
  bytes[at + 7] = stream >> 8;
  bytes[at + 8] = stream;
}

/** Content in as many frames as it takes, all in one piece; an empty one where there is none. */
export function dataFrames(stream: number, content: Uint8Array, endStream: boolean): Uint8Array {
  const bytes = new Uint8Array(dataBytes(content));
  writeData(bytes, 0, { stream, content, endStream });
  return bytes;
}

/** Bytes of the frames that hold so much content. */
export function dataBytes({ length }: Uint8Array): number {
  return length + framesFor(length) * HEAD_BYTES;
}

function framesFor(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / FRAME_LIMIT_BYTES));
}

/** Writes content as frames into bytes that have the room for it. */
export function writeData(
  bytes: Uint8Array,
  at: number,
  { stream, content, endStream }: {
    readonly stream: number;
    readonly content: Uint8Array;
    readonly endStream: boolean;
  },
): void {
  const count = framesFor(content.length);
  let out = at;
  for (let number = 1, from = 0; number <= count; number++, from += FRAME_LIMIT_BYTES) {
    const piece = count === 1 ? content : content.subarray(from, from + FRAME_LIMIT_BYTES);
    const flags = number === count && endStream ? FLAG.endStream : 0;
    writeHead(bytes, out, { type: FRAME.data, flags, stream, length: piece.length });
    bytes.set(piece, out + HEAD_BYTES);
    out += HEAD_BYTES + piece.length;
  }
}

/** A header block in as many frames as it takes. */
export function headerFrames(stream: number, block: Uint8Array, endStream: boolean): Uint8Array {
  const end = endStream ? FLAG.endStream : 0;
  if (block.length <= FRAME_LIMIT_BYTES) {
    return frame(FRAME.headers, FLAG.endHeaders | end, stream, block);
  }
  const frames: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += FRAME_LIMIT_BYTES) {
    const piece = block.subarray(at, at + FRAME_LIMIT_BYTES);
    const last = at + FRAME_LIMIT_BYTES >= block.length ? FLAG.endHeaders : 0;
    frames.push(
      at === 0
        ? frame(FRAME.headers, last | end, stream, piece)
        : frame(FRAME.continuation, last, stream, piece),
    );
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

export const SETTINGS_ACK = frame(FRAME.settings, FLAG.ack, 0, NOTHING);

/** RST_STREAM, WINDOW_UPDATE: one number of four bytes. */
export function numberFrame(type: number, stream: number, value: number): Uint8Array {
  return frame(type, 0, stream, numbers(value));
}

/** `lastStream` is the last of the peer's streams that was or will be looked at. */
export function goawayFrame(code: number, lastStream: number): Uint8Array {
  return frame(FRAME.goaway, 0, 0, numbers(lastStream, code));
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
  writeAll(bytes, parts);
  return bytes;
}

/** Writes one behind the other into bytes that have the room for them; returns where they end. */
export function writeAll(bytes: Uint8Array, parts: readonly Uint8Array[]): number {
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return at;
}
