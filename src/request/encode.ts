/**
 * Compresses answers for clients that take it, chunk by chunk, each sent on at once. Leaves alone
 * what is compressed already, what is a part or a stream of events, and what has no body.
 */
import type { Fields } from "../fields.ts";
import type { ByteSource, Reply } from "../model.ts";
import type { CompressionFormat, Compressor } from "../platform/platform.ts";
import type { Action } from "../rules.ts";
import type { World } from "./deps.ts";
import { matchesResponse } from "./match.ts";
import type { Visit } from "./visit.ts";

type Encode = Extract<Action, { kind: "encode" }>;

export function encoded(
  reply: Reply,
  action: Encode,
  visit: Visit,
  { compressor }: Pick<World, "compressor">,
): Reply {
  const { body, fields } = reply;
  if (!isEligible(reply, action, visit.original.method)) return reply;
  // Also where this client gets it plain: another one behind the same cache may not.
  vary(fields);
  const format = preferred(visit.fields.joined("accept-encoding") ?? "", action.formats);
  if (format === undefined) return reply;

  fields.set("Content-Encoding", format);
  for (const name of ["Content-Length", "Accept-Ranges", "Content-MD5"]) fields.delete(name);
  // RFC 9110 section 8.8.1: other bytes may not go by the same strong validator.
  fields.replace("ETag", (tag) => (tag.startsWith("W/") ? tag : `W/${tag}`));
  return { ...reply, body: body && compressed(body, compressor(format)) };
}

/** Streams whose every line somebody waits for. They are small and would be compressed badly. */
const STREAMS = /^\s*(?:text\/event-stream|application\/(?:x-ndjson|grpc))/i;

function isEligible(
  { status, fields, body, tunnel }: Reply,
  action: Encode,
  method: string,
): boolean {
  // RFC 9110 section 9.3.2: the head of HEAD is that of GET, whose body decides.
  if ((body === undefined && method !== "HEAD") || tunnel !== undefined) return false;
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  const lengthBytes = body?.lengthBytes ?? Number(fields.get("content-length") ?? Infinity);
  if (lengthBytes < action.leastBytes) return false;
  if (!/^(?:identity)?$/i.test(fields.joined("content-encoding") ?? "")) return false;
  if (/\bno-transform\b/i.test(fields.joined("cache-control") ?? "")) return false;
  if (STREAMS.test(fields.get("content-type") ?? "")) return false;
  return matchesResponse(action.match, { status, fields });
}

function vary(fields: Fields): void {
  const varies = fields.joined("vary") ?? "";
  if (!/(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(varies)) {
    fields.append("Vary", "Accept-Encoding");
  }
}

/** The format that the client likes best; among equals the operator's first. Undefined: plain. */
export function preferred(
  accepted: string,
  formats: readonly CompressionFormat[],
): CompressionFormat | undefined {
  const weights = new Map<string, number>();
  for (const entry of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const weight = parameters.find((one) => one.startsWith("q="))?.slice(2) ?? "1";
    if (name !== "") weights.set(name === "x-gzip" ? "gzip" : name, Number(weight) || 0);
  }
  // Plain is always acceptable, and preferred only where the client says so.
  let best: CompressionFormat | undefined;
  let most = weights.get("identity") ?? 0;
  for (const format of formats) {
    const weight = weights.get(format) ?? weights.get("*") ?? 0;
    if (weight > most || (weight === most && weight > 0 && best === undefined)) {
      best = format;
      most = weight;
    }
  }
  return best;
}

function compressed(source: ByteSource, compressor: Compressor): ByteSource {
  let ended = false;
  return {
    lengthBytes: undefined,
    async read() {
      try {
        while (!ended) {
          const chunk = await source.read();
          ended = chunk === undefined;
          const bytes = await (chunk === undefined ? compressor.end() : compressor.write(chunk));
          if (ended) compressor.close();
          if (bytes.length > 0) return bytes;
        }
        return undefined;
      } catch (error) {
        // Not an end: the client must see that something is missing.
        ended = false;
        compressor.close();
        throw error;
      }
    },
    get trailers() {
      return source.trailers;
    },
    cancel() {
      compressor.close();
      source.cancel();
    },
  };
}
