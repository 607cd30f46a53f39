/**
 * Reads a connection's bytes to the end with our own parser, the way an engine would, and writes down what
 * it made of them: the common ground of the corpus, the split properties and the comparison with llhttp.
 */
import { BODY_LIMITS, type BodyDecoder } from "../../src/wire/body.ts";
import { bodyDecoder, type Framing, responseFraming } from "../../src/wire/framing.ts";
import {
  HEAD_LIMITS,
  type Heads,
  type RequestHead,
  requestHeads,
  type ResponseHead,
  responseHeads,
} from "../../src/wire/head.ts";

/** What a side of a connection sends; responses to HEAD have no body. */
export type Kind = "requests" | "responses" | "responses to HEAD";

export interface Message {
  readonly method: string;
  readonly target: string;
  readonly host: string | undefined;
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: number;
  /** Name, value, name, value… */
  readonly fields: readonly string[];
  readonly keepAlive: boolean;
  body: string;
  trailers: readonly string[];
  whole: boolean;
}

export interface Transcript {
  readonly messages: Message[];
  /**
   * more: all bytes read, more may come · closed: the connection ends after its last message · upgraded: bytes
   * that follow are another protocol's · refused
   */
  end: "more" | "closed" | "upgraded" | "refused";
  /** Bytes that belonged to heads and bodies; up to where a refusal was certain, none is promised. */
  consumed: number;
  status: number | undefined;
  reason: string | undefined;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Reads the chunks as they would come from a socket, each one spoilt after use as a socket may do. */
export function transcribe(
  kind: Kind,
  chunks: readonly Uint8Array[],
  limits = HEAD_LIMITS,
): Transcript {
  const reader = new Reader(kind, limits);
  for (const chunk of chunks) {
    const borrowed = chunk.slice();
    reader.take(borrowed);
    borrowed.fill(0x21);
  }
  if (kind !== "requests") reader.finish();
  return reader.transcript;
}

class Reader {
  readonly transcript: Transcript = {
    messages: [],
    end: "more",
    consumed: 0,
    status: undefined,
    reason: undefined,
  };
  readonly #read: (bytes: Uint8Array) => number;
  #body: BodyDecoder | undefined;
  #upgraded = false;

  constructor(kind: Kind, limits: typeof HEAD_LIMITS) {
    if (kind === "requests") {
      const heads = requestHeads(limits);
      this.#read = (bytes) => this.#head(heads, bytes, requestMessage);
      return;
    }
    const heads = responseHeads(limits);
    const method = kind === "responses" ? "GET" : "HEAD";
    this.#read = (bytes) => this.#head(heads, bytes, (head) => responseMessage(head, method));
  }

  take(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0 && this.transcript.end === "more") {
      const consumed = this.#body === undefined
        ? this.#read(rest)
        : this.#content(rest, this.#body);
      this.transcript.consumed += consumed;
      rest = rest.subarray(consumed);
    }
  }

  finish(): void {
    if (this.#body === undefined) return;
    this.#body.end();
    const message = this.transcript.messages.at(-1);
    if (message !== undefined) message.whole = this.#body.state.kind === "done";
  }

  #head<Head>(
    heads: Heads<Head>,
    bytes: Uint8Array,
    translate: (head: Head) => { message: Message; framing: Framing; upgraded: boolean },
  ): number {
    const result = heads.push(bytes);
    if (result.kind === "refused") this.#refuse(result.reason, result.status);
    if (result.kind !== "head") return bytes.length;
    const { message, framing, upgraded } = translate(result.head);
    this.transcript.messages.push(message);
    this.#body = bodyDecoder(framing, BODY_LIMITS);
    // A request may bring a body and ask for another protocol: that one begins after the body.
    this.#upgraded = upgraded;
    if (this.#body === undefined || this.#body.state.kind === "done") this.#complete(message);
    return result.consumed;
  }

  #content(bytes: Uint8Array, body: BodyDecoder): number {
    const message = this.transcript.messages.at(-1);
    if (message === undefined) throw new Error("Body without a head");
    for (const piece of body.push(bytes)) {
      if (piece.length === 0) throw new Error("Empty piece");
      message.body += textOf(piece);
    }
    if (body.state.kind === "refused") this.#refuse(body.state.reason, undefined);
    if (body.state.kind === "done") {
      message.trailers = [...body.state.trailers ?? []].flat();
      this.#complete(message);
    }
    return body.consumed;
  }

  #complete(message: Message): void {
    message.whole = true;
    this.#body = undefined;
    const interim = message.status >= 100 && message.status < 200;
    if (this.#upgraded) this.transcript.end = "upgraded";
    else if (!message.keepAlive && !interim) this.transcript.end = "closed";
  }

  #refuse(reason: string, status: number | undefined): void {
    this.transcript.end = "refused";
    this.transcript.reason = reason;
    this.transcript.status = status;
  }
}

const UNREAD = {
  method: "",
  target: "",
  host: undefined,
  status: 0,
  reason: "",
  body: "",
  trailers: [],
  whole: false,
};

function requestMessage(head: RequestHead) {
  const { method, target, host, minorVersion, keepAlive } = head;
  const message: Message = {
    ...UNREAD,
    method,
    target,
    host,
    minorVersion,
    keepAlive,
    fields: [...head.fields].flat(),
  };
  return { message, framing: head.framing, upgraded: head.upgrade !== undefined };
}

function responseMessage(head: ResponseHead, method: string) {
  const framing = responseFraming(method, head.status, head.declared);
  const keepAlive = head.keepAlive && framing.kind !== "close";
  const message: Message = {
    ...UNREAD,
    status: head.status,
    reason: head.reason,
    minorVersion: head.minorVersion,
    keepAlive,
    fields: [...head.fields].flat(),
  };
  return { message, framing, upgraded: head.status === 101 };
}
