/**
 * Turns the account of an exchange into a line of the access log. Field names are Caddy's, so that
 * its tools read on; ours come after them. Credentials never get here in the clear.
 */
import type { Fields } from "../fields.ts";
import type { Account, Refusal } from "../model.ts";
import type { ConnectionTls } from "../platform/tls.ts";
import type { LogLevel } from "../rules.ts";
import { type Line, type Paint, visible } from "./log.ts";

const REDACTED = '"REDACTED"';

/** Fields whose values are credentials. Caddy hides the first four. */
const SECRET_FIELDS = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie",
  "api-key",
  "x-api-key",
  "x-auth-token",
]);

/** Query parameters that carry credentials by custom. */
const SECRET_PARAMETER =
  /([?&](?:access_token|api[_-]?key|key|password|secret|sig|signature|token)=)[^&#]*/gi;

export function accessLevel({ status }: Account): LogLevel {
  return status >= 500 ? "error" : "info";
}

/** The line for one exchange. */
export function accessLine(account: Account): Line {
  return {
    level: accessLevel(account),
    logger: "http.log.access",
    msg: "handled request",
    json: () => accessJson(account),
    text: (paint) => accessText(account, paint),
  };
}

/** The line for what was refused before it was a request. */
export function refusalLine({ peer, status, reason }: Refusal): Line {
  return {
    level: "info",
    logger: "http.log.access",
    msg: "refused request",
    json: () =>
      `"request":{"remote_ip":${quoted(peer.ip)},"remote_port":"${peer.port}"}` +
      `,"status":${status},"outcome":"refused","reason":${quoted(reason)}`,
    text: (paint) => `${paint("yellow", String(status))} refused  ${peer.ip}  ${reason}`,
  };
}

/** Written by hand, as a tree of objects for each line costs several times what the line does. */
function accessJson(account: Account): string {
  const { exchange, failures, routeId, upstream } = account;
  const request = `{"remote_ip":${quoted(exchange.peer.ip)},"remote_port":"${exchange.peer.port}"` +
    `,"client_ip":${quoted(account.clientIp)},"proto":${quoted(exchange.proto)}` +
    `,"method":${quoted(exchange.method)},"host":${quoted(exchange.fields.get("host") ?? "")}` +
    `,"uri":${quoted(redactedUri(exchange.target))},"headers":${redacted(exchange.fields)}` +
    (exchange.tls === undefined ? "}" : `,"tls":${tlsJson(exchange.tls)}}`);
  return `"request":${request},"bytes_read":${account.readBytes}` +
    `,"duration":${account.durationMs / 1000},"size":${account.bodyBytes}` +
    `,"status":${account.status}` +
    `,"resp_headers":${account.replyFields === undefined ? "{}" : redacted(account.replyFields)}` +
    (routeId === undefined ? "" : `,"route":${quoted(routeId)}`) +
    (upstream === undefined ? "" : `,"upstream":${quoted(upstream)}`) +
    (account.user === undefined ? "" : `,"user":${quoted(account.user)}`) +
    `,"attempts":${account.attempts},"outcome":"${account.outcome}"` +
    `,"request_id":${quoted(account.requestId)}` +
    (failures.length === 0 ? "" : `,"failures":${JSON.stringify(failures)}`);
}

/** Numbers of versions and cipher suites as Go logs them (RFC 8446 sections 4.2.1 and B.4, RFC 5289, RFC 7905). */
const TLS_VERSIONS = new Map([["TLSv1.2", 0x0303], ["TLSv1.3", 0x0304]]);
const CIPHER_SUITES = new Map([
  ["TLS_AES_128_GCM_SHA256", 0x1301],
  ["TLS_AES_256_GCM_SHA384", 0x1302],
  ["TLS_CHACHA20_POLY1305_SHA256", 0x1303],
  ["ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b],
  ["ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c],
  ["ECDHE-RSA-AES128-GCM-SHA256", 0xc02f],
  ["ECDHE-RSA-AES256-GCM-SHA384", 0xc030],
  ["ECDHE-RSA-CHACHA20-POLY1305", 0xcca8],
  ["ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9],
]);

/** What is known of a connection, under Caddy's names. Whether it was resumed, the runtimes do not tell. */
function tlsJson({ version, cipher, protocol, name }: ConnectionTls): string {
  const versionNumber = TLS_VERSIONS.get(version);
  const suite = CIPHER_SUITES.get(cipher);
  const members = (versionNumber === undefined ? "" : `,"version":${versionNumber}`) +
    (suite === undefined ? "" : `,"cipher_suite":${suite}`) +
    (protocol === undefined ? "" : `,"proto":${quoted(protocol)}`) +
    (name === undefined ? "" : `,"server_name":${quoted(name)}`);
  return `{${members.slice(1)}}`;
}

/** Names with the list of their values, as Caddy and Go print them, in JSON. */
export function redacted({ flat }: Fields): string {
  let text = "{";
  for (let at = 0; at < flat.length; at += 2) {
    const shown = shownAs(flat[at] ?? "");
    if (isRepeated(flat, at, shown.json)) continue;
    text += at === 0 ? shown.json : `,${shown.json}`;
    text += shown.secret ? REDACTED : quoted(flat[at + 1] ?? "");
    for (let next = at + 2; next < flat.length; next += 2) {
      if (shownAs(flat[next] ?? "").json !== shown.json) continue;
      text += shown.secret ? `,${REDACTED}` : `,${quoted(flat[next + 1] ?? "")}`;
    }
    text += "]";
  }
  return `${text}}`;
}

/** Whether the name came earlier, and its values were listed there. */
function isRepeated(flat: readonly string[], at: number, json: string): boolean {
  for (let before = 0; before < at; before += 2) {
    if (shownAs(flat[before] ?? "").json === json) return true;
  }
  return false;
}

/** How a field of some name is shown. */
interface Shown {
  /** `"X-Forwarded-For":[` */
  readonly json: string;
  readonly secret: boolean;
}

/** By the name as sent. Bounded, as clients make names up. */
const SHOWN = new Map<string, Shown>();
const SHOWN_MAX = 2000;

function shownAs(name: string): Shown {
  const known = SHOWN.get(name);
  if (known !== undefined) return known;
  const spelled = canonical(name);
  const shown = { json: `${quoted(spelled)}:[`, secret: SECRET_FIELDS.has(spelled.toLowerCase()) };
  if (SHOWN.size < SHOWN_MAX && name.length <= 64) SHOWN.set(name, shown);
  return shown;
}

/** What JSON must spell otherwise, lone surrogates included. */
const SPECIAL = /[^\x20-\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]/;

function quoted(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

export function redactedUri(uri: string): string {
  return uri.includes("?") ? uri.replace(SECRET_PARAMETER, "$1REDACTED") : uri;
}

/** `x-forwarded-for` → `X-Forwarded-For`: one spelling, whoever sent it. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** What a line for people tells of an exchange. */
export interface AccessWords extends
  Pick<
    Account,
    "status" | "upstream" | "user" | "outcome" | "durationMs" | "bodyBytes" | "failures"
  > {
  readonly method: string;
  readonly host: string;
  /** Credentials taken out. */
  readonly uri: string;
}

function accessText(account: Account, paint: Paint): string {
  const { exchange: { method, fields, target } } = account;
  const { status, upstream, user, outcome, durationMs, bodyBytes, failures } = account;
  return accessWords({
    ...{ status, upstream, user, outcome, durationMs, bodyBytes, failures, method },
    host: fields.get("host") ?? "",
    uri: redactedUri(target),
  }, paint);
}

/** The line for one exchange as people read it, but for its time. */
export function accessWords(words: AccessWords, paint: Paint): string {
  const { status, failures, user, outcome } = words;
  const colour = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
  const story = failures.length > 0 ? `  after ${visible(failures.join(", "))}` : "";
  const who = user === undefined ? "" : `  by ${visible(user)}`;
  const how = who + (outcome === "answered" ? "" : `  ${outcome}`);
  return [
    paint(colour, String(status)),
    words.method.padEnd(4),
    visible(`${words.host || "-"}${words.uri}`),
    paint("dim", "→"),
    words.upstream ?? "nobody",
    paint("dim", `${duration(words.durationMs)}, ${size(words.bodyBytes)}`),
  ].join(" ") + how + paint("dim", story);
}

function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3
    ? `${(bytes / 1024 ** 2).toFixed(1)} MiB`
    : `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
}
