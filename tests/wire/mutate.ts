/**
 * Makes hostile inputs out of valid ones, the same for the same seed: bytes and pieces are changed, dropped,
 * doubled and swapped, mostly where framing hangs on them.
 */
import type { Input } from "./llhttp.ts";
import { bytesOf, type Kind } from "./transcript.ts";

const HOST = "Host: a.test\r\n";

const REQUESTS = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET /a/../b?c=%20&d HTTP/1.1\r\n${HOST}Accept: */*\r\nX-A: 1\r\nx-a: 2\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${HOST}Content-Length: 11\r\n\r\nhello worldGET /2 HTTP/1.1\r\n${HOST}\r\n`,
  `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n` +
  `a;n="q;\\"";m\r\n0123456789\r\n00\r\nX-T: v\r\nX-U:\r\n\r\nPUT /q HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`,
  `GET http://b.test:8080/x?y HTTP/1.1\r\n${HOST}Connection: keep-alive, X-A\r\nX-A: b\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  `GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /old HTTP/1.0\r\n\r\n`,
  `POST /w HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc\r\nHEAD / HTTP/1.1\r\n${HOST}\r\n`,
  `GET /ws HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n`,
  `DELETE /d HTTP/1.1\r\nhost:[::1]:80\r\nCONTENT-LENGTH:2\r\n\r\nxyPATCH /e HTTP/1.1\r\n${HOST}\r\n`,
];

const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: v\r\n\r\nHTTP/1.1 304 X\r\nETag: a\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
  "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
  "HTTP/1.1 404 Pas trouv\xe9\r\nX: \xe9\xff\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00",
  "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nhi",
];

/** Pieces on whose reading parsers are known to differ. */
const PIECES = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  " ",
  "\t",
  "\0",
  "\x0b",
  "\x0c",
  "\x7f",
  "\x80",
  "\xa0",
  "\xff",
  ":",
  ";",
  ",",
  "=",
  '"',
  "\\",
  "#",
  "?",
  "/",
  "*",
  "@",
  "[",
  "]",
  "%",
  "+",
  "-",
  "0",
  "1",
  "f",
  "F",
  "x",
  "0x",
  "00",
  "ffffffffffffffff",
  "10000000000000000",
  "99999999999999999999",
  "9007199254740993",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Content-Length : 5\r\n",
  "Content-Length: 5, 5\r\n",
  "Content-Length: +5\r\n",
  "Content-Length: -1\r\n",
  "content-length:\t3\r\n",
  "Content-Length:\r\n",
  "Transfer-Encoding: chunked\r\n",
  "transfer-encoding:chunked\r\n",
  "Transfer-Encoding: \r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: chunked, gzip\r\n",
  "chunked",
  "CHUNKED",
  "Transfer-Encoding: identity\r\n",
  "Transfer-Encoding: xchunked\r\n",
  "Transfer-Encoding:\x0bchunked\r\n",
  "Host: b.test\r\n",
  "Host:\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Upgrade: h2c\r\n",
  "Connection: Upgrade, HTTP2-Settings\r\n",
  " folded\r\n",
  "\tfolded\r\n",
  "X: y\r\n",
  "X : y\r\n",
  ":v\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/0.9",
  "HTTP/2.0",
  "HTTP/1.2",
  " HTTP/1.1\r\n",
  "GET / HTTP/1.1\r\n\r\n",
  "0\r\n\r\n",
  "0\r\n",
  "1\r\nx\r\n",
  "5;\r\n",
  "5 \r\n",
  "5;a\r\nhello\r\n",
  ';a="\r\n"',
  ";a=b",
];

export interface Chance {
  /** A whole number from 0 (included) to `below` (excluded). */
  below(below: number): number;
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  return {
    below(below) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ state >>> 15, state | 1);
      mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
      return ((mixed ^ mixed >>> 14) >>> 0) % below;
    },
  };
}

/** A valid connection with a few things done to it. */
export function hostile(dice: Chance): Input {
  const asked = dice.below(5) < 3;
  const texts = asked ? REQUESTS : RESPONSES;
  let text = pick(texts, dice);
  if (dice.below(4) === 0) text += pick(texts, dice);
  for (let count = dice.below(4); count >= 0; count--) text = mutate(text, texts, dice);
  const kind: Kind = asked ? "requests" : dice.below(6) === 0 ? "responses to HEAD" : "responses";
  return { kind, bytes: bytesOf(text) };
}

function mutate(text: string, texts: readonly string[], dice: Chance): string {
  const at = dice.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + dice.below(8));
  switch (dice.below(9)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + 1);
    case 2:
      return text.slice(0, end) + text.slice(at);
    case 3:
      return text.slice(0, at) + pick(PIECES, dice) + text.slice(end);
    case 4:
    case 5:
      return text.slice(0, at) + pick(PIECES, dice) + text.slice(at);
    case 6:
      return afterLine(text, at, pick(PIECES, dice));
    case 7:
      return swapCase(text, at);
    default:
      return text.slice(0, at) + pick(texts, dice).slice(dice.below(40));
  }
}

/** Puts a piece where the next line begins, which is where fields and chunks are. */
function afterLine(text: string, from: number, piece: string): string {
  const at = text.indexOf("\r\n", from);
  return at < 0 ? text + piece : text.slice(0, at + 2) + piece + text.slice(at + 2);
}

function swapCase(text: string, at: number): string {
  const letter = text.slice(at, at + 1);
  const swapped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  return text.slice(0, at) + swapped + text.slice(at + 1);
}

function pick<Item>(items: readonly Item[], dice: Chance): Item {
  const item = items[dice.below(items.length)];
  if (item === undefined) throw new RangeError("Nothing to pick from");
  return item;
}

/** Cuts the bytes into up to `pieces` chunks at random places. */
export function cut(bytes: Uint8Array, pieces: number, dice: Chance): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let start = 0;
  for (let count = 1; count < pieces && start < bytes.length; count++) {
    const end = start + 1 + dice.below(bytes.length - start);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  if (start < bytes.length) chunks.push(bytes.subarray(start));
  return chunks;
}
