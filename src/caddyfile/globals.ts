/** The block of global options at the top of a Caddyfile. */
import { type Directive, hasArgs, placeOf, shown, type Token } from "./directive.ts";
import { readGlobalLog } from "./core_log.ts";
import type { Scope } from "./scope.ts";
import { readAdmin } from "./globals_admin.ts";
import { reorder } from "./order_option.ts";
import {
  accept,
  ANY_NUMBER,
  type Draft,
  expected,
  first,
  type Line,
  type Options,
  readBlock,
} from "./proxy_options.ts";
import type { WrittenMap } from "./written.ts";

/** What the addresses of sites depend on. */
export interface Globals {
  httpPort: number;
  httpsPort: number;
  isAutoHttpsOff: boolean;
  /** Addresses of ours that sites listen on unless they say it themselves. */
  binds: readonly Token[];
}

export function defaultGlobals(): Globals {
  return { httpPort: 80, httpsPort: 443, isAutoHttpsOff: false, binds: [] };
}

interface Global extends Draft {
  readonly context: Scope;
  readonly globals: Globals;
  readonly root: WrittenMap;
  readonly order: string[];
}

function port(key: "httpPort" | "httpsPort"): (line: Line, draft: Global) => void {
  return (line, draft) => {
    const number = draft.context.integer(first(line), line.where);
    if (number === undefined) return;
    if (number < 1 || number > 65_535) {
      return expected(first(line), "a port", { ...draft, ...line });
    }
    draft.globals[key] = number;
    accept(line, draft);
  };
}

/** An option that only one word of says what we do anyway. */
function only(word: string): (line: Line, draft: Global) => void {
  return (line, draft) => {
    const arg = line.args[0];
    if (arg?.text !== word || line.block !== undefined) {
      draft.context.refuse(arg ?? line.name, `${line.where}.other`);
    } else accept(line, draft);
  };
}

function withoutBlock(line: Line, draft: Global): void {
  for (const { name } of line.block ?? []) draft.context.refuse(name, `${line.where}.other`);
  accept(line, draft);
}

const OPTIONS: Options<Global> = {
  http_port: { args: [1, 1], read: port("httpPort") },
  https_port: { args: [1, 1], read: port("httpsPort") },
  auto_https: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      for (const arg of line.args) {
        if (arg.text === "off") draft.globals.isAutoHttpsOff = true;
        else if (arg.text !== "disable_redirects") {
          return draft.context.refuse(arg, "global.auto_https.other");
        }
      }
      accept(line, draft);
    },
  },
  admin: { args: [0, 1], block: true, read: readAdmin },
  persist_config: { args: [1, 1], read: only("off") },
  grace_period: {
    args: [1, 1],
    read(line, { context, root }) {
      const duration = context.duration(first(line), line.where);
      if (duration === undefined) return;
      root.set("grace_period", duration, line.at).comment("grace_period", line.comments);
      context.took(line.name, line.where);
    },
  },
  // They are always told.
  metrics: { args: [0, 0], block: true, read: withoutBlock },
  debug: {
    args: [0, 0],
    read(line, { context, root }) {
      root.map("log", line.at).set("level", "debug", line.at).comment("level", line.comments);
      context.took(line.name, line.where);
    },
  },
  default_bind: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      draft.globals.binds = line.args;
      accept(line, draft);
    },
  },
  log: {
    args: [0, 1],
    block: true,
    repeats: true,
    read: (line, { root, context }) => readGlobalLog(line, root, context),
  },
  order: {
    args: [2, 3],
    repeats: true,
    read(line, draft) {
      const problem = reorder(draft.order, line.args.map(({ text }) => text));
      if (problem === undefined) accept(line, draft);
      else draft.context.problem(first(line), line.where, problem);
    },
  },
  servers: {
    args: [0, 1],
    block: true,
    repeats: true,
    read(line, draft) {
      const [address] = line.args;
      if (address !== undefined) return draft.context.refuse(address, "global.servers.address");
      readBlock(line.block ?? [], draft, { options: SERVERS, prefix: "global.servers" });
      accept(line, draft);
    },
  },
};

const SERVERS: Options<Global> = {
  trusted_proxies: {
    args: [1, ANY_NUMBER],
    block: true,
    read(line, { context, root }) {
      const [source, ...blocks] = line.args;
      if (source?.text !== "static" || line.block !== undefined) {
        return context.refuse(source ?? line.name, "global.servers.trusted_proxies.source");
      }
      const list = root.list("trusted_proxies", line.at);
      for (const block of blocks) {
        list.add(context.plain(block, line.where), placeOf(block, line.where));
      }
      root.comment("trusted_proxies", line.comments);
      context.took(line.name, line.where);
    },
  },
  client_ip_headers: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      const other = line.args.find(({ text }) => text.toLowerCase() !== "x-forwarded-for");
      if (other === undefined) accept(line, draft);
      else draft.context.refuse(other, "global.servers.client_ip_headers.other");
    },
  },
  protocols: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      const other = line.args.find(({ text }) => !["h1", "h2", "h3"].includes(text));
      if (other !== undefined) return draft.context.refuse(other, "global.servers.protocols.other");
      if (line.args.some(({ text }) => text === "h1")) return accept(line, draft);
      draft.context.refuse(first(line), "global.servers.protocols.other");
    },
  },
  enable_full_duplex: { args: [0, 0], read: accept },
  name: { args: [1, 1], read: accept },
  metrics: { args: [0, 0], read: accept },
};

/** Reads the options into the root of the tree and into what sites depend on. */
export function readGlobals(
  block: Directive,
  { context, root, order }: Pick<Global, "context" | "root" | "order">,
): Globals {
  const globals = defaultGlobals();
  const draft: Global = { context, homeless: [], globals, root, order };
  readBlock(block.block ?? [], draft, { options: OPTIONS, prefix: "global" });
  for (const comments of draft.homeless) root.comment("routes", comments);
  return globals;
}

/** Where sites that do not say it listen. */
export function readBind(line: Directive, context: Scope): readonly Token[] {
  const where = "bind";
  if (!hasArgs(line, [1, ANY_NUMBER], { context, where })) return [];
  const strange = line.block?.[0];
  if (strange !== undefined) {
    const message = `Expected no block but received "${shown(strange.name.text)}"`;
    context.problem(strange.name, where, message);
  }
  const stray = line.args.find(({ text }) => text.includes("/"));
  if (stray !== undefined) {
    context.refuse(stray, "bind.unix");
    return [];
  }
  context.took(line.name, where);
  return line.args;
}
