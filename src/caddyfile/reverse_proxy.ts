/**
 * Translates `reverse_proxy`: every option is read into the settings of a pool, and what depends on
 * several of them is settled in the end.
 */
import { type Context, type Directive, type DirectiveRule, placeOf } from "./directive.ts";
import { commonScheme, draftOf, type PoolDraft } from "./proxy_draft.ts";
import { DYNAMIC, refuseBeside, settleDynamic } from "./proxy_dynamic.ts";
import { HEADER_DOWN, HEADER_UP } from "./proxy_headers.ts";
import { HEALTH_OPTIONS, settleHealth } from "./proxy_health.ts";
import { accept, ANY_NUMBER, first, type Option, put, readBlock } from "./proxy_options.ts";
import { readPolicy } from "./proxy_policy.ts";
import {
  HANDLE_RESPONSE,
  readResponseMatcher,
  REPLACE_STATUS,
  settleResponses,
} from "./proxy_responses.ts";
import { RETRY_OPTIONS, settleRetry } from "./proxy_retry.ts";
import { settleTlsTimeout, settleTransport, TRANSPORT } from "./transport.ts";
import { STREAM_OPTIONS } from "./proxy_streaming.ts";
import { countUpstreams, spellUpstream, writeUpstreams } from "./proxy_upstreams.ts";
import { WrittenMap } from "./written.ts";

const WHERE = "reverse_proxy";

/** The order in which a person would write them. */
const KEYS = [
  "upstreams",
  "dynamic",
  "policy",
  "health",
  "passive",
  "retry",
  "transport",
  "headers",
  "rewrite",
  "responses",
  "trusted_proxies",
  "stream_timeout",
  "stream_close_delay",
];

export const REVERSE_PROXY: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const pool = readPool(directive, context, OPTIONS);
    const at = placeOf(directive.name, WHERE);
    context.took(directive.name, WHERE);
    return [new WrittenMap(at).set("proxy", pool, at)];
  },
};

const OPTIONS: Readonly<Record<string, Option<PoolDraft>>> = {
  to: {
    args: [1, ANY_NUMBER],
    repeats: true,
    read(line, draft) {
      addUpstreams(line, draft);
      draft.pool.comment("upstreams", line.comments);
      draft.context.took(line.name, line.where);
    },
  },
  dynamic: DYNAMIC,
  lb_policy: {
    args: [1, ANY_NUMBER],
    block: true,
    read(line, { context, pool }) {
      const policy = readPolicy(line, context);
      if (policy === undefined) return;
      put(pool, "policy", policy, line);
      context.took(line.name, line.where);
    },
  },
  ...RETRY_OPTIONS,
  ...HEALTH_OPTIONS,
  ...STREAM_OPTIONS,
  transport: TRANSPORT,
  trusted_proxies: {
    args: [1, ANY_NUMBER],
    repeats: true,
    read(line, { context, pool }) {
      const list = pool.list("trusted_proxies", line.at);
      for (const token of line.args) {
        list.add(context.plain(token, line.where), placeOf(token, line.where));
      }
      pool.comment("trusted_proxies", line.comments);
      context.took(line.name, line.where);
    },
  },
  header_up: HEADER_UP,
  header_down: HEADER_DOWN,
  method: rewriting("method"),
  rewrite: rewriting("uri"),
  replace_status: REPLACE_STATUS,
  handle_response: HANDLE_RESPONSE,
  verbose_logs: { args: [0, 0], read: accept },
};

function rewriting(key: "method" | "uri"): Option<PoolDraft> {
  return {
    args: [1, 1],
    read(line, { context, pool }) {
      const text = context.template(first(line), line.where);
      put(pool.map("rewrite", line.at), key, text, line);
      context.took(line.name, line.where);
    },
  };
}

function addUpstreams(line: Directive, { context, upstreams }: PoolDraft): void {
  for (const token of line.args) {
    const upstream = spellUpstream(token, context);
    if (upstream !== undefined) upstreams.push(upstream);
  }
}

/** Reads a directive whose arguments are upstreams and whose block has these options. */
export function readPool(
  directive: Directive,
  context: Context,
  options: Readonly<Record<string, Option<PoolDraft>>> = OPTIONS,
): WrittenMap {
  const draft = draftOf(directive, context);
  addUpstreams(directive, draft);
  const lines = directive.block ?? [];
  // Matchers may be written below the lines that name them.
  for (const line of lines.filter(isMatcher)) readResponseMatcher(line, draft);
  const rest = lines.filter((line) => !isMatcher(line));
  readBlock(rest, draft, { options, prefix: WHERE });
  return settle(draft);
}

/** The options of reverse_proxy, for directives that have most of them too. */
export const POOL_OPTIONS = OPTIONS;

function isMatcher({ name }: Directive): boolean {
  return name.text.startsWith("@");
}

function settle(draft: PoolDraft): WrittenMap {
  const { context, directive, pool, upstreams, dynamic, transport } = draft;
  settleHealth(draft);
  settleRetry(draft);
  settleTlsTimeout(draft);
  settleTransport(draft);
  settleResponses(draft);
  refuseBeside(draft, context);
  settleDynamic(draft);
  writeHeaders(draft);

  const at = placeOf(directive.name, WHERE);
  const count = countUpstreams(upstreams);
  if (count === 0 && dynamic.length === 0 && !triesUpstreams(directive)) {
    const { name } = directive;
    context.problem(name, name.text, "Expected at least one upstream but received none");
  }
  if (count > 0) {
    const manners = {
      scheme: commonScheme(draft),
      plainPorts: transport.plainPorts,
      host: draft.host,
    };
    pool.set("upstreams", writeUpstreams(upstreams, manners, { context, at }), at);
  }
  // Caddy's default, where ours is the first one that is fit.
  if ((count > 1 || dynamic.length > 0) && !pool.has("policy")) pool.set("policy", "random", at);
  return ordered(draft);
}

/** An upstream that was refused has been told of; that there is none is said where none was written. */
function triesUpstreams({ args, block }: Directive): boolean {
  return args.length > 0 ||
    (block ?? []).some(({ name }) => name.text === "to" || name.text === "dynamic");
}

function writeHeaders(draft: PoolDraft): void {
  const at = placeOf(draft.directive.name, WHERE);
  const headers = new WrittenMap(at);
  draft.up.write(headers, "request", draft.context);
  draft.down.write(headers, "response", draft.context);
  if (headers.entries.size > 0) draft.pool.set("headers", headers, at);
  if (draft.host !== undefined && draft.dynamic.length > 0) {
    draft.context.refuse(draft.host.token, "reverse_proxy.header_up.Host of dynamic");
  }
}

function ordered({ pool, homeless }: PoolDraft): WrittenMap {
  const map = new WrittenMap(pool.at);
  for (const key of KEYS) {
    const entry = pool.entries.get(key);
    if (entry === undefined) continue;
    map.set(key, entry.node, entry.at).comment(key, pool.commentsOf(key));
  }
  const [leading = "upstreams"] = map.entries.keys();
  for (const { above, beside } of homeless) {
    map.comment(leading, {
      above: beside === undefined ? above : [...above, beside],
      beside: undefined,
    });
  }
  return map;
}
