/**
 * Turns a Caddyfile into the tree of a configuration as one would have written it in YAML, with the place
 * of every part; or tells of all that cannot be taken over. Never throws on account of the file.
 */
import type { Directive, Token } from "./directive.ts";
import { DIRECTIVES } from "./directives.ts";
import { type CaddyfileSources, Expander } from "./expand.ts";
import { defaultGlobals, readGlobals } from "./globals.ts";
import { layoutOf } from "./layout.ts";
import { DIRECTIVE_ORDER } from "./order.ts";
import { type Problem, Report } from "./report.ts";
import { Scope } from "./scope.ts";
import type { Session, Taken } from "./session.ts";
import { readSite, SITE_DIRECTIVES, type SiteRead } from "./site.ts";
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
  const own = globals === undefined ? defaultGlobals() : readGlobals(globals, {
    context: new Scope(session),
    root,
    order: session.order,
  });

  const read = sites.map((site) => readSite(site, { session, globals: own, root }));
  if (sites.length === 0) report.tell(start, "", "Expected at least one site but received none");
  const whole = assemble(read, root, report);
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

/** Puts listeners first, and names ports on routes where not all are meant. */
function assemble(read: readonly SiteRead[], root: WrittenMap, report: Report): WrittenMap {
  const whole = new WrittenMap(root.at);
  const listeners = read.flatMap((site) => site.listeners);
  const spelled = new Map(listeners.map((one) => [`${one.bind}:${one.port}`, one]));
  const ports = new Set(listeners.map(({ port }) => port));
  for (const port of ports) tellOfSharedPort(port, read, report);
  const [first, ...others] = spelled;
  if (first !== undefined && others.length === 0) whole.set("listen", first[0], first[1].at);
  else for (const [address, { at }] of spelled) whole.list("listen", at).add(address, at);

  for (const [key, { node, at }] of root.entries) {
    whole.set(key, node, at).comment(key, root.commentsOf(key));
  }
  const list = whole.list("routes", root.at);
  for (const { route, ports: own } of read.flatMap((site) => site.routes)) {
    list.items.push(own.length === 0 || own.length === ports.size ? route : withPorts(route, own));
  }
  return whole.comment("routes", root.commentsOf("routes"));
}

/** The same route with its ports, behind host and path. */
function withPorts(route: WrittenMap, ports: readonly number[]): WrittenMap {
  const made = new WrittenMap(route.at);
  const [only, ...others] = ports;
  const value = only !== undefined && others.length === 0 ? only : ports;
  const keys = [...route.entries.keys()];
  const last = keys.findLast((key) => key === "host" || key === "path");
  if (last === undefined) made.set("port", value, route.at);
  for (const [key, { node, at }] of route.entries) {
    made.set(key, node, at).comment(key, route.commentsOf(key));
    if (key === last) made.set("port", value, route.at);
  }
  const [first = ""] = keys;
  if (last === undefined) made.lead("port", route.commentsOf(first));
  return made;
}

/** Routes tell connections apart by the port, so that sites on one port must share its addresses. */
function tellOfSharedPort(port: number, read: readonly SiteRead[], report: Report): void {
  const sets = read.map(({ listeners }) => listeners.filter((one) => one.port === port))
    .filter((own) => own.length > 0);
  const [first, ...others] = sets.map((own) => new Set(own.map(({ bind }) => bind)));
  for (const [at, set] of others.entries()) {
    const place = sets[at + 1]?.[0]?.at;
    if (place === undefined || first === undefined || isSame(first, set)) continue;
    const message =
      `Cannot take this over as sites on port ${port} listen on different addresses; ` +
      `use one "bind" for all of them, or a port for each`;
    report.tell(place, "bind", message);
  }
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((entry) => other.has(entry));
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
