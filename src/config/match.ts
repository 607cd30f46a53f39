/**
 * Reads what requests are matched by: hosts and paths of routes, blocks of trusted addresses. Pure.
 */
import type { Cidr } from "../model.ts";
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
  const [ip = "", bitsText] = text.split("/", 2);
  const bytes = ip.includes(":") ? toBytes6(ip) : toBytes4(ip);
  if (bytes === undefined || text.split("/").length > 2) return undefined;

  const bitsMax = bytes.length * 8;
  if (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText)) return undefined;
  const bits = bitsText === undefined ? bitsMax : Number(bitsText);
  if (bits > bitsMax) return undefined;

  // Peers on a dual-stack socket are compared as IPv4, so a mapped block must be one too.
  const mapped = bytes.length === 16 && bits >= 96 &&
    bytes.slice(0, 12).every((byte, at) => byte === (at < 10 ? 0 : 255));
  return mapped ? { bytes: bytes.slice(12), bits: bits - 96 } : { bytes, bits };
}

function toBytes4(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  const fits = parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return fits ? parts.map(Number) : undefined;
}

function toBytes6(text: string): readonly number[] | undefined {
  // The URL parser checks the many forms of IPv6 and leaves one: hexadecimal, "::" at most once.
  const host = toHost(`[${text}]`);
  if (host === undefined) return undefined;
  const [head = "", tail] = host.slice(1, -1).split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...gap, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
