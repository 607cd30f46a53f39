/** Turns the hosts of a site that are served alike into a route, with its steps and error steps. */
import { placeOf } from "./directive.ts";
import type { Group } from "./site_ports.ts";
import { type Place, WrittenList, WrittenMap, type WrittenNode } from "./written.ts";

export function routesOf({ site, token, hosts, path }: Group): readonly WrittenMap[] {
  const { steps, errors, comments, isBare } = site;
  const at = placeOf(token, "");
  const made = isBare ? byHost(steps) : undefined;
  const parts = made ?? [{ hosts: undefined, steps }];
  return parts.map((part) => {
    const route = new WrittenMap(at);
    const [host = "*", ...others] = hosts;
    if (part.hosts !== undefined) route.set("host", part.hosts, at);
    else if (others.length > 0) route.set("host", hosts, at);
    else if (host !== "*") route.set("host", host, at);
    const prefix = path.replace(/\/?\*$/, "");
    if (prefix !== "" && prefix !== "/") route.set("path", prefix, at);
    const hasPattern = path !== "" && path !== "/*" && path !== "/" && path !== "*";
    putSteps(route, hasPattern ? underPath(part.steps, path, at) : part.steps);
    if (errors.items.length > 0) route.set("errors", errors, errors.at);
    const [key] = route.entries.keys();
    if (key !== undefined) route.lead(key, comments);
    return route;
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
