/** Reads `dynamic a`, `dynamic srv` and `dynamic multi`: upstreams that a name service knows. */
import { type Context, type Directive, hasArgs, placeOf, type Token } from "./directive.ts";
import { commonScheme, type PoolDraft } from "./proxy_draft.ts";
import {
  accept,
  ANY_NUMBER,
  type Draft,
  expected,
  first,
  type Option,
  put,
  readBlock,
} from "./proxy_options.ts";
import { WrittenList, WrittenMap } from "./written.ts";

const WHERE = "reverse_proxy.dynamic";

interface SourceDraft extends Draft {
  readonly map: WrittenMap;
  readonly service: { name?: string; service?: string; proto?: string };
  /** `versions` names what is asked for; none asks for both. */
  readonly versions: string[];
}

/** Takes the line; `settleDynamic` reads it once the scheme is known. */
export const DYNAMIC: Option<PoolDraft> = {
  args: [1, ANY_NUMBER],
  block: true,
  read(line, { dynamic }) {
    dynamic.push(line);
  },
};

/** Writes `dynamic`, a map or a list of maps. */
export function settleDynamic(draft: PoolDraft): void {
  const [line] = draft.dynamic;
  if (line === undefined) return;
  const sources = sourcesOf({ ...line, name: first(line), args: line.args.slice(1) }, draft);
  const [only] = sources;
  if (only === undefined) return;
  const list = new WrittenList(line.at);
  for (const source of sources) list.add(source, source.at);
  put(draft.pool, "dynamic", sources.length === 1 ? only : list, line);
}

function sourcesOf(source: Directive, draft: PoolDraft): readonly WrittenMap[] {
  const { context } = draft;
  const where = `${WHERE}.${source.name.text}`;
  switch (source.name.text) {
    case "a":
    case "srv": {
      const kind = source.name.text;
      const map = readSource(source, kind, draft);
      return map === undefined ? [] : [map];
    }
    case "multi":
      if (!hasArgs(source, [0, 0], { context, where })) return [];
      context.took(source.name, where);
      return (source.block ?? []).flatMap((inner) => {
        if (inner.name.text !== "multi") return sourcesOf(inner, draft);
        expected(inner.name, '"a" or "srv" in multi', { context, where });
        return [];
      });
    default:
      context.refuse(source.name, `${WHERE}.module`);
      return [];
  }
}

function readSource(
  source: Directive,
  kind: "a" | "srv",
  draft: PoolDraft,
): WrittenMap | undefined {
  const { context } = draft;
  const where = `${WHERE}.${kind}`;
  if (!hasArgs(source, [0, kind === "a" ? 2 : 1], { context, where })) return undefined;
  const at = placeOf(source.name, where);
  const inner: SourceDraft = {
    context,
    homeless: draft.homeless,
    map: new WrittenMap(at),
    service: {},
    versions: [],
  };
  const seen = new Set<string>();
  readArguments(source, { kind, seen, inner });
  const options = kind === "a" ? A_OPTIONS : SRV_OPTIONS;
  readBlock(source.block ?? [], inner, { options, prefix: where, seen });
  if (kind === "srv") writeService(inner, source.name, where);
  if (!inner.map.has("name")) {
    context.problem(source.name, where, "Expected a name to ask for but received none");
    return undefined;
  }
  const scheme = commonScheme(draft);
  if (scheme !== "http") inner.map.set("scheme", scheme, at);
  context.took(source.name, where);
  return new WrittenMap(at).set(kind, inner.map, at);
}

/** `a NAME PORT` and `srv NAME` in short. */
function readArguments(
  { args }: Directive,
  { kind, seen, inner }: {
    readonly kind: "a" | "srv";
    readonly seen: Set<string>;
    readonly inner: SourceDraft;
  },
): void {
  const [name, port] = args;
  if (name !== undefined) {
    seen.add("name");
    setName(name, `${WHERE}.${kind}.name`, inner);
  }
  if (port !== undefined) {
    seen.add("port");
    setPort(port, inner);
  }
}

