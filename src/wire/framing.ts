/**
 * Where a body ends, both ways: which framing a message has, the decoder for it, and the bytes
 * that frame what we send (RFC 9112 sections 6 and 7). Pure; connections are the callers' business.
 */
import type { Fields } from "../fields.ts";
import { type BodyDecoder, type BodyLimits, LengthBody, UntilCloseBody } from "./body.ts";
import { CR, latin1Bytes, LF } from "./bytes.ts";
import { ChunkedBody } from "./chunked.ts";
import type { Declared } from "./control.ts";

export type Framing = Declared | { readonly kind: "close" };

const NONE: Framing = { kind: "none" };
const CLOSE: Framing = { kind: "close" };

/**
 * How the body of a response ends (RFC 9112 section 6.3). The method is that of the request it answers; some
 * answers have no body whatever their head declares.
 */
export function responseFraming(method: string, status: number, declared: Declared): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return NONE;
  if (method === "CONNECT" && status < 300) return NONE;
  return declared.kind === "none" ? CLOSE : declared;
}

/** Takes the framing off a body; undefined when there is no body. */
export function bodyDecoder(framing: Framing, limits: BodyLimits): BodyDecoder | undefined {
  switch (framing.kind) {
    case "none":
      return undefined;
    case "length":
      return new LengthBody(framing.lengthBytes);
    case "chunked":
      return new ChunkedBody(limits);
    case "close":
      return new UntilCloseBody();
  }
}

const LAST_CHUNK = latin1Bytes("0\r\n\r\n");

/** Its size as a chunk says it. An empty chunk would end the body, so there is none. */
function chunkSize(lengthBytes: number): string {
  if (!(lengthBytes > 0)) {
    throw new RangeError(
      `Cannot frame a chunk as its length must be > 0: length is ${lengthBytes}`,
    );
  }
  return lengthBytes.toString(16);
}

/** A whole chunk in one piece: for small data, where a copy costs less than three writes. */
export function wholeChunk(data: Uint8Array): Uint8Array {
  const size = chunkSize(data.length);
  const start = size.length + 2;
  const end = start + data.length;
  const chunk = new Uint8Array(end + 2);
  for (let at = 0; at < size.length; at++) chunk[at] = size.charCodeAt(at);
  chunk[start - 2] = chunk[end] = CR;
  chunk[start - 1] = chunk[end + 1] = LF;
  chunk.set(data, start);
  return chunk;
}

/** The end of a chunked body, with trailers as a decoder gave them. */
export function lastChunk(trailers: Fields | undefined): Uint8Array {
  if (trailers === undefined || trailers.size === 0) return LAST_CHUNK;
  let text = "0\r\n";
  for (const [name, value] of trailers) text += `${name}: ${value}\r\n`;
  return latin1Bytes(`${text}\r\n`);
}
