/**
 * Reads what requests are matched by: hosts and paths of routes, blocks of trusted addresses. Pure.
 */
import { parseIp } from "../ip.ts";
import type { Cidr } from "../rules.ts";
import { toHost } from "./address.ts";
import { read, type Reading, refuse } from "./reading.ts";

const A_HOST = 'a host such as "ollama.example.com", "*.example.com" or "*"';
const A_BLOCK = 'an address block such as "192.168.0.0/16", or "private_ranges",';

/** What Caddy's word of the same name covers: private, loopback and unique local addresses. */
const PRIVATE_RANGES = [
  "192.168.0.0/16",
  "172.16.0.0/12",
  "10.0.0.0/8",
  "127.0.0.1/8",
  "fd00::/8",
  "::1",
];

/** Reads a host pattern: lower case, punycode, `*.` for exactly one label, `*` for any. */
export function readHost(written: unknown): Reading<string> {
  if (typeof written !== "string" || written === "") return refuse(A_HOST);
  if (written === "*") return read("*");
  if (written.includes("/")) return refuse("a host without scheme and path");
  if (/^(\[[^\]]*\]|[^:]*):\d*$/.test(written)) return refuse("a host without a port");

  const [, wild = "", rest = ""] = /^(\*\.)?(.*?)\.?$/s.exec(written) ?? [];
  const host = toHost(rest);
  if (host === undefined) return refuse(A_HOST);
  if (wild !== "" && /^\[|^[\d.]+$/.test(host)) return refuse(A_HOST);
  return read(`${wild}${host}`);
}

/** Reads a path prefix. */
export function readPath(written: unknown): Reading<string> {
  const expected = 'a path prefix such as "/api"';
  if (typeof written !== "string" || !written.startsWith("/")) return refuse(expected);
  if (written.includes("*")) return refuse(`${expected}, without "*",`);
  return /^[^\s?#\p{C}]+$/u.test(written) ? read(written) : refuse(expected);
}

/** Reads a block, a single address or the word for all private ones. */
export function readTrusted(written: unknown): Reading<readonly Cidr[]> {
  if (typeof written !== "string") return refuse(A_BLOCK);
  const blocks = (written === "private_ranges" ? PRIVATE_RANGES : [written]).map(toCidr);
  const known = blocks.filter((block) => block !== undefined);
  return known.length === blocks.length ? read(known) : refuse(A_BLOCK);
}

function toCidr(text: string): Cidr | undefined {
  const [ip = "", bitsText, ...surplus] = text.split("/");
  const bytes = ip.includes("%") ? undefined : parseIp(ip);
  if (bytes === undefined || surplus.length > 0) return undefined;

  const writtenBits = ip.includes(":") ? 128 : 32;
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return undefined;
  const bits = bitsText === undefined ? writtenBits : Number(bitsText);
  // An IPv4 block may be written as a part of IPv6; a larger one that only touches IPv4 makes no sense.
  const ownBits = bits - (writtenBits - bytes.length * 8);
  return bits <= writtenBits && ownBits >= 0 ? { bytes, bits: ownBits } : undefined;
}
