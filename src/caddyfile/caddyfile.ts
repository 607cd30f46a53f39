/**
 * Turns a Caddyfile into the tree of a configuration as one would have written it in YAML, with the place
 * of every part; or tells of all that cannot be taken over. Never throws on account of the file.
 */
import { assemble } from "./assemble.ts";
import type { Directive, Token } from "./directive.ts";
import { DIRECTIVES } from "./directives.ts";
import { type CaddyfileSources, Expander } from "./expand.ts";
import { defaultGlobals, readGlobals } from "./globals.ts";
import { layoutOf } from "./layout.ts";
import { DIRECTIVE_ORDER } from "./order.ts";
import { type Problem, Report } from "./report.ts";
import { Scope } from "./scope.ts";
import type { Session, Taken } from "./session.ts";
import { readSite, SITE_DIRECTIVES } from "./site.ts";
import { supportOf } from "./support_table.ts";
import { WrittenMap } from "./written.ts";

export interface Imported {
  readonly root: WrittenMap;
  /** In the order of their places. The tree is of no use while there are any. */
  readonly problems: readonly Problem[];
  /** What was taken over, in the order of the file. */
  readonly taken: readonly Taken[];
  /** Every file that was read, the first one itself. */
  readonly files: readonly string[];
  /** A message with the names of variables instead of what the environment gave for them. */
  masked(message: string): string;
}

export async function importCaddyfile(text: string, sources: CaddyfileSources): Promise<Imported> {
  const report = new Report();
  const expander = new Expander(sources, report);
  const { lines, rest } = await expander.file(text);
  const { globals, routes, sites } = layoutOf(lines, { report, isDirective });

  const session: Session = {
    report,
    directives: DIRECTIVES,
    taken: [],
    order: [...DIRECTIVE_ORDER],
    routes: new Map(routes),
    commented: new Set(),
    groupNames: new Set(groupNames(lines)),
  };
  const start = { file: sources.path, line: 1, column: 1, where: "" };
  const root = new WrittenMap(start);
  const own = globals === undefined ? defaultGlobals(start) : readGlobals(globals, {
    context: new Scope(session),
    root,
    order: session.order,
  });

  const read = sites.map((site) => readSite(site, { session, globals: own, root }));
  if (sites.length === 0) report.tell(start, "", "Expected at least one site but received none");
  const whole = assemble(read, { session, globals: own, root });
  const [key] = whole.entries.keys();
  if (key !== undefined && globals !== undefined) whole.lead(key, globals.comments);
  whole.comment("routes", { above: rest, beside: undefined });
  return {
    root: whole,
    problems: inOrder(report.problems, expander.files),
    taken: inOrder(session.taken, expander.files),
    files: [...new Set(expander.files)],
    masked: (message) => report.masked(message),
  };
}

function isDirective(name: string): boolean {
  return Object.hasOwn(DIRECTIVES, name) || SITE_DIRECTIVES.includes(name) ||
    supportOf(name)?.verdict === "refused";
}

/** Names that `{re.name.1}` refers to. */
function groupNames(lines: readonly Directive[]): string[] {
  return lines.flatMap(({ name, args, block }) => [
    ...[name, ...args].flatMap(({ text }: Token) =>
      [...text.matchAll(/\{(?:re|http\.regexp)\.([A-Za-z_][\w-]*)\./g)].map(([, group = ""]) =>
        group
      )
    ),
    ...groupNames(block ?? []),
  ]);
}

function inOrder<T extends Pick<Problem, "file" | "line" | "column">>(
  found: readonly T[],
  files: readonly string[],
): readonly T[] {
  return found.toSorted((one, other) =>
    files.indexOf(one.file) - files.indexOf(other.file) || one.line - other.line ||
    one.column - other.column
  );
}
