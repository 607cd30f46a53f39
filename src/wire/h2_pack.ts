/**
 * Header fields as HTTP/2 packs them, written (RFC 7541): with the table that everybody has and none of
 * our own, which costs some bytes and saves all state. Plain, as a Huffman code costs more than it saves here.
 */
import { type Fields, lowerName } from "../fields.ts";
import { latin1, unpadded } from "./bytes.ts";
import { type Packed, STATIC } from "./h2_hpack.ts";
import { OF_CONNECTIONS } from "./names.ts";
import { WRITER, Writer } from "./writer.ts";

/** How a name is packed. */
interface Name {
  /** What stands before a value of its own, one byte a character. */
  readonly lead: string;
  /** Values that the table of all has, with their places. */
  readonly whole: ReadonlyMap<string, number> | undefined;
  /** Belongs to one connection of HTTP/1.1. */
  readonly ofConnection: boolean;
}

/** Said to be a secret on every hop to come (RFC 7541 section 7.1.3). */
const SECRET: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie",
]);

/** Names seen so far as they were spelled. Bounded, as upstreams make names up. */
const NAMES = new Map<string, Name>();
const NAMES_MAX = 1000;
const NAME_LENGTH_MAX = 64;
/** Of its own, as names are met while others write. */
const SPELLER = new Writer();

/** A block begins with this: no table of ours, which a peer that made its own smaller waits to be told. */
export const BLOCK_START = 0x20;

export function pack(fields: readonly Packed[]): Uint8Array {
  const out = WRITER.begin().byte(BLOCK_START);
  for (const [name, value] of fields) packField(out, name, value);
  return out.take();
}

/** One field; its name goes out in lower case. */
export function packField(out: Writer, name: string, value: string): void {
  packValue(out, NAMES.get(name) ?? meet(name), value);
}

/** Fields but for those that have no place in HTTP/2. */
export function packFields(out: Writer, { flat }: Fields): void {
  for (let at = 0; at < flat.length; at += 2) {
    const spelled = flat[at] ?? "";
    const name = NAMES.get(spelled) ?? meet(spelled);
    // What an operator has set may have spaces around it, which HTTP/1.1 does not mind.
    if (!name.ofConnection) packValue(out, name, unpadded(flat[at + 1] ?? ""));
  }
}

function packValue(out: Writer, { lead, whole }: Name, value: string): void {
  const place = whole?.get(value);
  if (place !== undefined) return void out.byte(0x80 | place);
  out.text(lead);
  packLength(out, value.length);
  out.text(value);
}

function meet(spelled: string): Name {
  const name = nameOf(lowerName(spelled));
  if (NAMES.size < NAMES_MAX && spelled.length <= NAME_LENGTH_MAX) NAMES.set(spelled, name);
  return name;
}

function nameOf(name: string): Name {
  const first = STATIC.findIndex(([known]) => known === name);
  const out = SPELLER.begin();
  const mark = SECRET.has(name) ? 0x10 : 0;
  if (first < 0) {
    out.byte(mark);
    packLength(out, name.length);
    out.text(name);
  } else {
    packInteger(out, first + 1, 0x0f, mark);
  }
  const whole = new Map<string, number>();
  STATIC.forEach(([known, value], at) => {
    if (known === name && value !== "") whole.set(value, at + 1);
  });
  return {
    lead: latin1(out.take(), false),
    whole: whole.size > 0 ? whole : undefined,
    ofConnection: OF_CONNECTIONS.has(name),
  };
}

function packLength(out: Writer, length: number): void {
  packInteger(out, length, 0x7f, 0);
}

/** A number that begins in the low bits of a byte whose others are marks (RFC 7541 section 5.1). */
function packInteger(out: Writer, value: number, limit: number, marks: number): void {
  if (value < limit) return void out.byte(marks | value);
  out.byte(marks | limit);
  let rest = value - limit;
  for (; rest >= 0x80; rest >>>= 7) out.byte((rest & 0x7f) | 0x80);
  out.byte(rest);
}
