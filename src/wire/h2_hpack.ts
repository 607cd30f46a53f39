/**
 * Header fields as HTTP/2 packs them, read (RFC 7541): keeps the table that the peer fills. Knows
 * nothing of what fields mean.
 */
import { latin1 } from "./bytes.ts";
import { unhuffman } from "./h2_huffman.ts";

/** A field as it was packed: name, value. */
export type Packed = readonly [name: string, value: string];

/** RFC 7541 appendix A, counted from 1. */
export const STATIC: readonly Packed[] = [
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
/** Places for as many entries as can fit; a power of two. */
const PLACES = TABLE_LIMIT_BYTES / ENTRY_OVERHEAD_BYTES;
const EMPTY: Packed = ["", ""];

/** The block cannot be read, which ends the connection: later ones build on it. */
export class BrokenBlock extends Error {
  override readonly name = "BrokenBlock";
}

export class Unpacker {
  /** A ring, written at `#next`. */
  readonly #table: Packed[] = [];
  #next = 0;
  #count = 0;
  #tableBytes = 0;
  #tableLimitBytes = TABLE_LIMIT_BYTES;

  /**
   * Reads a whole block; undefined when its fields are more than `limitBytes`, which leaves the table as
   * it has to be. Throws `BrokenBlock`.
   */
  unpack(block: Uint8Array, limitBytes: number): readonly Packed[] | undefined {
    const reader = new Reader(block);
    while (!reader.done && (reader.peek() & 0xe0) === 0x20) this.#resize(reader.integer(5));
    const fields: Packed[] = [];
    let sizeBytes = 0;
    while (!reader.done) {
      const field = this.#field(reader);
      sizeBytes += sizeOf(field);
      if (sizeBytes <= limitBytes) fields.push(field);
    }
    return sizeBytes <= limitBytes ? fields : undefined;
  }

  #field(reader: Reader): Packed {
    const first = reader.peek();
    if ((first & 0x80) !== 0) return this.#entry(reader.integer(7));
    // RFC 7541 section 4.2.
    if ((first & 0xe0) === 0x20) throw new BrokenBlock("A table is resized amid fields");
    const keeps = (first & 0xc0) === 0x40;
    const index = reader.integer(keeps ? 6 : 4);
    const name = index === 0 ? reader.text() : this.#entry(index)[0];
    const field: Packed = [name, reader.text()];
    if (keeps) this.#keep(field);
    return field;
  }

  #entry(index: number): Packed {
    const age = index - STATIC.length;
    const entry = age <= 0
      ? STATIC[index - 1]
      : age <= this.#count
      ? this.#table[(this.#next - age) & (PLACES - 1)]
      : undefined;
    if (entry === undefined) throw new BrokenBlock("A field refers to no entry");
    return entry;
  }

  #keep(field: Packed): void {
    const bytes = sizeOf(field);
    // Before it is there: one that is larger than the table empties it, and is not kept.
    this.#evict(this.#tableLimitBytes - bytes);
    if (bytes > this.#tableLimitBytes) return;
    this.#table[this.#next & (PLACES - 1)] = field;
    this.#next++;
    this.#count++;
    this.#tableBytes += bytes;
  }

  #resize(limitBytes: number): void {
    if (limitBytes > TABLE_LIMIT_BYTES) throw new BrokenBlock("A table larger than allowed");
    this.#tableLimitBytes = limitBytes;
    this.#evict(limitBytes);
  }

  /** Forgets the oldest entries until no more than so many bytes are left. */
  #evict(leftBytes: number): void {
    while (this.#count > 0 && this.#tableBytes > leftBytes) {
      const place = (this.#next - this.#count) & (PLACES - 1);
      this.#tableBytes -= sizeOf(this.#table[place] ?? EMPTY);
      this.#table[place] = EMPTY;
      this.#count--;
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
