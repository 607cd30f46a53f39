/**
 * What the placeholders of templates stand for. Whatever is not known at the moment it is asked for
 * is empty. Pure.
 */
import type { Member, Pool, UpstreamResponse } from "../model.ts";
import { reasonOf } from "../reasons.ts";
import type { Placeholder, Template } from "../rules.ts";
import { pathOf, type Visit } from "./visit.ts";

export type Placeholders = (placeholder: Placeholder) => string;

/** An upstream that a request is at, and what it has answered if it has. */
export interface Place {
  readonly pool: Pool;
  readonly member: Member;
  readonly response?: UpstreamResponse;
  readonly latencyMs?: number;
  readonly retries?: number;
}

/** The values for one request, at an upstream unless it is at none. */
export function placeholders(visit: Visit, place: Place | undefined = visit.heard): Placeholders {
  return (placeholder) => {
    const ofRequest = requestValue(placeholder, visit);
    return ofRequest ?? (place === undefined ? "" : placeValue(placeholder, place));
  };
}

/** Values out of heads, which hold a byte in each character; all others are text. */
const OF_BYTES: ReadonlySet<string> = new Set(["header", "cookie", "response"]);

/** A text with all placeholders filled in, as it comes: line breaks included. */
export function fill(template: Template, values: Placeholders): string {
  let text = "";
  for (const part of template) {
    if (typeof part === "string") text += part;
    else text += OF_BYTES.has(part.name) ? textOf(values(part)) : values(part);
  }
  return text;
}

/** As `fill`, on one line. */
export function line(template: Template, values: Placeholders): string {
  return clean(fill(template, values));
}

/**
 * As `line`, for a header field, of which each character is one byte. A character of more bits would
 * lose them on its way out, and `%C4%8A` in a query become a line break: another field of a client's
 * choosing.
 */
export function render(template: Template, values: Placeholders): string {
  let bytes = "";
  for (const part of template) {
    if (typeof part === "string") bytes += bytesOf(part);
    else bytes += OF_BYTES.has(part.name) ? values(part) : bytesOf(values(part));
  }
  return clean(bytes);
}

export function clean(value: string): string {
  // deno-lint-ignore no-control-regex
  return value.replace(/[\0\r\n]/g, "");
}

function requestValue({ name, of = "" }: Placeholder, visit: Visit): string | undefined {
  const { exchange, original } = visit;
  switch (name) {
    case "client_ip":
      return visit.client.ip;
    case "remote_ip":
      return exchange.peer.ip;
    case "remote_port":
      return String(exchange.peer.port);
    case "host":
      return visit.host;
    case "hostname":
      return visit.hostname;
    case "port":
      return String(portOf(visit));
    case "scheme":
      return exchange.scheme;
    case "proto":
      return exchange.proto;
    case "method":
      return exchange.method;
    case "uri":
      return exchange.target;
    case "path":
      return pathOf(exchange.target);
    case "decoded_path":
      return decoded(pathOf(exchange.target));
    case "query":
      return of === "" ? visit.query : visit.params.getAll(of).join(",");
    case "original_method":
      return original.method;
    case "original_uri":
      return original.target;
    case "original_path":
      return pathOf(original.target);
    case "original_decoded_path":
      return decoded(pathOf(original.target));
    case "request_id":
      return visit.requestId;
    case "user":
      return visit.user ?? "";
    case "tls_version":
      return exchange.tls?.version ?? "";
    case "tls_cipher":
      return exchange.tls?.cipher ?? "";
    case "tls_name":
      return exchange.tls?.name ?? "";
    case "tls_protocol":
      return exchange.tls?.protocol ?? "";
    case "tls_client_subject":
      return visit.provenClient?.subject ?? "";
    case "tls_client_issuer":
      return visit.provenClient?.issuer ?? "";
    case "tls_client_serial":
      return visit.provenClient?.serial ?? "";
    case "tls_client_fingerprint":
      return visit.provenClient?.fingerprint ?? "";
    case "error_status":
      return visit.error === undefined ? "" : String(visit.error.status);
    case "error_status_text":
      return visit.error === undefined ? "" : reasonOf(visit.error.status);
    case "error_text":
      return visit.error?.text ?? "";
    case "header":
      return visit.fields.joined(of) ?? "";
    case "cookie":
      return cookieOf(visit.fields.joined("cookie") ?? "", of);
    case "segment":
      return visit.path.split("/")[Number(of) + 1] ?? "";
    case "label":
      return visit.hostname.split(".").at(-1 - Number(of)) ?? "";
    case "re":
      return visit.group(of);
    case "var":
      return visit.variable(of) ?? "";
    default:
      return undefined;
  }
}

function placeValue({ name, of = "" }: Placeholder, place: Place): string {
  const { member: { upstream, standing }, pool, response, latencyMs, retries } = place;
  const { address } = upstream;
  switch (name) {
    case "upstream":
      return upstream.name;
    case "upstream_host":
      return upstream.authority;
    case "upstream_hostname":
      return address.kind === "tcp" ? address.host : "";
    case "upstream_port":
      return address.kind === "tcp" ? String(address.port) : "";
    case "upstream_requests":
      return String(standing.inFlight);
    case "upstream_fails":
      return String(standing.fails);
    case "upstream_max_requests": {
      const most = Math.min(upstream.requestsMax, pool.rules.passive.requestsMax);
      return Number.isFinite(most) ? String(most) : "0";
    }
    // A body has not passed yet when a head is written, so that far the whole is the latency.
    case "upstream_latency":
    case "upstream_duration":
      return latencyMs === undefined ? "" : spelled(latencyMs);
    case "upstream_latency_ms":
    case "upstream_duration_ms":
      return latencyMs === undefined ? "" : latencyMs.toFixed(3);
    case "retries":
      return retries === undefined ? "" : String(retries);
    case "status":
      return response === undefined ? "" : String(response.status);
    case "status_text":
      return response === undefined ? "" : response.reason || reasonOf(response.status);
    case "response":
      return response?.fields.joined(of) ?? "";
    default:
      return "";
  }
}

/** Our own port; where the engine does not tell, the one that the client says it asked. */
export function portOf({ exchange, host }: Pick<Visit, "exchange" | "host">): number {
  const [, port] = /:(\d+)$/.exec(host) ?? [];
  return exchange.localPort ?? Number(port ?? (exchange.scheme === "https" ? 443 : 80));
}

function cookieOf(cookies: string, wanted: string): string {
  for (const pair of cookies.split(/[;,]\s*/)) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals) === wanted) return pair.slice(equals + 1);
  }
  return "";
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

// deno-lint-ignore no-control-regex
const ASCII = /^[\0-\x7f]*$/;

/** UTF-8 in a byte a character. */
function bytesOf(text: string): string {
  if (ASCII.test(text)) return text;
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** Bytes as the text they are, if they are UTF-8. */
function textOf(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  try {
    const raw = Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return bytes;
  }
}

/** A duration as Go writes it. */
function spelled(ms: number): string {
  return ms < 1000 ? `${Number(ms.toFixed(3))}ms` : `${Number((ms / 1000).toFixed(6))}s`;
}
