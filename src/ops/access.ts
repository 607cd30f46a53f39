/**
 * Turns the account of an exchange into a line of the access log. Field names are Caddy's, so that
 * its tools read on; ours come after them. Credentials never get here in the clear.
 */
import type { Fields } from "../fields.ts";
import type { Account } from "../model.ts";
import type { LogLevel } from "../rules.ts";
import { type Line, type LogFields, type Paint, visible } from "./log.ts";

const REDACTED = "REDACTED";

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
    fields: () => accessFields(account),
    text: (paint) => accessText(account, paint),
  };
}

function accessFields(account: Account): LogFields {
  const { exchange } = account;
  return {
    request: {
      remote_ip: exchange.peer.ip,
      remote_port: String(exchange.peer.port),
      client_ip: account.clientIp,
      proto: exchange.proto,
      method: exchange.method,
      host: exchange.fields.get("host") ?? "",
      uri: redactedUri(exchange.target),
      headers: redacted(exchange.fields),
    },
    bytes_read: account.readBytes,
    duration: account.durationMs / 1000,
    size: account.bodyBytes,
    status: account.status,
    resp_headers: account.replyFields ? redacted(account.replyFields) : {},
    route: account.routeId,
    upstream: account.upstream,
    attempts: account.attempts,
    outcome: account.outcome,
    request_id: account.requestId,
    failures: account.failures.length > 0 ? account.failures : undefined,
  };
}

/** Names with the list of their values, as Caddy and Go print them. */
export function redacted(fields: Fields): Record<string, string[]> {
  // Without a prototype: a client may well call a field "__proto__".
  const all: Record<string, string[]> = Object.create(null);
  for (const [name, value] of fields) {
    const shown = canonical(name);
    (all[shown] ??= []).push(SECRET_FIELDS.has(name.toLowerCase()) ? REDACTED : value);
  }
  return all;
}

export function redactedUri(uri: string): string {
  return uri.includes("?") ? uri.replace(SECRET_PARAMETER, `$1${REDACTED}`) : uri;
}

/** `x-forwarded-for` → `X-Forwarded-For`: one spelling, whoever sent it. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

function accessText(account: Account, paint: Paint): string {
  const { exchange, status } = account;
  const colour = status >= 500 ? "red" : status >= 400 ? "yellow" : "green";
  const { failures } = account;
  const story = failures.length > 0 ? `  after ${visible(failures.join(", "))}` : "";
  const how = account.outcome === "answered" ? "" : `  ${account.outcome}`;
  return [
    paint(colour, String(status)),
    exchange.method.padEnd(4),
    visible(`${exchange.fields.get("host") ?? "-"}${redactedUri(exchange.target)}`),
    paint("dim", "→"),
    account.upstream ?? "nobody",
    paint("dim", `${duration(account.durationMs)}, ${size(account.bodyBytes)}`),
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
