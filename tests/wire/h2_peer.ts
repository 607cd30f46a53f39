/** An upstream that speaks HTTP/2 by hand: reads what a client wrote, and says exactly what a test wants. */
import assert from "node:assert/strict";
import {
  CODE,
  content,
  FLAG,
  FRAME,
  type Frame,
  frame,
  FrameReader,
  headerFrames,
  numberFrame,
  SETTING,
  settingsFrame,
  uint,
} from "../../src/wire/h2_frames.ts";
import { pack, type Packed, Unpacker } from "../../src/wire/h2_hpack.ts";
import type { MemoryConnection } from "./memory_net.ts";
import { bytesOf, textOf } from "./transcript.ts";

export { CODE, FLAG, FRAME, SETTING };

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NAMES = new Map(Object.entries(FRAME).map(([name, type]) => [type as number, name]));

export class H2Peer {
  readonly connection: MemoryConnection;
  readonly #reader = new FrameReader();
  readonly #unpacker = new Unpacker();
  #greeted = false;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
  }

  /** Answers the preface with settings. */
  greet(settings: readonly (readonly [number, number])[] = []): this {
    this.connection.says(settingsFrame(settings));
    return this;
  }

  /** What the client wrote since it was asked last, in words: `headers 1 end`, `data 1 "hi"`. */
  heard(): string[] {
    let text = this.connection.take();
    if (!this.#greeted && text !== "") {
      assert.ok(text.startsWith(PREFACE), text.slice(0, 24));
      text = text.slice(PREFACE.length);
      this.#greeted = true;
    }
    return [...this.#reader.push(bytesOf(text))].map((one) => this.#spelled(one));
  }

  /** As `heard`, without what keeps a connection going. */
  said(): string[] {
    return this.heard().filter((words) => !/^(settings|windowUpdate 0) /.test(words));
  }

  headers(stream: number, fields: readonly Packed[], end = false): this {
    this.connection.says(headerFrames(stream, pack(fields), end));
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

  #spelled(one: Frame): string {
    const end = (one.flags & FLAG.endStream) !== 0 ? " end" : "";
    const name = NAMES.get(one.type) ?? `frame ${one.type}`;
    switch (one.type) {
      case FRAME.headers: {
        const fields = this.#unpacker.unpack(content(one), 1e6) ?? [];
        const spelled = fields.map(([field, value]) => `${field}=${value}`).join(" ");
        return `${name} ${one.stream}${end} ${spelled}`;
      }
      case FRAME.data: {
        const text = textOf(one.payload);
        return `${name} ${one.stream}${end} ${text.length >= 20 ? text.length : `"${text}"`}`;
      }
      case FRAME.rst:
      case FRAME.windowUpdate:
        return `${name} ${one.stream} ${uint(one.payload, 0, 4)}`;
      case FRAME.goaway:
        return `${name} ${uint(one.payload, 4, 4)}`;
      default:
        return `${name} ${one.flags}`;
    }
  }
}
