/** The two kinds of `log`: the global one for the process, that of a site for its requests. */
import { type Context, type Directive, hasArgs, placeOf } from "./directive.ts";
import {
  accept,
  ANY_NUMBER,
  type Draft,
  first,
  type Line,
  type Options,
  readBlock,
} from "./proxy_options.ts";
import { WrittenMap } from "./written.ts";

interface Logging extends Draft {
  /** The map `log` of the configuration. */
  readonly log: WrittenMap;
  isDiscarded: boolean;
}

const LEVELS: Readonly<Record<string, string>> = {
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
};

const FORMATS: Readonly<Record<string, string>> = { json: "json", console: "text" };

function output(line: Line, draft: Logging): void {
  const to = first(line);
  if (to.text === "discard") draft.isDiscarded = true;
  else if (to.text !== "stdout") return draft.context.refuse(to, `${line.where}.${to.text}`);
  const surplus = line.args[1];
  if (surplus === undefined) return accept(line, draft);
  draft.context.problem(surplus, line.where, `Expected nothing behind "${to.text}"`);
}

function format(line: Line, draft: Logging): void {
  const kind = first(line);
  const ours = Object.hasOwn(FORMATS, kind.text) ? FORMATS[kind.text] : undefined;
  if (ours === undefined || line.block !== undefined) {
    return draft.context.refuse(kind, `${line.where}.other`);
  }
  const known = draft.log.get("format");
  if (known?.kind === "leaf" && known.value !== ours) {
    const message = `Expected one format for all logs but received "${kind.text}" beside another`;
    return draft.context.problem(kind, line.where, message);
  }
  draft.log.set("format", ours, placeOf(kind, line.where)).comment("format", line.comments);
  draft.context.took(line.name, line.where);
}

const IN_GLOBAL_LOG: Options<Logging> = {
  output: { args: [1, ANY_NUMBER], block: true, read: output },
  format: { args: [1, 1], block: true, read: format },
  level: {
    args: [1, 1],
    read(line, { context, log }) {
      const level = first(line);
      const ours = LEVELS[level.text.toUpperCase()];
      if (ours === undefined) return context.refuse(level, `${line.where}.other`);
      log.set("level", ours, placeOf(level, line.where)).comment("level", line.comments);
      context.took(line.name, line.where);
    },
  },
};

const IN_SITE_LOG: Options<Logging> = {
  output: { args: [1, ANY_NUMBER], block: true, read: output },
  format: { args: [1, 1], block: true, read: format },
  level: {
    args: [1, 1],
    read(line, draft) {
      const level = first(line);
      // Access lines are of level info; others would leave out what went well.
      if (!/^(?:debug|info)$/i.test(level.text)) draft.context.refuse(level, `${line.where}.other`);
      else accept(line, draft);
    },
  },
};

/** The global option `log`. */
export function readGlobalLog(line: Directive, root: WrittenMap, context: Context): void {
  const where = "global.log";
  if (line.args[0] !== undefined && line.args[0].text !== "default") {
    return context.refuse(line.args[0], "global.log.name");
  }
  const at = placeOf(line.name, where);
  const log = root.map("log", at);
  const draft: Logging = { context, homeless: [], log, isDiscarded: false };
  readBlock(line.block ?? [], draft, { options: IN_GLOBAL_LOG, prefix: where });
  if (draft.isDiscarded) log.set("format", "off", at);
  if (log.entries.size === 0) root.delete("log");
  context.took(line.name, where);
}

/** The directive `log` of a site: a step that turns its access log off, where that is what it says. */
export function readSiteLog(
  line: Directive,
  root: WrittenMap,
  context: Context,
): WrittenMap | undefined {
  const where = "log";
  if (!hasArgs(line, [0, 1], { context, where })) return undefined;
  const at = placeOf(line.name, where);
  const had = root.has("log");
  const log = root.map("log", at);
  const draft: Logging = { context, homeless: [], log, isDiscarded: false };
  readBlock(line.block ?? [], draft, { options: IN_SITE_LOG, prefix: where });
  if (!had && log.entries.size === 0) root.delete("log");
  context.took(line.name, where);
  if (!draft.isDiscarded) return undefined;
  return new WrittenMap(at).set("access_log", "off", at);
}
