/** Whoever speaks HTTP/2 by hand, from either side: reads what was written, and says exactly what a test wants. */
import assert from "node:assert/strict";
import {
  CODE,
  FLAG,
  FRAME,
  type Frame,
  FrameReader,
  SETTING,
  uint,
} from "../../src/wire/h2_frames.ts";
import { frame, headerFrames, numberFrame, settingsFrame } from "../../src/wire/h2_make.ts";
import { Blocks } from "../../src/wire/h2_blocks.ts";
import type { Packed } from "../../src/wire/h2_hpack.ts";
import type { MemoryConnection } from "./memory_net.ts";
import { bytesOf, textOf } from "./transcript.ts";

export { CODE, FLAG, FRAME, SETTING };

export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NAMES = new Map(Object.entries(FRAME).map(([name, type]) => [type as number, name]));

/** Fields as literals and nothing else, whatever they hold: what may not be sent must be sendable here. */
export function packed(fields: readonly Packed[]): Uint8Array {
  return bytesOf(fields.map(([name, value]) => `\0${text(name)}${text(value)}`).join(""));
}

function text(content: string): string {
  const { length } = content;
  if (length < 127) return String.fromCharCode(length) + content;
  let rest = length - 127;
  let lead = "\x7f";
  for (; rest >= 128; rest >>= 7) lead += String.fromCharCode(128 | (rest & 127));
  return lead + String.fromCharCode(rest) + content;
}

export class H2Peer {
  readonly connection: MemoryConnection;
  readonly #reader = new FrameReader();
  readonly #blocks = new Blocks(1e6);
  #greeted: boolean;

  /** An upstream hears a preface first of all; a client says one. */
  constructor(connection: MemoryConnection, as: "upstream" | "client" = "upstream") {
    this.connection = connection;
    this.#greeted = as === "client";
  }

  preface(): this {
    this.connection.says(PREFACE);
    return this;
  }

  /** Answers the preface with settings. */
  greet(settings: readonly (readonly [number, number])[] = []): this {
    this.connection.says(settingsFrame(settings));
    return this;
  }

  /** What was written since it was asked last, in words: `headers 1 end`, `data 1 "hi"`. */
  heard(): string[] {
    let text = this.connection.take();
    if (!this.#greeted && text !== "") {
      assert.ok(text.startsWith(PREFACE), text.slice(0, 24));
      text = text.slice(PREFACE.length);
      this.#greeted = true;
    }
    this.#reader.take(bytesOf(text));
    const frames: Frame[] = [];
    for (let one = this.#reader.next(); one; one = this.#reader.next()) frames.push(one);
    return frames.flatMap((one) => this.#spelled(one) ?? []);
  }

  /** As `heard`, without what keeps a connection going. */
  said(): string[] {
    return this.heard().filter((words) => !/^(settings|windowUpdate 0) /.test(words));
  }

  headers(stream: number, fields: readonly Packed[], end = false): this {
    this.connection.says(headerFrames(stream, packed(fields), end));
    return this;
  }

  data(stream: number, text: string | Uint8Array, end = false): this {
    const bytes = typeof text === "string" ? bytesOf(text) : text;
    this.connection.says(frame(FRAME.data, end ? FLAG.endStream : 0, stream, bytes));
    return this;
  }

  number(type: number, stream: number, value: number): this {
    this.connection.says(numberFrame(type, stream, value));
    return this;
  }

  goaway(lastStream: number, code: number = CODE.none): this {
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setUint32(0, lastStream);
    new DataView(payload.buffer).setUint32(4, code);
    this.connection.says(frame(FRAME.goaway, 0, 0, payload));
    return this;
  }

  raw(type: number, flags: number, stream: number, payload: Uint8Array): this {
    this.connection.says(frame(type, flags, stream, payload));
    return this;
  }

  /** In words; nothing for a part of a block. */
  #spelled(one: Frame): string | undefined {
    const end = (one.flags & FLAG.endStream) !== 0 ? " end" : "";
    const name = NAMES.get(one.type) ?? `frame ${one.type}`;
    switch (one.type) {
      case FRAME.headers:
      case FRAME.continuation: {
        const block = this.#blocks.push(one);
        if (block === undefined) return undefined;
        const fields = block.fields ?? [];
        // The date is every answer's and no test's.
        const spelled = fields.filter(([field]) => field !== "date")
          .map(([field, value]) => `${field}=${value}`).join(" ");
        return `headers ${one.stream}${block.end ? " end" : ""} ${spelled}`;
      }
      case FRAME.data: {
        const text = textOf(one.payload);
        return `${name} ${one.stream}${end} ${text.length >= 20 ? text.length : `"${text}"`}`;
      }
      case FRAME.rst:
      case FRAME.windowUpdate:
        return `${name} ${one.stream} ${uint(one.payload, 0, 4)}`;
      case FRAME.goaway:
        return `${name} ${uint(one.payload, 0, 4)} ${uint(one.payload, 4, 4)}`;
      default:
        return `${name} ${one.flags}`;
    }
  }
}
