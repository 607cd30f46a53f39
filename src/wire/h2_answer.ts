/** Heads of answers as frames of HTTP/2: what of the fields has a place there, written in one go. */
import type { Fields } from "../fields.ts";
import { httpDate } from "./date.ts";
import { FLAG, FRAME, FRAME_LIMIT_BYTES, HEAD_BYTES } from "./h2_frames.ts";
import { dataFrames, headerFrames, together, writeHead } from "./h2_make.ts";
import { BLOCK_START, packField, packFields } from "./h2_pack.ts";
import { WRITER } from "./writer.ts";

export interface AnswerHead {
  readonly status: number;
  readonly fields: Fields;
  /** Wall clock in milliseconds for a date, where there is none; undefined for heads that need none. */
  readonly now: number | undefined;
}

/** Something follows, nothing does, or a body of at most a frame that goes out right behind the head. */
export type Following = "more" | "nothing" | Uint8Array;

export function answerFrames(
  stream: number,
  { status, fields, now }: AnswerHead,
  following: Following,
): Uint8Array {
  const out = WRITER.begin().room(HEAD_BYTES).byte(BLOCK_START);
  packField(out, ":status", String(status));
  packFields(out, fields);
  if (now !== undefined && !fields.has("date")) packField(out, "date", httpDate(now));

  const length = out.size - HEAD_BYTES;
  const ends = following === "nothing";
  if (length > FRAME_LIMIT_BYTES) {
    const frames = headerFrames(stream, out.take().subarray(HEAD_BYTES), ends);
    return typeof following === "string"
      ? frames
      : together([frames, dataFrames(stream, following, true)]);
  }
  const dataAt = out.size;
  if (typeof following !== "string") out.room(HEAD_BYTES).data(following);
  const bytes = out.take();
  const flags = FLAG.endHeaders | (ends ? FLAG.endStream : 0);
  writeHead(bytes, 0, { type: FRAME.headers, flags, stream, length });
  if (typeof following !== "string") {
    const head = { type: FRAME.data, flags: FLAG.endStream, stream, length: following.length };
    writeHead(bytes, dataAt, head);
  }
  return bytes;
}
