/**
 * Header fields as HTTP/2 packs them (RFC 7541). Reading keeps the table that the peer fills; writing
 * fills none, which costs some bytes and saves all state. Knows nothing of what fields mean.
 */
import { latin1, latin1Bytes } from "./bytes.ts";
import { unhuffman } from "./h2_huffman.ts";

/** A field as it was packed: name, value. */
export type Packed = readonly [name: string, value: string];

/** RFC 7541 appendix A, counted from 1. */
const STATIC: readonly Packed[] = [
  ...pairs(":authority", [""]),
  ...pairs(":method", ["GET", "POST"]),
  ...pairs(":path", ["/", "/index.html"]),
  ...pairs(":scheme", ["http", "https"]),
  ...pairs(":status", ["200", "204", "206", "304", "400", "404", "500"]),
  ...pairs("accept-charset", [""]),
  ...pairs("accept-encoding", ["gzip, deflate"]),
  ...`accept-language accept-ranges accept access-control-allow-origin age allow authorization
    cache-control content-disposition content-encoding content-language content-length
    content-location content-range content-type cookie date etag expect expires from host if-match
    if-modified-since if-none-match if-range if-unmodified-since last-modified link location
    max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server
    set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate`
    .split(/\s+/).flatMap((name) => pairs(name, [""])),
];

function pairs(name: string, values: readonly string[]): Packed[] {
  return values.map((value) => [name, value] as const);
}

/** What an entry counts beside its bytes (RFC 7541 section 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;
/** The table's size unless settings say otherwise, and ours never do. */
const TABLE_LIMIT_BYTES = 4096;

/** The block cannot be read, which ends the connection: later ones build on it. */
export class BrokenBlock extends Error {
  override readonly name = "BrokenBlock";
}

export class Unpacker {
  /** The newest entry stands first. */
  readonly #table: Packed[] = [];
  #tableBytes = 0;
  #tableLimitBytes = TABLE_LIMIT_BYTES;

  /**
   * Reads a whole block; undefined when its fields are more than `limitBytes`, which leaves the table as
   * it has to be. Throws `BrokenBlock`.
   */
  unpack(block: Uint8Array, limitBytes: number): readonly Packed[] | undefined {
    const reader = new Reader(block);
    let fields: Packed[] | undefined = [];
    let sizeBytes = 0;
    while (!reader.done) {
      const field = this.#next(reader);
      if (field === undefined) continue;
      sizeBytes += sizeOf(field);
      if (sizeBytes > limitBytes) fields = undefined;
      else fields?.push(field);
    }
    return fields;
  }

  /** One field; undefined for an update of the table's size. */
  #next(reader: Reader): Packed | undefined {
    const first = reader.peek();
    if ((first & 0x80) !== 0) return this.#entry(reader.integer(7));
    if ((first & 0xe0) === 0x20) {
      this.#resize(reader.integer(5));
      return undefined;
    }
    const keeps = (first & 0xc0) === 0x40;
    const index = reader.integer(keeps ? 6 : 4);
    const name = index === 0 ? reader.text() : this.#entry(index)[0];
    const field: Packed = [name, reader.text()];
    if (keeps) this.#keep(field);
    return field;
  }

  #entry(index: number): Packed {
    const entry = index <= STATIC.length
      ? STATIC[index - 1]
      : this.#table[index - 1 - STATIC.length];
    if (entry === undefined) throw new BrokenBlock("A field refers to no entry");
    return entry;
  }

  #keep(field: Packed): void {
    this.#table.unshift(field);
    this.#tableBytes += sizeOf(field);
    this.#evict();
  }

  #resize(limitBytes: number): void {
    if (limitBytes > TABLE_LIMIT_BYTES) throw new BrokenBlock("A table larger than allowed");
    this.#tableLimitBytes = limitBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#tableLimitBytes) {
      const oldest = this.#table.pop();
      if (oldest === undefined) return;
      this.#tableBytes -= sizeOf(oldest);
    }
  }
}

function sizeOf([name, value]: Packed): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}

/** Reads numbers and texts off a block. Throws `BrokenBlock`. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  peek(): number {
    return this.#bytes[this.#at] ?? 0;
  }

  /** A number that begins in the low bits of the next byte (RFC 7541 section 5.1). */
  integer(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = this.#byte() & limit;
    if (value < limit) return value;
    // Four more bytes are far beyond any length or index that could stand here.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw new BrokenBlock("A number is too large");
  }

  text(): string {
    const coded = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new BrokenBlock("A text ends early");
    this.#at += length;
    const plain = coded ? unhuffman(bytes) : bytes;
    if (plain === undefined) throw new BrokenBlock("A text is coded wrongly");
    return latin1(plain, false);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new BrokenBlock("A block ends early");
    return byte;
  }
}

const STATIC_FIELDS = new Map(STATIC.map(([name, value], at) => [`${name}\0${value}`, at + 1]));
const STATIC_NAMES = new Map(STATIC.map(([name], at) => [name, at + 1] as const).reverse());
/** Said to be a secret on every hop to come (RFC 7541 section 7.1.3). */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"]);

/**
 * Packs fields without a table of ours. The leading update says so: a peer that made its table
 * smaller waits for one.
 */
export function pack(fields: readonly Packed[]): Uint8Array {
  const bytes: number[] = [0x20];
  for (const [name, value] of fields) {
    const whole = STATIC_FIELDS.get(`${name}\0${value}`);
    if (whole !== undefined && value !== "") {
      pushInteger(bytes, whole, 7, 0x80);
      continue;
    }
    const index = STATIC_NAMES.get(name);
    pushInteger(bytes, index ?? 0, 4, SECRET.has(name) ? 0x10 : 0);
    if (index === undefined) pushText(bytes, name);
    pushText(bytes, value);
  }
  return Uint8Array.from(bytes);
}

function pushText(bytes: number[], text: string): void {
  pushInteger(bytes, text.length, 7, 0);
  for (const byte of latin1Bytes(text)) bytes.push(byte);
}

function pushInteger(bytes: number[], value: number, prefixBits: number, marks: number): void {
  const limit = (1 << prefixBits) - 1;
  if (value < limit) return void bytes.push(marks | value);
  bytes.push(marks | limit);
  let rest = value - limit;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}
