/**
 * What both runtimes do alike: time, listening errors in words, knocking, failures of a dial by
 * code, and the header list of a WebSocket handshake. `bun.ts` and `deno.ts` add the rest.
 */
import type { EndSignal } from "../end.ts";
import { createHmac, getRandomValues } from "node:crypto";
import { rm } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { spellAddress } from "../address.ts";
import type { Address } from "../rules.ts";
import {
  type Clock,
  type ConnectionEvents,
  type DialLimits,
  type DialResult,
  type FetchFailure,
  ListenError,
  type Platform,
} from "./platform.ts";

/** `setTimeout` fires at once when asked for more (32 bits, signed). */
const TIMER_MAX_MS = 0x7fff_ffff;

export const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after,
  soon: (callback) => void setImmediate(callback),
  sleep,
};

function after(ms: number, callback: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(Math.max(leftMs, 0), TIMER_MAX_MS);
    timer = setTimeout(() => leftMs > stepMs ? arm(leftMs - stepMs) : callback(), stepMs);
    timer.unref();
  };
  arm(ms);
  return () => clearTimeout(timer);
}

/** Nobody asks for its trace: it only says that the rest of a wait was not wanted. */
const CUT_SHORT = new Error("Sleep was cut short");

function sleep(ms: number, signal?: EndSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(CUT_SHORT);
    const cancel = after(ms, () => {
      signal?.removeEventListener("abort", give);
      resolve();
    });
    const give = (): void => {
      cancel();
      reject(CUT_SHORT);
    };
    signal?.addEventListener("abort", give, { once: true });
  });
}

export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return getRandomValues(new Uint8Array(count));
}

export function hmacSha256(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** More bytes than these bcrypt leaves out of account. */
const PASSWORD_MAX_BYTES = 72;

/** Keeps from `verify` what libraries judge in different ways. */
export function passwordChecker(
  verify: (password: string, hash: string) => Promise<boolean>,
): Platform["passwordMatches"] {
  return async (password, hash) => {
    const { length } = new TextEncoder().encode(password);
    if (length === 0 || length > PASSWORD_MAX_BYTES || password.includes("\0")) return false;
    // Letters of the version differ in what old libraries did wrong, not in what is right.
    return await verify(password, hash.replace(/^\$2[axy]?\$/, "$2b$"));
  };
}

/** An IPv4 peer of a dual-stack socket shows as `::ffff:192.0.2.1`; the log and XFF want the IPv4. */
export function plainIp(ip: string): string {
  return ip.startsWith("::ffff:") && ip.includes(".") ? ip.slice(7) : ip;
}

/** Hosts to try for an address in turn: an empty host is every interface, IPv6 with IPv4 where there is IPv6. */
export function hostsOf(host: string): readonly string[] {
  return host === "" ? ["::", "0.0.0.0"] : [host];
}

/** Whether the machine lacks the whole address family, which is when `hostsOf` has a second choice. */
export function lacksFamily(error: unknown): boolean {
  return textOf(error, "code") === "EAFNOSUPPORT" || /family not supported/i.test(messageOf(error));
}

const LISTEN_WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EADDRNOTAVAIL: "this machine has no such address",
  EAFNOSUPPORT: "this machine has no such kind of address",
  ENOENT: "no such directory",
  ENOTDIR: "no such directory",
};

export function listenError(address: Address, error: unknown): ListenError {
  const code = textOf(error, "code");
  const taken = code === "EADDRINUSE" && address.kind === "unix";
  const [firstLine = ""] = messageOf(error).split("\n");
  const words = taken ? "another process listens there" : LISTEN_WORDS[code] ?? firstLine;
  return new ListenError(`Cannot listen on ${spellAddress(address)}: ${words}`, { cause: error });
}

/**
 * Removes the file that a process left behind which listened there and died; a socket that
 * someone still answers stays, and listening fails as it should.
 */
export async function removeStaleSocket(path: string, dial: Platform["dial"]): Promise<void> {
  const limits = { timeoutMs: 1000, signal: AbortSignal.timeout(2000) };
  const result = await knock(dial, { kind: "unix", path }, limits);
  if (result.kind === "failed" && result.code === "refused") await rm(path, { force: true });
}

/** Hears nothing: for connections that are hung up at once, or that nobody has taken yet. */
export const DEAF: ConnectionEvents = { data() {}, drained() {}, closed() {} };

/** Tells by a connection that is made and hung up at once whether one can be made. */
export async function knock(
  dial: Platform["dial"],
  address: Address,
  limits: DialLimits,
): Promise<DialResult> {
  const dialled = await dial(address, DEAF, limits);
  if (dialled.kind !== "connected") return dialled;
  dialled.connection.close();
  return { kind: "connected" };
}

const REFUSAL_MAX_MS = 1000;

/** Puts the failure of a dial into the port's words. */
export function dialFailure(
  error: unknown,
  elapsedMs: number,
): Extract<DialResult, { kind: "failed" }> {
  const code = dialCode(textOf(error, "code")) ?? "unreachable";
  // A refusal takes one round trip. Bun's sockets say "refused" also when, seconds later, the
  // system has given up on a host that is off.
  const late = code === "refused" && elapsedMs > REFUSAL_MAX_MS;
  return { kind: "failed", code: late ? "unreachable" : code, detail: messageOf(error) };
}

const DIAL_CODES: Readonly<Record<string, FetchFailure["code"]>> = {
  ECONNREFUSED: "refused",
  ConnectionRefused: "refused",
  // What a unix socket says when nobody listens there.
  ENOENT: "refused",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  EACCES: "unreachable",
  ETIMEDOUT: "dial_timeout",
  ENOTFOUND: "unknown_host",
  EAI_AGAIN: "unknown_host",
  EAI_FAIL: "unknown_host",
  EAI_NODATA: "unknown_host",
  EAI_NONAME: "unknown_host",
};

/** What a system's error code says about a dial; undefined when it speaks of something else. */
export function dialCode(code: string): FetchFailure["code"] | undefined {
  return DIAL_CODES[code];
}

/** Fields of a handshake that the runtime writes itself; given twice they make it invalid. */
const OWN_HANDSHAKE_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "upgrade",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "content-length",
  "transfer-encoding",
]);

export function handshakeFields(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !OWN_HANDSHAKE_FIELDS.has(name)));
}

/** Property of an error as text; empty when it has none of that name. */
export function textOf(error: unknown, name: string): string {
  if (typeof error !== "object" || error === null) return "";
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : "";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
