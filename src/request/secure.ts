/**
 * What TLS means for a request: whether it came where it may be answered, what its client must have
 * shown, what browsers are told. Who holds which certificate, `tls/` knows.
 */
import { parseIp } from "../ip.ts";
import { Fields } from "../fields.ts";
import type { Exchange, Reply } from "../model.ts";
import { bareHost } from "../names.ts";
import type { Route } from "../rules.ts";
import { sourceOf } from "../source.ts";
import type { Client } from "./client.ts";
import type { Edge } from "./deps.ts";
import { emptyReply } from "./replies.ts";

/** A request in the clear, and where to. */
export interface Coming {
  readonly exchange: Exchange;
  readonly client: Client;
  /** The `Host` as sent, and the host it names. */
  readonly host: string;
  readonly hostname: string;
  readonly requestId: string;
}

/** What is known of a connection that speaks TLS. */
type Tls = NonNullable<Exchange["tls"]>;

const PROOF_PATH = "/.well-known/acme-challenge/";
const HTTPS_PORT = 443;

/** The answer to an authority that looks for its token (RFC 8555 section 8.3); undefined for all other requests. */
export function proofReply({ scheme, method, target }: Exchange, edge: Edge): Reply | undefined {
  if (scheme !== "http" || !target.startsWith(PROOF_PATH) || method !== "GET") return undefined;
  const proof = edge.proof(target.slice(PROOF_PATH.length));
  if (proof === undefined) return undefined;
  const bytes = new TextEncoder().encode(proof);
  const fields = Fields.from([
    ["Content-Type", "application/octet-stream"],
    ["Content-Length", String(bytes.length)],
  ]);
  return { status: 200, reason: "", fields, body: sourceOf(bytes), tunnel: undefined };
}

/** Sends a request on to where TLS is spoken; undefined where it may be answered as it came. */
export function wayToTls(
  { exchange, client, host, hostname, requestId }: Coming,
  { tls, ports }: Pick<Route, "tls" | "ports">,
  edge: Edge,
): Reply | undefined {
  if (exchange.scheme === "https") return undefined;
  const isMisplaced = exchange.misplaced === true;
  if (!isMisplaced && (tls.inTheClear === "answer" || cameSecured(exchange, client))) {
    return undefined;
  }
  if (!edge.secures(bareHost(hostname))) {
    return isMisplaced ? emptyReply(400, { requestId, close: true }) : undefined;
  }
  const { localPort = 0 } = exchange;
  // Before us the port may be another one, which the client alone knows.
  const [, named] = /:(\d+)$/.exec(host) ?? [];
  const port = edge.ports.has(localPort) ? Number(named ?? localPort) : portFor(ports, edge);
  const place = port === HTTPS_PORT ? hostname : `${hostname}:${port}`;
  const target = exchange.target.startsWith("/") ? exchange.target : "/";
  const fields = Fields.from([
    ["Location", `https://${place}${target}`],
    ["Content-Length", "0"],
    ["Connection", "close"],
  ]);
  // 308 as Caddy does: the method stays what it was.
  return { status: 308, reason: "", fields, body: undefined, tunnel: undefined };
}

/** Where a route answers with TLS: where most do, unless it is not among them. */
function portFor(ports: readonly number[], edge: Edge): number {
  const [usual = edge.port] = edge.ports;
  if (ports.length === 0 || ports.includes(usual)) return edge.port;
  return ports.find((port) => edge.ports.has(port)) ?? edge.port;
}

/** The client's certificate, where the route's own authorities judged it good. */
export function provenClient(
  { tls }: Pick<Exchange, "tls">,
  { tls: { clientAuth } }: Pick<Route, "tls">,
): Tls["client"] {
  if (tls === undefined || clientAuth === undefined) return undefined;
  return isSame(tls.authorities, clientAuth.authorities) ? tls.client : undefined;
}

/** Turns away whom the route's authorities know nothing of; undefined lets the request in. */
export function unprovenReply(
  { exchange: { tls }, hostname, requestId }: Pick<Coming, "exchange" | "hostname" | "requestId">,
  route: Route,
): Reply | undefined {
  const { clientAuth } = route.tls;
  if (clientAuth === undefined) return undefined;
  // What a client showed for one host proves nothing to another: it was judged by that one's authorities.
  if (tls !== undefined && !isFor(tls, bareHost(hostname), route)) {
    return emptyReply(421, { requestId });
  }
  // Others judged it before a reload, and on another connection it may show something to these; or it asked
  // for no name, and would be judged by the same once more.
  if (tls !== undefined && !isSame(tls.authorities, clientAuth.authorities)) {
    if (tls.name !== undefined) return emptyReply(421, { requestId, close: true });
    return clientAuth.required ? emptyReply(403, { requestId, close: true }) : undefined;
  }
  const isKnown = tls?.client !== undefined;
  return isKnown || !clientAuth.required ? undefined : emptyReply(403, { requestId });
}

/** Whether a handshake for that name was one for this host. */
function isFor({ name, protocol }: Tls, host: string, { hosts }: Route): boolean {
  if (name !== undefined) return name === host;
  // Over HTTP/3 nobody can be asked.
  return protocol !== "h3" && (hosts.includes("*") || parseIp(host) !== undefined);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, at) => one === others[at]);
}

/** Whether a connection was made by rules that a reload has made stricter since. */
export function isOutdated(tls: Exchange["tls"], edge: Edge | undefined): boolean {
  return edge?.minVersion === "1.3" && tls?.version === "TLSv1.2";
}

/** Whether a proxy that is believed says that its client spoke TLS with it. */
function cameSecured({ fields }: Exchange, { viaTrusted }: Client): boolean {
  return viaTrusted && fields.get("x-forwarded-proto")?.toLowerCase() === "https";
}
