/**
 * Makes the fields that go on from the fields that came in, both ways: hop-by-hop ones end here,
 * forwarding ones are added, the operator's rules are applied last. Pure.
 */
import { Fields, lowerName, sameName } from "../fields.ts";
import type { Exchange, Member, Pool } from "../model.ts";
import type { HeaderRules, Upstream } from "../rules.ts";
import type { Client } from "./client.ts";
import type { Answer } from "./ending.ts";
import { clean, type Placeholders, placeholders, render } from "./placeholders.ts";
import type { Visit } from "./visit.ts";

export interface Forwarding {
  readonly visit: Visit;
  /** What upstreams are asked: the visit's own, unless their pool rewrites it. */
  readonly exchange: Exchange;
  /** As this pool sees it: it may trust more peers than others do. */
  readonly client: Client;
}

/**
 * Fields that belong to one connection: RFC 9110 section 7.6.1, and with Caddy those that RFC 2616
 * listed or that name the other hop's own offers. `Te: trailers` and `Upgrade` come back below.
 */
const HOP_BY_HOP = new Set([
  "alt-svc",
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** RFC 9110 section 7.6.3: the version in which a message came here, and our pseudonym. */
const via = (version: string): string => `${version} understudy`;

/** The request's fields for one upstream. Made anew for every attempt, as rules may name the upstream. */
export function requestFields(
  { visit, exchange, client }: Forwarding,
  pool: Pool,
  member: Member,
): Fields {
  const { upstream } = member;
  const rules = pool.rules.headers.request;
  const fields = endToEnd(exchange.fields);
  fields.set("Host", hostFor(upstream, visit.host));

  const forwardedFor = client.viaTrusted ? fields.joined("x-forwarded-for") : undefined;
  const { ip } = exchange.peer;
  fields.set("X-Forwarded-For", forwardedFor === undefined ? ip : `${forwardedFor}, ${ip}`);
  if (!client.viaTrusted || !fields.has("x-forwarded-proto")) {
    fields.set("X-Forwarded-Proto", exchange.scheme);
  }
  if (!client.viaTrusted || !fields.has("x-forwarded-host")) {
    fields.set("X-Forwarded-Host", visit.host);
  }
  fields.append("Via", via(exchange.proto.slice("HTTP/".length)));

  if (isEmpty(rules) && upstream.headers.length === 0) return fields;
  const values = placeholders(visit, { pool, member });
  edit(fields, rules, values);
  for (const { name, value } of upstream.headers) fields.set(name, render(value, values));
  return fields;
}

/** The fields of an upstream's answer for the client. */
export function responseFields(answer: Answer, visit: Visit): Fields {
  const rules = answer.pool.rules.headers.response;
  const fields = endToEnd(answer.response.fields);
  fields.append("Via", via(answer.member.upstream.scheme === "h2c" ? "2.0" : "1.1"));
  if (!isEmpty(rules)) edit(fields, rules, placeholders(visit, answer));
  if (answer.cookie !== undefined) fields.append("Set-Cookie", answer.cookie);
  return fields;
}

/** Applies the operator's rules to a head. */
export function edit(fields: Fields, rules: HeaderRules, values: Placeholders): void {
  if (rules.remove.length > 0) {
    fields.deleteWhere((name) => rules.remove.some((pattern) => fits(name, pattern)));
  }
  for (const rule of rules.replace) {
    // Only the operator's own `$1` refers to a group, not one that a client put into its path.
    const replacement = render(rule.with, (name) => values(name).replaceAll("$", "$$$$"));
    fields.replace(rule.name, (value) => clean(value.replace(rule.search, replacement)));
  }
  for (const { name, value } of rules.set) fields.set(name, render(value, values));
  for (const { name, value } of rules.add) fields.append(name, render(value, values));
  for (const { name, value } of rules.fallback) {
    if (!fields.has(name)) fields.append(name, render(value, values));
  }
}

export function isEmpty({ remove, replace, set, add, fallback }: HeaderRules): boolean {
  return remove.length + replace.length + set.length + add.length + fallback.length === 0;
}

/**
 * A copy without the fields that end at this hop, those named in `Connection` included. Not so
 * `Content-Length`: whoever could take it away could move the end of the body.
 */
export function endToEnd(fields: Fields): Fields {
  const { flat } = fields;
  const kept: string[] = [];
  let ended = false;
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] ?? "";
    if (HOP_BY_HOP.has(lowerName(name))) ended = true;
    else kept.push(name, flat[at + 1] ?? "");
  }
  const copy = Fields.fromFlat(kept);
  return ended ? withoutNominated(copy, fields) : copy;
}

function withoutNominated(copy: Fields, fields: Fields): Fields {
  const connection = fields.joined("connection")?.toLowerCase() ?? "";
  if (connection !== "" && connection !== "keep-alive" && connection !== "close") {
    const nominated = connection.split(",").map((name) => name.trim());
    copy.deleteWhere((name) => {
      const lower = lowerName(name);
      return lower !== "content-length" && nominated.includes(lower);
    });
  }
  // RFC 9110 section 10.1.4: the one part of TE that an intermediary may pass on for itself.
  if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(fields.joined("te") ?? "")) {
    copy.append("Te", "trailers");
  }
  return copy;
}

/**
 * A copy to edit before the request goes on. What the client nominates in `Connection` goes now: later
 * it could name what the operator put there.
 */
export function editable(fields: Fields): Fields {
  const nominated = (fields.joined("connection") ?? "").split(",").map((name) => name.trim());
  const ownNames = nominated.filter((name) => !isOfHop(name));
  const copy = fields.clone();
  if (ownNames.length === 0) return copy;
  copy.deleteWhere((name) =>
    lowerName(name) !== "content-length" && ownNames.some((own) => sameName(own, name))
  );
  copy.set("Connection", nominated.filter(isOfHop).join(", "));
  return copy;
}

/** Options of a connection, and fields that end with it anyway. */
function isOfHop(name: string): boolean {
  return name === "" || sameName(name, "close") || HOP_BY_HOP.has(name.toLowerCase());
}

function hostFor({ hostHeader, authority }: Upstream, clientHost: string): string {
  switch (hostHeader.kind) {
    case "client":
      return clientHost;
    case "upstream":
      return authority;
    case "literal":
      return hostHeader.value;
  }
}

function fits(name: string, pattern: string): boolean {
  const lower = name.toLowerCase();
  const wanted = pattern.toLowerCase();
  const core = wanted.replace(/^\*|\*$/g, "");
  if (wanted.startsWith("*") && wanted.endsWith("*")) return lower.includes(core);
  if (wanted.startsWith("*")) return lower.endsWith(core);
  if (wanted.endsWith("*")) return lower.startsWith(core);
  return sameName(name, pattern);
}
