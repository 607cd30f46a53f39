/**
 * The header of the PROXY protocol, which tells an upstream whose connection this would be without
 * us. Written ahead of everything else, TLS included. Pure; who the client is, others decide.
 */
import { parseIp } from "../ip.ts";
import { latin1Bytes } from "./bytes.ts";

/** Whom a request is made for. */
export interface Party {
  readonly ip: string;
  readonly port: number;
}

const V2_SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** Version 2 in the upper half, the command in the lower one. */
const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
/** Family in the upper half, stream in the lower one. */
const TCP4 = 0x11;
const TCP6 = 0x21;

/**
 * Bytes that lead a connection made for the client; for one that is nobody's but ours (a probe), or whose
 * client has no address (a unix socket), undefined. What the client had dialled is told as zeros, as
 * Caddy tells it: upstreams seldom ask, and it must be of the client's own family.
 */
export function proxyHeader(version: "v1" | "v2", client: Party | undefined): Uint8Array {
  const ip = client === undefined ? undefined : parseIp(client.ip);
  const port = client?.port ?? 0;
  return version === "v1" ? firstVersion(ip, port) : secondVersion(ip, port);
}

function firstVersion(ip: readonly number[] | undefined, port: number): Uint8Array {
  if (ip === undefined) return latin1Bytes("PROXY UNKNOWN\r\n");
  const [family, anywhere] = ip.length === 4 ? ["TCP4", "0.0.0.0"] : ["TCP6", "::"];
  return latin1Bytes(`PROXY ${family} ${spelled(ip)} ${anywhere} ${port} 0\r\n`);
}

function secondVersion(ip: readonly number[] | undefined, port: number): Uint8Array {
  if (ip === undefined) return Uint8Array.of(...V2_SIGNATURE, V2_LOCAL, 0, 0, 0);
  const anywhere = ip.map(() => 0);
  const addresses = [...ip, ...anywhere, port >> 8, port & 0xff, 0, 0];
  const family = ip.length === 4 ? TCP4 : TCP6;
  return Uint8Array.of(...V2_SIGNATURE, V2_PROXY, family, 0, addresses.length, ...addresses);
}

function spelled(ip: readonly number[]): string {
  if (ip.length === 4) return ip.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => {
    return (((ip[2 * at] ?? 0) << 8) | (ip[2 * at + 1] ?? 0)).toString(16);
  });
  return groups.join(":");
}
