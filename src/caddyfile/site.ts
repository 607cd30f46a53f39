/** Turns one site into routes: its body into steps and error steps, its addresses into hosts, paths and ports. */
import { readAddress, type SiteAddress } from "./address.ts";
import { readSiteLog } from "./core_log.ts";
import { type Directive, placeOf, type Token } from "./directive.ts";
import { type Globals, readBind } from "./globals.ts";
import type { Site } from "./layout.ts";
import { isMatcher } from "./matcher.ts";
import { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import { servedPort } from "./tls.ts";
import {
  joinedComments,
  type Place,
  WrittenList,
  WrittenMap,
  type WrittenNode,
} from "./written.ts";

/** A route that does not know yet whether it needs to name its ports. */
export interface SiteRoute {
  readonly route: WrittenMap;
  readonly ports: readonly number[];
}

export interface SiteRead {
  readonly routes: readonly SiteRoute[];
  /** Addresses to listen on: where and on which port. */
  readonly listeners: readonly {
    readonly at: Place;
    readonly bind: string;
    readonly port: number;
  }[];
}

export interface SiteScope {
  readonly session: Session;
  readonly globals: Globals;
  readonly root: WrittenMap;
}

/** Directives that are about the site as a whole. */
export const SITE_DIRECTIVES: readonly string[] = ["bind", "handle_errors", "log", "tls"];

export function readSite(site: Site, { session, globals, root }: SiteScope): SiteRead {
  const scope = new Scope(session);
  const whole = site.body.filter(isWhole);
  const body = bodyOf(site, whole, { scope, session, root });
  const addresses = site.addresses.flatMap((token) => addressOf(token, { session, globals }));
  const own = whole.filter(({ name }) => name.text === "bind");
  const binds = own.length === 0 ? globals.binds : own.flatMap((line) => readBind(line, scope));

  const groups = site.addresses.length === 0
    ? [{ hosts: [], path: "", ports: [], token: site.token }]
    : groupsOf(addresses);
  // Lines about the whole site have no place of their own but this.
  const homeless = whole.filter(({ name }) => name.text === "bind" || name.text === "log");
  const comments = joinedComments([site.comments, ...homeless.map((line) => line.comments)]);
  const routes = groups.flatMap((group) => routesOf(group, body, { ...site, comments }));
  const listeners = addresses.flatMap(({ token, port }) =>
    (binds.length === 0 ? [undefined] : binds).map((bind) => ({
      at: placeOf(bind ?? token, bind === undefined ? "" : "bind"),
      bind: bind === undefined ? "" : spelledHost(bind.text),
      port,
    }))
  );
  return { routes, listeners };
}

interface Body {
  readonly steps: WrittenList;
  readonly errors: WrittenList;
}

function isWhole({ name: { text, quoted } }: Directive): boolean {
  return quoted === undefined && SITE_DIRECTIVES.includes(text);
}

function bodyOf(
  site: Site,
  whole: readonly Directive[],
  { scope, session, root }: { scope: Scope; session: Session; root: WrittenMap },
): Body {
  const steps = scope.steps(site.body.filter((line) => !isWhole(line)), "");
  const errors = new WrittenList(placeOf(site.token, "handle_errors"));
  const matchers = site.body.filter(isMatcher);
  const inErrors = new Scope(session);
  for (const line of whole) {
    if (line.name.text === "tls") scope.refuse(line.name, "tls");
    if (line.name.text === "handle_errors") readErrors(line, matchers, { scope: inErrors, errors });
    if (line.name.text !== "log") continue;
    const unlogged = readSiteLog(line, root, scope);
    if (unlogged !== undefined) steps.items.unshift(unlogged);
  }
  return { steps, errors };
}

function readErrors(
  line: Directive,
  matchers: readonly Directive[],
  { scope, errors }: { scope: Scope; errors: WrittenList },
): void {
  const where = "handle_errors";
  const { name, args, block = [] } = line;
  const at = placeOf(name, where);
  const rule = new WrittenMap(at);
  for (const arg of args) {
    if (/^[1-9](?:\d\d|xx)$/.test(arg.text)) {
      const status = arg.text.endsWith("xx") ? arg.text : Number(arg.text);
      rule.list("status", at).add(status, placeOf(arg, where));
      continue;
    }
    scope.problem(arg, where, `Expected a status such as 404 or "5xx" but received "${arg.text}"`);
  }
  const own = new Set(block.filter(isMatcher).map((matcher) => matcher.name.text));
  const inherited = matchers.filter((matcher) => !own.has(matcher.name.text));
  rule.set("steps", scope.steps([...inherited, ...block], where), at);
  const [key = "steps"] = rule.entries.keys();
  errors.add(rule.comment(key, line.comments), at);
  scope.took(name, where);
}

interface Address extends SiteAddress {
  readonly port: number;
}

function addressOf(
  token: Token,
  { session, globals }: Pick<SiteScope, "session" | "globals">,
): Address[] {
  const read = readAddress(token);
  if (read.kind === "wrong") {
    session.report.tell(token, "", read.message);
    return [];
  }
  const served = servedPort(read.address, globals);
  if (served.kind === "served") return [{ ...read.address, port: served.port }];
  session.report.tell(token, "", served.message);
  return [];
}

interface Group {
  readonly token: Token;
  readonly hosts: readonly string[];
  readonly path: string;
  readonly ports: readonly number[];
}

/** Hosts that are served on the same ports and path share a route. */
function groupsOf(addresses: readonly Address[]): readonly Group[] {
  const byHost = Map.groupBy(addresses, ({ host, path }) => `${host.toLowerCase()} ${path}`);
  const hosts = [...byHost.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined
      ? []
      : [{ ...first, ports: [...new Set(same.map(({ port }) => port))] }];
  });
  const byPorts = Map.groupBy(hosts, ({ path, ports }) => `${ports.toSorted().join()} ${path}`);
  return [...byPorts.values()].flatMap((same): Group[] => {
    const [first] = same;
    if (first === undefined) return [];
    const { token, path, ports } = first;
    return [{ token, path, ports, hosts: same.map(({ host }) => host === "" ? "*" : host) }];
  });
}

