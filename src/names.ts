/** Host names as certificates see them: which of them cover which, and which no public authority would sign. Pure. */
import { parseIp } from "./ip.ts";

/** Ends of names that are nobody's on the Internet: RFC 2606, 6761, 6762, 8375, 9476, and what routers at home make up. */
const PRIVATE_ENDS: ReadonlySet<string> = new Set([
  "localhost",
  "local",
  "internal",
  "home.arpa",
  "lan",
  "test",
  "example",
  "invalid",
]);

/** Whether only an authority of our own can give a certificate for it: an address, a bare name, a private domain. */
export function isPrivateName(name: string): boolean {
  if (parseIp(name) !== undefined) return true;
  const labels = name.replace(/^\*\./, "").split(".");
  return labels.length === 1 || PRIVATE_ENDS.has(labels.at(-1) ?? "") ||
    PRIVATE_ENDS.has(labels.slice(-2).join("."));
}

/** Underscores are no letters of hosts, and yet there are hosts with them. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Characters of a name, without the dot at its end (RFC 1035 section 2.3.4). */
export const NAME_MAX = 253;

/** Whether a host can be called so, lower case: a name that is no wildcard, or an address. */
export function isHost(name: string): boolean {
  return isDnsName(name) || (!name.includes("%") && parseIp(name) !== undefined);
}

/** Whether it is a name of hosts, lower case and without the dot at its end (RFC 1034 section 3.5). */
export function isDnsName(name: string): boolean {
  const labels = name.split(".");
  // A last label of digits makes it an address, if a wrong one.
  const isNumber = /^\d+$/.test(labels.at(-1) ?? "");
  return name.length <= NAME_MAX && !isNumber && labels.every((label) => LABEL.test(label));
}

/** Whether a name of a certificate or a route is for this name: itself, or `*.` for one label (RFC 9525). */
export function covers(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  return pattern.startsWith("*.") && wildcardOf(name) === pattern;
}

/** The wildcard that would cover the name; undefined for an address, and for a name of one label. */
export function wildcardOf(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot <= 0 || parseIp(name) !== undefined ? undefined : `*${name.slice(dot)}`;
}

/** Hosts of routes that may get what is asked of a name, or of a wildcard: itself, its wildcard, any. */
export function hostsFor(name: string): readonly string[] {
  const wildcard = wildcardOf(name);
  return wildcard === undefined ? [name, "*"] : [name, wildcard, "*"];
}

/** The host of a route as certificates spell it: an IPv6 address without brackets. */
export function bareHost(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}
