/** The block of global options at the top of a Caddyfile. */
import { type Directive, hasArgs, shown, type Token } from "./directive.ts";
import { readGlobalLog } from "./core_log.ts";
import type { Scope } from "./scope.ts";
import { readAdmin } from "./globals_admin.ts";
import { type Protocols, SERVERS } from "./globals_servers.ts";
import {
  defaultTlsGlobals,
  settleTlsGlobals,
  TLS_GLOBALS,
  type TlsGlobals,
} from "./globals_tls.ts";
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
import type { Place, WrittenMap } from "./written.ts";

/** What the option `auto_https` may turn off, or on. */
const AUTO_HTTPS = ["off", "disable_redirects", "disable_certs", "ignore_loaded_certs"] as const;

/** What sites depend on. */
export interface Globals {
  httpPort: number;
  httpsPort: number;
  readonly autoHttps: Set<typeof AUTO_HTTPS[number]>;
  /** Addresses of ours that sites listen on unless they say it themselves. */
  binds: readonly Token[];
  readonly tls: TlsGlobals;
  /** Undefined leaves them as they are usual here. */
  protocols: Protocols | undefined;
}

export function defaultGlobals(at: Place): Globals {
  return {
    ...{ httpPort: 80, httpsPort: 443, autoHttps: new Set(), binds: [] },
    tls: defaultTlsGlobals(at),
    protocols: undefined,
  };
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
        const word = AUTO_HTTPS.find((known) => known === arg.text);
        if (word === undefined) return draft.context.refuse(arg, "global.auto_https.other");
        draft.globals.autoHttps.add(word);
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
  ...TLS_GLOBALS,
};

/** Reads the options into the root of the tree and into what sites depend on. */
export function readGlobals(
  block: Directive,
  { context, root, order }: Pick<Global, "context" | "root" | "order">,
): Globals {
  const globals = defaultGlobals(root.at);
  const draft: Global = { context, homeless: [], globals, root, order };
  readBlock(block.block ?? [], draft, { options: OPTIONS, prefix: "global" });
  settleTlsGlobals(draft);
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