function setName(token: Token, where: string, { map, service, context }: SourceDraft): void {
  const text = context.plain(token, where);
  service.name = text;
  map.set("name", text, placeOf(token, where));
  context.took(token, where);
}

function setPort(token: Token, { map, context }: SourceDraft): void {
  const where = `${WHERE}.a.port`;
  const port = context.integer(token, where);
  if (port === undefined) return;
  map.set("port", port, placeOf(token, where));
  context.took(token, where);
}

/** The full name that a service is found by (RFC 2782). */
function writeService({ map, service }: SourceDraft, at: Token, where: string): void {
  const { name, service: kind, proto } = service;
  if (kind === undefined && proto === undefined) return;
  const labels = [kind, proto].map((label) => label === undefined ? "" : `_${label}.`);
  if (name !== undefined) map.set("name", `${labels.join("")}${name}`, placeOf(at, where));
}

function listed(key: "resolvers"): Option<SourceDraft> {
  return {
    args: [1, ANY_NUMBER],
    read(line, { map, context }) {
      const list = new WrittenList(line.at);
      for (const token of line.args) {
        // Name servers listen on 53 unless the port is written.
        const text = context.plain(token, line.where).replace(/^(?:udp|tcp)\//, "");
        list.add(withPort(text), placeOf(token, line.where));
      }
      put(map, key, list, line);
      context.took(line.name, line.where);
    },
  };
}

function withPort(text: string): string {
  if (/^[^:[\]]*$/.test(text)) return `${text}:53`;
  if (/^\[[^\]]*\]$/.test(text)) return `${text}:53`;
  return /^[^[\]]*:[^[\]]*:/.test(text) ? `[${text}]:53` : text;
}

function lasting(key: string): Option<SourceDraft> {
  return {
    args: [1, 1],
    read(line, { map, context }) {
      const value = context.duration(first(line), line.where);
      if (value === undefined) return;
      put(map, key, value, line);
      context.took(line.name, line.where);
    },
  };
}

const MOOT: Option<SourceDraft> = {
  args: [1, 1],
  read(line, draft) {
    if (draft.context.duration(first(line), line.where) !== undefined) accept(line, draft);
  },
};

const NAME: Option<SourceDraft> = {
  args: [1, 1],
  read: (line, draft) => setName(first(line), line.where, draft),
};

function part(key: "service" | "proto"): Option<SourceDraft> {
  return {
    args: [1, 1],
    read(line, { service, context }) {
      service[key] = context.plain(first(line), line.where);
      context.took(line.name, line.where);
    },
  };
}

const COMMON = {
  name: NAME,
  refresh: lasting("refresh"),
  resolvers: listed("resolvers"),
  dial_timeout: MOOT,
  dial_fallback_delay: MOOT,
};

const SRV_OPTIONS: Readonly<Record<string, Option<SourceDraft>>> = {
  ...COMMON,
  service: part("service"),
  proto: part("proto"),
  grace_period: lasting("grace_period"),
};

const A_OPTIONS: Readonly<Record<string, Option<SourceDraft>>> = {
  ...COMMON,
  port: { args: [1, 1], read: (line, draft) => setPort(first(line), draft) },
  versions: {
    args: [1, 2],
    read(line, { map, context }) {
      const list = new WrittenList(line.at);
      for (const token of line.args) {
        if (token.text !== "ipv4" && token.text !== "ipv6") {
          expected(token, '"ipv4" or "ipv6"', { context, where: line.where });
          return;
        }
        list.add(token.text, placeOf(token, line.where));
      }
      put(map, "versions", list, line);
      context.took(line.name, line.where);
    },
  },
};

/** Tells of upstreams that stand beside a name service. */
export function refuseBeside({ dynamic, upstreams }: PoolDraft, context: Context): void {
  const [stray] = upstreams;
  if (dynamic.length > 0 && stray !== undefined) {
    context.refuse(stray.token, "reverse_proxy.to.beside dynamic");
  }
}