function routesOf(group: Group, { steps, errors }: Body, site: Site): SiteRoute[] {
  const { token, path, ports } = group;
  const at = placeOf(token, "");
  const made = site.addresses.length === 0 ? byHost(steps) : undefined;
  const parts = made ?? [{ hosts: undefined, steps }];
  return parts.map((part) => {
    const route = new WrittenMap(at);
    const [host = "*", ...others] = group.hosts;
    if (part.hosts !== undefined) route.set("host", part.hosts, at);
    else if (others.length > 0) route.set("host", group.hosts, at);
    else if (host !== "*") route.set("host", host, at);
    const prefix = path.replace(/\/?\*$/, "");
    if (prefix !== "" && prefix !== "/") route.set("path", prefix, at);
    const hasPattern = path !== "" && path !== "/*" && path !== "/" && path !== "*";
    putSteps(route, hasPattern ? underPath(part.steps, path, at) : part.steps);
    if (errors.items.length > 0) route.set("errors", errors, errors.at);
    const [key] = route.entries.keys();
    if (key !== undefined) route.lead(key, site.comments);
    return { route, ports };
  });
}

/** Caddy's path is exact but for a `*`, where that of a route is a prefix. */
function underPath(steps: WrittenList, path: string, at: Place): WrittenList {
  const step = new WrittenMap(at);
  step.map("match", at).set("path", path, at);
  const list = new WrittenList(at);
  list.items.push(step.set("steps", steps, at));
  return list;
}

/** A route with nothing but a pool is written as one. */
function putSteps(route: WrittenMap, steps: WrittenList): void {
  const [only, ...others] = steps.items;
  if (only === undefined) {
    // A site that does nothing answers with an empty 200.
    const list = route.list("steps", steps.at);
    list.items.push(new WrittenMap(steps.at).set("respond", 200, steps.at));
    return;
  }
  const proxy = only.kind === "map" && !only.has("match") ? only.get("proxy") : undefined;
  if (only.kind !== "map" || proxy?.kind !== "map" || others.length > 0) {
    route.set("steps", steps, steps.at);
    return;
  }
  for (const [key, { node, at }] of proxy.entries) {
    route.set(key, node, at).comment(key, proxy.commentsOf(key));
  }
  const [key] = proxy.entries.keys();
  if (key !== undefined) route.lead(key, only.commentsOf("proxy"));
}

interface Part {
  readonly hosts: WrittenNode | undefined;
  readonly steps: WrittenList;
}

/** Without an address, hosts that the body asks for are the hosts of its routes. */
function byHost(steps: WrittenList): readonly Part[] | undefined {
  const [only, ...others] = steps.items;
  if (only?.kind !== "map" || others.length > 0) return undefined;
  const match = only.get("match");
  const hosts = match?.kind === "map" && match.entries.size === 1 ? match.get("host") : undefined;
  if (hosts === undefined) return undefined;
  const list = new WrittenList(steps.at);
  const inner = only.get("steps");
  if (inner?.kind === "list") list.items.push(...inner.items);
  else {
    const step = new WrittenMap(only.at);
    for (const [key, { node, at }] of only.entries) {
      if (key !== "match") step.set(key, node, at).comment(key, only.commentsOf(key));
    }
    const [key] = step.entries.keys();
    if (key !== undefined) step.lead(key, only.commentsOf("match"));
    list.items.push(step);
  }
  return [{ hosts, steps: list }];
}

/** An address as listeners are spelled. */
function spelledHost(text: string): string {
  const host = text.replace(/^tcp[46]?\//, "");
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
