/**
 * What `Host` and a request target may look like (RFC 9110 section 7.2, RFC 9112 section 3.2). Narrower
 * than the grammar of URIs: routing and upstreams must read one and the same name out of it.
 */
import { COLON, HOST } from "./bytes.ts";

const DOT = 0x2e;

/** Longest DNS name with its trailing dot. */
const NAME_LENGTH_MAX = 254;

/** Tells whether that is a host name, an IPv4 address or a bracketed IPv6 address, and maybe a port. */
export function isAuthority(text: string): boolean {
  if (text.startsWith("[")) return isBracketed(text);
  let labelLength = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) break;
    if (code !== DOT && HOST[code] !== 1) return false;
    if (code === DOT && labelLength === 0) return false;
    labelLength = code === DOT ? 0 : labelLength + 1;
  }
  return at > 0 && at <= NAME_LENGTH_MAX && isPort(text, at);
}

/** Nothing, or a colon and a number up to 65535, or a colon alone, which RFC 3986 allows. */
function isPort(text: string, start: number): boolean {
  let port = 0;
  for (let at = start + 1; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9 || at - start > 5) return false;
    port = 10 * port + digit;
  }
  return port <= 65535;
}

const BRACKETED = /^\[([0-9A-Fa-f:.]{2,45})\](?::([0-9]{0,5}))?$/;
const IPV4_TAIL = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

function isBracketed(text: string): boolean {
  const match = BRACKETED.exec(text);
  if (match === null) return false;
  return Number(match[2] ?? 0) <= 65535 && isIpv6(match[1] ?? "");
}

/** No zones: they mean something on one machine only. */
function isIpv6(text: string): boolean {
  const [, front, ...numbers] = IPV4_TAIL.exec(text) ?? [];
  if (numbers.some((number) => Number(number) > 255)) return false;
  const halves = (front === undefined ? text : `${front}0:0`).split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  if (!groups.every((group) => GROUP.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

/** What a request target asks for: always a path in origin form (or `*`), and maybe its own authority. */
export interface Target {
  /** Path and query as sent, or `*`. */
  readonly path: string;
  /** Authority of an absolute-form target, which outranks `Host`. */
  readonly authority: string | undefined;
}

/** Reads a target whose bytes the request line has checked; undefined when it has none of the allowed forms. */
export function readTarget(method: string, target: string): Target | undefined {
  if (target.startsWith("/")) return { path: target, authority: undefined };
  if (target === "*") return method === "OPTIONS" ? { path: "*", authority: undefined } : undefined;
  const match = ABSOLUTE.exec(target);
  const authority = match?.[1];
  if (authority === undefined || !isAuthority(authority)) return undefined;
  return { path: originForm(method, target.slice(match?.[0].length)), authority };
}

const ABSOLUTE = /^https?:\/\/([^/?]*)/i;

/** An absolute URI may leave its path out; OPTIONS then means the whole server (RFC 9112 section 3.2.4). */
function originForm(method: string, rest: string): string {
  if (rest === "") return method === "OPTIONS" ? "*" : "/";
  return rest.startsWith("/") ? rest : `/${rest}`;
}
