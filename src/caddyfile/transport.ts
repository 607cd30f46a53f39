/**
 * Reads `transport`: how connections to upstreams are made, kept and ended. Defaults of Caddy that are not
 * ours are written out, so that the configuration that comes out means what the Caddyfile meant.
 */
import { placeOf, shown } from "./directive.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import { isZero, msOf, spellMs } from "./proxy_duration.ts";
import {
  accept,
  ANY_NUMBER,
  countOf,
  expected,
  first,
  type Line,
  type Option,
  put,
  readBlock,
} from "./proxy_options.ts";
import type { Plain, WrittenMap } from "./written.ts";
import { TLS_OPTIONS } from "./transport_tls.ts";

const WHERE = "reverse_proxy.transport";

/** Caddy's defaults that are not ours. */
const KEEPALIVE = "2m";
const IDLE_CONNS = 32;
const HEAD_LIMIT = "10MiB";
/** Ours, in milliseconds; the sum with `tls_timeout` starts from it. */
const DIAL_TIMEOUT_MS = 3_000;

export const TRANSPORT: Option<PoolDraft> = {
  args: [1, 1],
  block: true,
  read(line, draft) {
    const kind = first(line);
    const where = `${WHERE}.${kind.text}`;
    if (kind.text !== "http") {
      draft.context.refuse(kind, kind.text === "fastcgi" ? where : `${WHERE}.module`);
      return;
    }
    draft.context.took(kind, where);
    draft.pool.comment("transport", line.comments);
    readBlock(line.block ?? [], draft, { options: HTTP_OPTIONS, prefix: where });
  },
};

/** Writes what only all options together tell. */
export function settleTransport(draft: PoolDraft): void {
  const transport = draft.pool.map("transport", placeOf(draft.directive.name, WHERE));
  const { at } = transport;
  if (!transport.has("keepalive")) transport.set("keepalive", KEEPALIVE, at);
  const total = transport.get("idle_conns");
  const each = transport.get("keepalive_idle_conns");
  if (each === undefined && !isOff(transport)) {
    const most = total?.kind === "leaf" && typeof total.value === "number"
      ? Math.min(total.value, IDLE_CONNS)
      : IDLE_CONNS;
    transport.set("keepalive_idle_conns", most, total?.kind === "leaf" ? total.at : at);
    transport.comment("keepalive_idle_conns", transport.commentsOf("idle_conns"));
  }
  transport.delete("idle_conns");
  if (!transport.has("max_response_header")) transport.set("max_response_header", HEAD_LIMIT, at);

  const silence = transport.get("read_timeout");
  // Caddy's limit holds while it waits for the head as well.
  if (silence?.kind === "leaf" && !transport.has("response_header_timeout")) {
    transport.set("response_header_timeout", silence.value, silence.at);
  }
}

function isOff(transport: WrittenMap): boolean {
  const keepalive = transport.get("keepalive");
  return keepalive?.kind === "leaf" && keepalive.value === "off";
}

/** One setting of `transport`. */
function setting(key: string, read: (line: Line, draft: PoolDraft) => Plain | undefined) {
  const option: Option<PoolDraft> = {
    args: [1, 1],
    read(line, draft) {
      const value = read(line, draft);
      if (value === undefined) return;
      put(draft.pool.map("transport", line.at), key, value, line);
      draft.context.took(line.name, line.where);
    },
  };
  return option;
}

/** An option that is accepted though nothing comes of it, once its value is one. */
function moot(read: (line: Line, draft: PoolDraft) => unknown): Option<PoolDraft> {
  return {
    args: [1, 1],
    read(line, draft) {
      if (read(line, draft) !== undefined) accept(line, draft);
    },
  };
}

function duration(line: Line, { context }: PoolDraft): string | undefined {
  return context.duration(first(line), line.where);
}

/** A limit for which Caddy takes 0 as none; undefined leaves it unset, as none is our default too. */
function limit(key: string): Option<PoolDraft> {
  return {
    args: [1, 1],
    read(line, draft) {
      const value = duration(line, draft);
      if (value === undefined) return;
      if (isZero(value)) return accept(line, draft);
      put(draft.pool.map("transport", line.at), key, value, line);
      draft.context.took(line.name, line.where);
    },
  };
}

function size(line: Line, { context }: PoolDraft): string | undefined {
  return context.size(first(line), line.where);
}

function count(line: Line, { context }: PoolDraft): number | undefined {
  return countOf(first(line), 0, { context, where: line.where });
}

