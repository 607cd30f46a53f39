/** Reads the options by which upstreams are watched: probes, and what live traffic tells. */
import { placeOf } from "./directive.ts";
import {
  ANY_NUMBER,
  countOf,
  expected,
  first,
  type Line,
  type Option,
  put,
  statusOf,
} from "./proxy_options.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import type { Plain } from "./written.ts";

type Section = "health" | "passive";

/** One setting of a section, its value read by `read`; undefined when told of as wrong. */
function setting(
  section: Section,
  key: string,
  read: (line: Line, draft: PoolDraft) => Plain | undefined,
  args: readonly [number, number] = [1, 1],
): Option<PoolDraft> {
  return {
    args,
    read(line, draft) {
      const value = read(line, draft);
      if (value === undefined) return;
      put(draft.pool.map(section, line.at), key, value, line);
      draft.context.took(line.name, line.where);
    },
  };
}

function plain(line: Line, { context }: PoolDraft): string {
  return context.plain(first(line), line.where);
}

function duration(line: Line, { context }: PoolDraft): string | undefined {
  return context.duration(first(line), line.where);
}

function count(least: number) {
  return (line: Line, { context }: PoolDraft): number | undefined =>
    countOf(first(line), least, { context, where: line.where });
}

function pattern(line: Line, { context }: PoolDraft): string | undefined {
  return context.pattern(first(line), line.where);
}

function status(line: Line, { context }: PoolDraft): number | string | undefined {
  return statusOf(first(line), { context, where: line.where });
}

function statuses(line: Line, { context }: PoolDraft): Plain | undefined {
  const all = line.args.map((token) => statusOf(token, { context, where: line.where }));
  const known = all.filter((code) => code !== undefined);
  return known.length === all.length ? known : undefined;
}

/** A URI under either of its names. */
function uri(line: Line, draft: PoolDraft): Plain | undefined {
  if (draft.pool.map("health", line.at).has("uri")) {
    return expected(line.name, "either health_uri or health_path", {
      context: draft.context,
      where: line.where,
    });
  }
  const text = plain(line, draft);
  // Caddy joins the path to the upstream's address, which ends without a slash.
  return /^[/$]/.test(text) ? text : `/${text}`;
}

export const HEALTH_OPTIONS: Readonly<Record<string, Option<PoolDraft>>> = {
  health_uri: setting("health", "uri", uri),
  health_path: setting("health", "uri", uri),
  health_port: setting("health", "port", count(1)),
  health_upstream: setting("health", "upstream", plain),
  health_interval: setting("health", "interval", duration),
  health_timeout: setting("health", "timeout", duration),
  health_method: setting("health", "method", plain),
  health_request_body: setting("health", "body", plain),
  health_status: setting("health", "status", status),
  health_body: setting("health", "expect_body", pattern),
  health_follow_redirects: setting("health", "follow_redirects", () => true, [0, 0]),
  health_passes: setting("health", "passes", count(1)),
  health_fails: setting("health", "fails", count(1)),
  health_headers: { args: [0, 0], block: true, read: readHeaders },

  fail_duration: setting("passive", "fail_duration", duration),
  max_fails: setting("passive", "max_fails", (line, draft) => {
    const most = count(0)(line, draft);
    // Caddy takes none for its default.
    return most === 0 ? 1 : most;
  }),
  unhealthy_latency: setting("passive", "unhealthy_latency", duration),
  unhealthy_request_count: setting("passive", "max_requests", (line, draft) => {
    const most = count(0)(line, draft);
    return most === 0 ? "unlimited" : most;
  }),
  unhealthy_status: {
    args: [1, ANY_NUMBER],
    repeats: true,
    read(line, draft) {
      const codes = statuses(line, draft);
      if (!Array.isArray(codes)) return;
      const passive = draft.pool.map("passive", line.at);
      const list = passive.list("unhealthy_status", line.at);
      for (const code of codes) list.add(code, line.at);
      passive.comment("unhealthy_status", line.comments);
      draft.context.took(line.name, line.where);
    },
  },
};

function readHeaders(line: Line, { context, pool }: PoolDraft): void {
  const health = pool.map("health", line.at);
  const headers = health.map("headers", line.at);
  health.comment("headers", line.comments);
  for (const { name, args, comments } of line.block ?? []) {
    const value = args.map((token) => context.plain(token, line.where)).join(", ");
    if (args.length === 0) {
      context.problem(name, line.where, `Expected a value for ${name.text} but received none`);
      continue;
    }
    if (headers.has(name.text)) {
      context.problem(name, line.where, `Expected ${name.text} once but received it again`);
      continue;
    }
    headers.set(name.text, value, placeOf(name, line.where)).comment(name.text, comments);
  }
  context.took(line.name, line.where);
}

/**
 * Drops what Caddy passes over: probes without uri and port. Says so, as nobody writes an interval in
 * order to have no probes.
 */
export function settleHealth({ pool, context, directive }: PoolDraft): void {
  const health = pool.get("health");
  if (health?.kind !== "map" || health.has("uri") || health.has("port")) return;
  const [option] = health.entries.values();
  const where = option?.at.where ?? "reverse_proxy";
  const line = (directive.block ?? []).find(({ name }) => where.endsWith(`.${name.text}`));
  context.problem(
    line?.name ?? directive.name,
    where,
    "Expected health_uri or health_port beside it, which turn probes on, but received neither",
  );
}
