/**
 * Reads the places of a configuration: where to listen and where an upstream is. Pure.
 * The host of a listening ":8080" is "": the platform decides which wildcard, IPv6 or IPv4, the
 * machine can bind. IPv6 hosts are stored without brackets and spelled with them in an authority.
 */
import type { Address } from "../rules.ts";
import { read, type Reading, refuse } from "./reading.ts";

/** One upstream as its address alone tells of it. */
export interface UpstreamPlace {
  readonly scheme: "http" | "https" | "h2c";
  readonly address: Address;
  readonly authority: string;
  /** Host and port, which names it unless the operator does. */
  readonly name: string;
}

const AN_UPSTREAM = 'an upstream such as "http://192.168.1.5:11434"';
const A_LISTENER = 'an address such as ":8080"';
const DEFAULT_PORT = { http: 80, https: 443, h2c: 80 } as const;
const RANGE_MAX = 256;
// One byte less than sun_path of Linux, for the NUL at its end.
const UNIX_PATH_MAX = 107;

/** Reads `:8080`, `127.0.0.1:8080`, `[::1]:8080` or `host:8080`. Port 0 lets the system choose. */
export function readListen(written: unknown): Reading<Address> {
  if (typeof written === "number") return refuse(`${A_LISTENER}, in quotes,`);
  if (typeof written !== "string") return refuse(A_LISTENER);
  if (written.startsWith("*:")) return refuse(`":port" for all interfaces`);

  const parts = splitHostPort(written);
  const port = toPort(parts?.port, 0);
  if (parts === undefined || port === undefined) return refuse(A_LISTENER);
  if (parts.host === "") return read({ kind: "tcp", host: "", port });

  const host = toHost(parts.host);
  return host === undefined ? refuse(A_LISTENER) : read({ kind: "tcp", host: bare(host), port });
}

/** Reads an address with its port, such as that of `health.upstream`. */
export function readHostPort(written: unknown): Reading<Address> {
  const reading = readListen(written);
  const fits = reading.kind === "read" && reading.value.kind === "tcp" &&
    reading.value.host !== "" && reading.value.port !== 0;
  return fits ? reading : refuse('a host and port such as "192.168.1.5:11434"');
}

/** Reads an upstream address; a port range gives one place a port. */
export function readUpstream(written: unknown): Reading<readonly UpstreamPlace[]> {
  if (typeof written !== "string" || written === "") return refuse(AN_UPSTREAM);
  if (written.startsWith("unix")) {
    const unix = readUnix(written);
    if (unix !== undefined) return unix;
  }

  const [, prefix, rest = ""] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(written) ??
    ["", "", written];
  const scheme = prefix?.toLowerCase() || "http";
  if (scheme === "ws" || scheme === "wss") {
    return refuse('"http://" or "https://", which carry WebSockets too,');
  }
  if (scheme !== "http" && scheme !== "https" && scheme !== "h2c") return refuse(AN_UPSTREAM);

  return refusedPart(rest) ?? readTcp(scheme, rest);
}

/** Whether the text names several upstreams by a port range. */
export function isRange(written: string): boolean {
  return /:\d+-\d+$/.test(written);
}

/** Splits at the colon before the port; a bracketed host keeps its brackets. */
function splitHostPort(text: string): { host: string; port: string | undefined } | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(text);
  return match === null ? undefined : { host: match[1] ?? "", port: match[2] };
}

/** Lower case, punycode, addresses in their shortest form; undefined when it is no host. */
export function toHost(text: string): string | undefined {
  // `new URL` drops tabs and decodes percents, so what it would repair is refused before.
  if (!/^(?:\[[0-9a-f:.]+\]|[^\s/?#@:%\\[\]<>^|*{}"'`,;()=&!$+~\p{C}]+)$/iu.test(text)) {
    return undefined;
  }
  try {
    const host = new URL(`http://${text}/`).hostname;
    return host === "" ? undefined : host;
  } catch {
    return undefined;
  }
}

function toPort(text: string | undefined, least: number): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= least && port <= 65_535 ? port : undefined;
}

function bare(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

function readUnix(text: string): Reading<readonly UpstreamPlace[]> | undefined {
  const expected = 'a socket such as "unix//run/ollama.sock"';
  if (text.startsWith("unix:")) return refuse(expected);
  const [lead = "", isH2c] = /^unix(\+h2c)?\/(?=\/)/.exec(text) ?? [];
  if (lead === "") return undefined;

  const path = text.slice(lead.length);
  const usable = /^\/[^\p{Cc}]+$/u.test(path) && path.length <= UNIX_PATH_MAX;
  if (!usable) return refuse(`${expected} of at most ${UNIX_PATH_MAX} bytes`);
  // A socket has no host; RFC 9110 section 7.2 still asks for the field.
  return read([{
    scheme: isH2c === undefined ? "http" : "h2c",
    address: { kind: "unix", path },
    authority: "localhost",
    name: path,
  }]);
}

/** Refuses what an address must not hold; the message never repeats credentials. */
function refusedPart(rest: string): Reading<readonly UpstreamPlace[]> | undefined {
  if (rest.includes("@")) return refuse("an upstream without credentials", "one with them");
  if (rest.includes("#")) return refuse("an upstream without a fragment");
  if (rest.includes("?")) return refuse("an upstream without a query");
  if (rest.includes("/")) return refuse("an upstream without a path");
  return undefined;
}

function readTcp(scheme: UpstreamPlace["scheme"], rest: string): Reading<readonly UpstreamPlace[]> {
  const parts = splitHostPort(rest);
  const host = parts === undefined ? undefined : toHost(parts.host);
  if (parts === undefined || host === undefined) return refuse(AN_UPSTREAM);

  const written = parts.port ?? String(DEFAULT_PORT[scheme]);
  const [first, last = first, ...more] = written.split("-");
  const from = toPort(first, 1);
  const to = more.length > 0 ? undefined : toPort(last, 1);
  if (from === undefined || to === undefined) return refuse("a port from 1 to 65535");
  if (to < from) return refuse("a port range that ends after it begins");
  if (to - from >= RANGE_MAX) return refuse(`a range of at most ${RANGE_MAX} ports`);

  if (scheme !== "https" && from === 443 && to === 443) {
    return refuse('"https://" with port 443');
  }
  if (scheme === "https" && from === 80 && to === 80) return refuse('"http://" with port 80');

  const ports = Array.from({ length: to - from + 1 }, (_, step) => from + step);
  return read(ports.map((port): UpstreamPlace => ({
    scheme,
    address: { kind: "tcp", host: bare(host), port },
    authority: port === DEFAULT_PORT[scheme] ? host : `${host}:${port}`,
    name: `${host}:${port}`,
  })));
}
