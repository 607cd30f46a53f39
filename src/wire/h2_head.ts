/**
 * Heads towards upstreams across the versions (RFC 9113 section 8): a request's fields as HTTP/2 spells them,
 * and what came back as the fields that everybody else here works with. Strict, as HTTP/1.1 will be made of it.
 */
import { Fields, lowerName } from "../fields.ts";
import type { Attempt } from "../model.ts";
import { holds, LOWER_TOKEN, TEXT, unpadded } from "./bytes.ts";
import type { Packed } from "./h2_hpack.ts";
import { mayBeTrailer, OF_CONNECTIONS } from "./names.ts";

/** The head of a request. Its authority is what `Host` says, and nothing else. */
export function requestHead({ upstream, method, target, fields }: Attempt): readonly Packed[] {
  const scheme = upstream.scheme === "https" ? "https" : "http";
  const head: Packed[] = [
    [":method", method],
    [":scheme", scheme],
    [":authority", fields.get("host") ?? upstream.authority],
    [":path", target],
  ];
  for (const [name, value] of fields) {
    const lower = lowerName(name);
    if (lower === "host" || lower === "te" || OF_CONNECTIONS.has(lower)) continue;
    head.push([lower, value]);
  }
  // Lost on the way as hop-by-hop; gRPC asks for it, and trailers do pass.
  const isGrpc = fields.get("content-type")?.toLowerCase().startsWith("application/grpc") ?? false;
  if (isGrpc) head.push(["te", "trailers"]);
  return head;
}

/** Trailers as they go out; what belongs in a head or to a connection stays out. */
export function trailersOut(trailers: Fields): readonly Packed[] {
  return [...trailers]
    .map(([name, value]) => [lowerName(name), value] as const)
    .filter(([name]) => !OF_CONNECTIONS.has(name) && name !== "te" && name !== "host");
}

export interface Head {
  readonly status: number;
  readonly fields: Fields;
  /** Undefined when it declares none. */
  readonly lengthBytes: number | undefined;
}

/** The head of a response, or in words why it is none. */
export function responseHead(packed: readonly Packed[]): Head | string {
  const [first, ...rest] = packed;
  if (first?.[0] !== ":status" || !/^[1-9]\d\d$/.test(first[1])) return "Head without a status";
  const fields = fieldsOf(rest);
  if (typeof fields === "string") return fields;
  const length = fields.joined("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return "Illegal Content-Length";
  const lengthBytes = length === undefined ? undefined : Number(length);
  return { status: Number(first[1]), fields, lengthBytes };
}

/** Trailers as they came, without those that none may bring; in words why they are none. */
export function trailersOf(packed: readonly Packed[]): Fields | undefined | string {
  const fields = fieldsOf(packed);
  if (typeof fields === "string") return fields;
  fields.deleteWhere((name) => !mayBeTrailer(name));
  return fields.size === 0 ? undefined : fields;
}

/** Fields without those that begin with a colon; in words what is wrong with them. */
function fieldsOf(packed: readonly Packed[]): Fields | string {
  const flat: string[] = [];
  for (const [name, value] of packed) {
    if (name === "" || !holds(name, LOWER_TOKEN)) return "Illegal field name";
    if (OF_CONNECTIONS.has(name)) return `Field "${name}", which HTTP/2 has not`;
    if (!holds(value, TEXT)) return "Illegal byte in a field value";
    flat.push(name, unpadded(value));
  }
  return Fields.fromFlat(flat);
}
