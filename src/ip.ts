/** IP addresses as bytes, and whether a block holds one. Pure; knows no names but "localhost", and no ports. */
import type { Cidr } from "./rules.ts";

/** 4 bytes for IPv4 (also when mapped into IPv6), 16 for IPv6 without its zone; undefined for anything else. */
export function parseIp(text: string): readonly number[] | undefined {
  const bytes = text.includes(":") ? parseIpv6(text.replace(/%.*$/, "")) : parseIpv4(text);
  return bytes?.length === 16 && isMapped(bytes) ? bytes.slice(12) : bytes;
}

export function inCidr(ip: readonly number[], { bytes, bits }: Cidr): boolean {
  if (ip.length !== bytes.length) return false;
  for (let at = 0, left = bits; left > 0; at++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((ip[at] ?? 0) & mask) !== ((bytes[at] ?? 0) & mask)) return false;
  }
  return true;
}

const LOOPBACK: Cidr = { bytes: [127, 0, 0, 0], bits: 8 };

/** Whether that host is this machine, so that nobody else can connect to it. */
export function isLoopback(host: string): boolean {
  const ip = parseIp(host);
  if (ip === undefined) return host === "localhost";
  return ip.length === 4
    ? inCidr(ip, LOOPBACK)
    : ip.every((byte, at) => byte === (at === 15 ? 1 : 0));
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => /^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256);
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  // The dotted form is for the last 32 bits only (RFC 4291 section 2.2).
  const [head, tail] = halves.map((half, at) => groups(half, at === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;

  const gap = 16 - head.length - tail.length;
  return gap >= 2 ? [...head, ...Array.from({ length: gap }, () => 0), ...tail] : undefined;
}

function groups(text: string, mayEndDotted: boolean): number[] | undefined {
  const bytes: number[] = [];
  if (text === "") return bytes;
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    const isLast = mayEndDotted && at === parts.length - 1;
    const dotted = isLast && part.includes(".") ? parseIpv4(part) : undefined;
    if (dotted !== undefined) {
      bytes.push(...dotted);
      continue;
    }
    if (!/^[\da-f]{1,4}$/i.test(part)) return undefined;
    const group = parseInt(part, 16);
    bytes.push(group >> 8, group & 0xff);
  }
  return bytes;
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}