function word(...words: readonly string[]) {
  return (line: Line, { context }: PoolDraft): string | undefined => {
    const token = first(line);
    if (words.includes(token.text)) return token.text;
    const quoted = words.map((known) => `"${known}"`).join(" or ");
    return expected(token, quoted, { context, where: line.where });
  };
}

const HTTP_OPTIONS: Readonly<Record<string, Option<PoolDraft>>> = {
  dial_timeout: setting("dial_timeout", duration),
  dial_fallback_delay: moot(({ where, ...line }, { context }) => {
    const token = first(line);
    // A negative one turns it off.
    const text = token.text.replace(/^-/, "");
    return context.duration({ ...token, text }, where);
  }),
  response_header_timeout: limit("response_header_timeout"),
  expect_continue_timeout: moot(duration),
  read_timeout: limit("read_timeout"),
  write_timeout: limit("write_timeout"),
  read_buffer: moot(size),
  write_buffer: moot(size),
  max_response_header: setting("max_response_header", size),
  proxy_protocol: setting("proxy_protocol", word("v1", "v2")),
  local_address: setting(
    "local_address",
    (line, { context }) => context.plain(first(line), line.where),
  ),
  keepalive: setting("keepalive", (line, draft) => {
    if (first(line).text === "off") return "off";
    const value = duration(line, draft);
    // In Go none means for ever, and timers end here.
    return value !== undefined && isZero(value) ? "24d" : value;
  }),
  keepalive_interval: moot(duration),
  keepalive_idle_conns: setting("idle_conns", (line, draft) => {
    const most = count(line, draft);
    return most === 0 ? IDLE_CONNS : most;
  }),
  keepalive_idle_conns_per_host: setting("keepalive_idle_conns", (line, draft) => {
    const most = count(line, draft);
    return most === 0 ? IDLE_CONNS : most;
  }),
  max_conns_per_host: setting("max_conns", (line, draft) => {
    const most = count(line, draft);
    return most === 0 ? "unlimited" : most;
  }),
  versions: { args: [1, ANY_NUMBER], read: readVersions },
  compression: moot(word("off", "on")),
  network_proxy: { args: [1, ANY_NUMBER], block: true, read: readNetworkProxy },
  tls_timeout: { args: [1, 1], read: readTlsTimeout },
  ...TLS_OPTIONS,
};

function readVersions(line: Line, draft: PoolDraft): void {
  const { context, transport, homeless } = draft;
  const written = new Set<string>();
  for (const token of line.args) {
    if (token.text === "3") return context.refuse(token, `${line.where}.3`);
    if (!["1.1", "2", "h2c"].includes(token.text)) {
      return expected(token, '"1.1", "2" or "h2c"', { context, where: line.where });
    }
    written.add(token.text);
  }
  if (written.size === 1 && written.has("2")) {
    return context.refuse(first(line), `${line.where}.only 2`);
  }
  transport.h2c = written.has("h2c");
  homeless.push(line.comments);
  context.took(line.name, line.where);
}

function readNetworkProxy(line: Line, draft: PoolDraft): void {
  const kind = first(line);
  if (kind.text !== "none") return draft.context.refuse(kind, `${line.where}.url`);
  const stray = line.args[1] ?? line.block?.[0]?.name;
  if (stray === undefined) return accept(line, draft);
  const message = `Expected nothing behind "none" but received "${shown(stray.text)}"`;
  draft.context.problem(stray, line.where, message);
}

/** Both limits run one after the other in Caddy, and are one here. */
function readTlsTimeout(line: Line, draft: PoolDraft): void {
  const value = duration(line, draft);
  if (value === undefined) return;
  const transport = draft.pool.map("transport", line.at);
  draft.transport.tls ??= line.name;
  put(transport, "tls_timeout", value, line);
  draft.context.took(line.name, line.where);
}

/** Adds `tls_timeout` to `dial_timeout`. */
export function settleTlsTimeout({ pool }: PoolDraft): void {
  const transport = pool.get("transport");
  if (transport?.kind !== "map") return;
  const limit = transport.get("tls_timeout");
  if (limit?.kind !== "leaf" || typeof limit.value !== "string") return;
  const dial = transport.get("dial_timeout");
  const own = dial?.kind === "leaf" && typeof dial.value === "string"
    ? msOf(dial.value)
    : DIAL_TIMEOUT_MS;
  transport.set("dial_timeout", spellMs(own + msOf(limit.value)), limit.at);
  transport.comment("dial_timeout", transport.commentsOf("tls_timeout"));
  transport.delete("tls_timeout");
}
