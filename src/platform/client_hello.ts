/**
 * Reads what a TLS client says first, far enough to choose a certificate and a protocol: RFC 8446
 * section 4.1.2, in one record or several. Pure; everything else about TLS is a library's.
 */
import type { ClientHello } from "./tls.ts";

/** What came so far is the beginning of a hello, a whole one, or none. */
export type Greeting =
  | { readonly kind: "more" }
  | { readonly kind: "hello"; readonly hello: ClientHello }
  /** HTTP in the clear, say. */
  | { readonly kind: "plain" }
  | { readonly kind: "broken" };

/** Far above any honest hello, keys of post-quantum schemes included. */
export const HELLO_LIMIT_BYTES = 32 * 1024;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEAD_BYTES = 5;
const RECORD_LIMIT_BYTES = 16 * 1024;
/** Records that a hello may be spread over. One is the rule. */
const RECORDS_MAX = 16;
const MESSAGE_HEAD_BYTES = 4;
const SERVER_NAME = 0;
const PROTOCOLS = 16;
const HOST_NAME = 0;
/** No host is called by more (RFC 1035 section 2.3.4). */
const NAME_LIMIT_BYTES = 255;

const MORE: Greeting = { kind: "more" };
const PLAIN: Greeting = { kind: "plain" };
const BROKEN: Greeting = { kind: "broken" };

export function readGreeting(bytes: Uint8Array): Greeting {
  if (bytes.length === 0) return MORE;
  if (bytes[0] !== HANDSHAKE_RECORD) return PLAIN;
  const message = firstMessage(bytes);
  if (message === undefined) return bytes.length > HELLO_LIMIT_BYTES ? BROKEN : MORE;
  if (message === "broken") return BROKEN;
  try {
    return { kind: "hello", hello: readHello(new Reader(message)) };
  } catch (error) {
    if (error instanceof RangeError) return BROKEN;
    throw error;
  }
}

/** Bytes of the first handshake message, put together of its records; undefined while some are missing. */
function firstMessage(bytes: Uint8Array): Uint8Array | "broken" | undefined {
  const parts: Uint8Array[] = [];
  let gathered = 0;
  for (let at = 0; at + RECORD_HEAD_BYTES <= bytes.length;) {
    const length = number(bytes, at + 3, 2);
    const isRecord = bytes[at] === HANDSHAKE_RECORD && bytes[at + 1] === 3;
    if (!isRecord || length < MESSAGE_HEAD_BYTES || length > RECORD_LIMIT_BYTES) return "broken";
    if (parts.length === RECORDS_MAX) return "broken";
    const start = at + RECORD_HEAD_BYTES;
    const part = bytes.subarray(start, start + length);
    parts.push(part);
    gathered += part.length;

    const [first = part] = parts;
    if (first.length > 0 && first[0] !== CLIENT_HELLO) return "broken";
    if (first.length < MESSAGE_HEAD_BYTES) return undefined;
    const end = MESSAGE_HEAD_BYTES + number(first, 1, 3);
    if (end > HELLO_LIMIT_BYTES) return "broken";
    if (gathered >= end) return joined(parts, gathered).subarray(MESSAGE_HEAD_BYTES, end);
    at = start + length;
  }
  return undefined;
}

function readHello(reader: Reader): ClientHello {
  // Version and random, the session's id, cipher suites, compression methods.
  reader.skip(2 + 32);
  reader.skip(reader.number(1));
  reader.skip(reader.number(2));
  reader.skip(reader.number(1));
  let name: string | undefined;
  let protocols: readonly string[] = [];
  if (reader.done) return { name, protocols };
  const extensions = reader.part(reader.number(2));
  while (!extensions.done) {
    const type = extensions.number(2);
    const content = extensions.part(extensions.number(2));
    if (type === SERVER_NAME) name = readName(content);
    else if (type === PROTOCOLS) protocols = readProtocols(content);
  }
  return { name, protocols };
}

/** RFC 6066 section 3. */
function readName(content: Reader): string | undefined {
  const list = content.part(content.number(2));
  while (!list.done) {
    const type = list.number(1);
    const length = list.number(2);
    if (length > NAME_LIMIT_BYTES) throw new RangeError("Name is too long");
    const text = list.text(length);
    if (type === HOST_NAME) return text.toLowerCase().replace(/\.$/, "") || undefined;
  }
  return undefined;
}

/** RFC 7301 section 3.1. */
function readProtocols(content: Reader): readonly string[] {
  const list = content.part(content.number(2));
  const protocols: string[] = [];
  while (!list.done) protocols.push(list.text(list.number(1)));
  return protocols;
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A number of so many bytes, the first one highest. */
function number(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let offset = 0; offset < count; offset++) value = value * 256 + (bytes[at + offset] ?? 0);
  return value;
}

/** Reads in turn; throws `RangeError` beyond the end. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(count: number): void {
    if (count > this.#bytes.length - this.#at) throw new RangeError("Hello ends early");
    this.#at += count;
  }

  number(count: number): number {
    const start = this.#at;
    this.skip(count);
    return number(this.#bytes, start, count);
  }

  part(count: number): Reader {
    const start = this.#at;
    this.skip(count);
    return new Reader(this.#bytes.subarray(start, start + count));
  }

  text(count: number): string {
    const start = this.#at;
    this.skip(count);
    return String.fromCharCode(...this.#bytes.subarray(start, start + count));
  }
}
