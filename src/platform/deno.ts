/**
 * The platform on Deno: `Deno.serve` and Deno's `fetch`, with the knobs that keep bytes as they
 * are as far as there are any. Same order and same promises as `bun.ts`.
 */
import { fileURLToPath } from "node:url";
import bcrypt from "bcryptjs";
import { compressor } from "./compress.ts";
import { names } from "./dns.ts";
import { errandBy } from "./errand.ts";
import { send } from "./errand_deno.ts";
import { files, followParent, onKey, onUncaught, spawnChild, terminal } from "./host.ts";
import { privateFiles } from "./host_store.ts";
import { dial, listen as listenBytes } from "./net_node.ts";
import type { FetchFailure, FetchOptions, Platform } from "./platform.ts";
import { askLine, runProgram, stayAwake } from "./programs.ts";
import { serve } from "./serve_deno.ts";
import { socketOpener } from "./sockets_deno.ts";
import { tellSupervisor } from "./supervisor_deno.ts";
import { certificateFacts, tlsContext } from "./tls_context.ts";
import { usage } from "./usage.ts";
import { clock, hmacSha256, knock, messageOf, passwordChecker, randomBytes } from "./web.ts";

const PROXY_VARIABLES: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** Connections by how they are made; Deno decides on reuse and unix sockets for a whole client. */
const clients = new Map<string, Deno.HttpClient>();

function clientFor(fresh: boolean, unixPath: string | undefined): Deno.HttpClient {
  const key = `${fresh} ${unixPath ?? ""}`;
  const known = clients.get(key);
  if (known !== undefined) return known;

  const client = withoutProxy(() =>
    Deno.createHttpClient({
      allowHost: true,
      http2: false,
      ...(fresh ? { poolMaxIdlePerHost: 0 } : {}),
      ...(unixPath === undefined ? {} : { proxy: { transport: "unix", path: unixPath } }),
    })
  );
  clients.set(key, client);
  return client;
}

/** HTTP_PROXY is for this machine's own errands, not for its upstreams; it is read as a client is made. */
function withoutProxy<T>(make: () => T): T {
  const held = PROXY_VARIABLES.flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, Deno.env.get(name)] as const);
  for (const [name] of held) Deno.env.delete(name);
  try {
    return make();
  } finally {
    for (const [name, value] of held) if (value !== undefined) Deno.env.set(name, value);
  }
}

async function fetchBytes(url: string, options: FetchOptions): Promise<Response> {
  const response = await fetch(url, {
    method: options.method,
    headers: options.headers,
    signal: options.signal,
    redirect: "manual",
    client: clientFor(options.fresh, options.unixPath),
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  return relabelled(response);
}

/** Deno unpacks gzip and br unasked and leaves the labels of the packed body on it. */
function relabelled(response: Response): Response {
  const encoding = response.headers.get("content-encoding") ?? "";
  if (response.body === null || !/^(gzip|br)$/i.test(encoding)) return response;
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** Deno has no codes, only words. Those of a dial stand behind "(Connect)". */
const DIAL_WORDS: readonly (readonly [RegExp, FetchFailure["code"]])[] = [
  [/refused|no such file/i, "refused"],
  [/dns error|lookup/i, "unknown_host"],
  [/timed out/i, "dial_timeout"],
  // Before the words of TLS, which name the peer too.
  [/reset by peer/i, "closed"],
  [/certificate|corrupt message|handshake|tls|alert|peer/i, "tls"],
  [/unreachable|no route|not available/i, "unreachable"],
];

function explain(error: unknown): FetchFailure {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const detail = cause instanceof Error ? cause.message : messageOf(error);
  // Browsers' list of forbidden ports: nothing is dialled.
  if (/Requests to port \d+ are blocked/.test(detail)) {
    return { dialFailed: true, code: "unreachable", detail };
  }
  if (/\(Connect\)|WebSocket: (tcp connect|dns) error/.test(detail)) {
    // The address in front of it could contain any of the words.
    const words = detail.slice(detail.search(/\(Connect\)|WebSocket: /));
    const [, code] = DIAL_WORDS.find(([pattern]) => pattern.test(words)) ?? [];
    return { dialFailed: true, code: code ?? "refused", detail };
  }
  const broke = /invalid|parse|status code/i.test(detail.replace(/^.*client error/, ""));
  return { dialFailed: false, code: broke ? "protocol" : "closed", detail };
}

export const platform: Platform = {
  runtime: `Deno ${Deno.version.deno}`,
  clock,
  args: Deno.args,
  env: (name) => Deno.env.get(name),
  random: () => Math.random(),
  randomBytes,
  hmacSha256,
  passwordMatches: passwordChecker((password, hash) => bcrypt.compare(password, hash)),
  compressor,
  followParent: () => followParent((code) => Deno.exit(code)),

  serve,
  fetch: fetchBytes,
  explain,
  errand: errandBy(send, explain),
  listen: listenBytes,
  showsTlsProofs: false,
  tlsContext,
  certificateFacts,
  dial,
  knock: (address, timeoutMs, signal) => knock(dial, address, { timeoutMs, signal }),
  names,
  openSocket: socketOpener(() => clientFor(true, undefined)),

  ...files,
  ...privateFiles,

  onSignal(name, handler) {
    try {
      // Not `process.on`: with SIGUSR1 that would open the debugger's port as well.
      Deno.addSignalListener(name, handler);
    } catch {
      return () => {}; // Windows knows fewer signals.
    }
    return () => Deno.removeSignalListener(name, handler);
  },
  onUncaught,
  stdout: terminal(1),
  stderr: terminal(2),
  onKey,
  askLine,
  program: [Deno.execPath(), ...startArgs()],
  runProgram,
  stayAwake,
  tellSupervisor,
  usage,
  spawnSelf: (args) => spawnChild(Deno.execPath(), [...startArgs(), ...args]),
  exit: (code) => Deno.exit(code),
};

function startArgs(): readonly string[] {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url).href);
  return ["run", "-A", "--no-lock", "--quiet", "--unstable-no-legacy-abort", main];
}
