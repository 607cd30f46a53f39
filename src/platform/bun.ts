/// <reference types="bun" />
/**
 * The platform on Bun: `Bun.serve` and Bun's `fetch`, with the knobs that keep bytes as they are
 * and streams unhurried. Same order and same promises as `deno.ts`.
 */
import http from "node:http";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Address } from "../rules.ts";
import { compressor } from "./compress.ts";
import { names } from "./dns.ts";
import { errandBy } from "./errand.ts";
import { send } from "./errand_bun.ts";
import { files, followParent, onKey, onUncaught, spawnChild, terminal } from "./host.ts";
import { privateFiles } from "./host_store.ts";
import { dial, listen as listenBytes } from "./net_bun.ts";
import type { FetchFailure, FetchOptions, HttpServer, Platform } from "./platform.ts";
import { askLine, runProgram, stayAwake } from "./programs.ts";
import { serveQuic } from "./quic_bun.ts";
import { isCompiled } from "./reexec_bun.ts";
import { openSocket, type SocketData, socketData, socketHandlers } from "./sockets_bun.ts";
import { tellSupervisor } from "./supervisor_bun.ts";
import { certificateFacts, tlsContext } from "./tls_context.ts";
import { usage } from "./usage.ts";
import {
  clock,
  dialCode,
  hmacSha256,
  hostsOf,
  knock,
  lacksFamily,
  listenError,
  messageOf,
  passwordChecker,
  plainIp,
  randomBytes,
  removeStaleSocket,
  textOf,
} from "./web.ts";

// Bun's types give node's URLSearchParams a method that Deno's global one lacks; without this no
// `new URL()` could be handed to a function of node:* anywhere. Nobody shall call it.
declare global {
  interface URLSearchParams {
    toJSON(): Record<string, string>;
  }
}

type Server = Bun.Server<SocketData>;
type Handler = Parameters<Platform["serve"]>[1];

/** Bytes of a request's or a response's head, at most. Bun's own limit is 16 KiB. */
const HEAD_LIMIT_BYTES = 64 * 1024;

async function serve(address: Address, handler: Handler): Promise<HttpServer> {
  // Declared read-only, as in Node; Bun has a setter, and it holds for `Bun.serve` and `fetch` too.
  (http as { maxHeaderSize: number }).maxHeaderSize = HEAD_LIMIT_BYTES;
  try {
    if (address.kind === "unix") await removeStaleSocket(address.path, dial);
    return opened(address, listen(address, handler));
  } catch (error) {
    throw listenError(address, error);
  }
}

function listen(address: Address, handler: Handler): Server {
  const options = {
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: (request: Request, server: Server) => handle(request, server, handler),
    // Silent and bare: a bug has been reported where it was thrown, and clients get no details.
    error: () => new Response(null, { status: 500 }),
    websocket: socketHandlers,
  } as const;
  if (address.kind === "unix") return Bun.serve<SocketData>({ ...options, unix: address.path });

  const [first = "", second] = hostsOf(address.host);
  const overTcp = {
    ...options,
    port: address.port,
    // Bun's longest idle time is 255 s; a model may think for longer before its first byte.
    idleTimeout: 0,
    // Said out loud because `development: false` turns it on: a second proxy would share the port
    // silently instead of failing.
    reusePort: false,
  };
  const at = (hostname: string): Server => Bun.serve<SocketData>({ ...overTcp, hostname });
  try {
    return at(first);
  } catch (error) {
    if (second === undefined || !lacksFamily(error)) throw error;
    return at(second);
  }
}

async function handle(
  request: Request,
  server: Server,
  handler: Handler,
): Promise<Response | undefined> {
  // Without it an upload slower than 16 KB/s is cut.
  server.timeout(request, 0);
  // Null on a unix socket, and after an upgrade.
  const from = server.requestIP(request);
  let upgraded: Response | undefined;

  const response = await handler(request, {
    peer: { ip: plainIp(from?.address ?? ""), port: from?.port ?? 0 },
    scheme: "http",
    upgrade(protocol, handlers, opened) {
      const data = socketData(handlers, opened);
      // Left to itself Bun picks the first protocol offered; an empty value picks none.
      const headers = { "sec-websocket-protocol": protocol ?? "" };
      if (!server.upgrade(request, { data, headers })) return undefined;
      upgraded = new Response(null);
      return upgraded;
    },
  });
  return response === upgraded ? undefined : response;
}

function opened(address: Address, server: Server): HttpServer {
  return {
    address: address.kind === "unix" ? address : { ...address, port: server.port ?? address.port },
    close: () => server.stop(false),
    abort: () => void server.stop(true),
  };
}

/** A bare fetch must be told in its second argument: within a `Request` these are ignored. */
function fetchBytes(url: string, options: FetchOptions): Promise<Response> {
  const init = {
    method: options.method,
    headers: options.headers,
    signal: options.signal,
    redirect: "manual",
    duplex: "half",
    decompress: false,
    // Bun gives up on silence after six minutes otherwise.
    timeout: false,
    // HTTP_PROXY is for this machine's own errands, not for its upstreams.
    proxy: false,
    // A request that must not be repeated never rides on a connection that may have gone stale.
    keepalive: !options.fresh,
    ...(options.body === undefined ? {} : { body: options.body }),
    ...(options.unixPath === undefined ? {} : { unix: options.unixPath }),
  };
  return fetch(url, init as unknown as RequestInit);
}

const TLS_CODES =
  /CERT|ISSUER|SELF_SIGNED|SIGNATURE|HOSTNAME|TLS|SSL|EPROTO|INVALID_CA|INVALID_PURPOSE/;
const PROTOCOL_CODES = /^(Invalid|Malformed|Unsupported|Unexpected|HPE|HTTP)|^ERR_(INVALID|HTTP)/;

function explain(error: unknown): FetchFailure {
  const code = textOf(error, "code");
  const detail = messageOf(error).split(". For more information")[0] ?? "";
  // An idempotent request whose pooled connection proved dead is dialled again by Bun itself, and
  // ends here when that fails; any other ends as ECONNRESET.
  const dial = dialCode(code);
  if (dial !== undefined) return { dialFailed: true, code: dial, detail };
  if (TLS_CODES.test(code)) return { dialFailed: true, code: "tls", detail };
  if (PROTOCOL_CODES.test(code)) return { dialFailed: false, code: "protocol", detail };
  // "Expected 101 status code": an upstream that wants no WebSocket.
  if (detail.includes("101")) return { dialFailed: false, code: "protocol", detail };
  return { dialFailed: false, code: "closed", detail };
}

/** How to start this program, up to its own arguments. */
function startArgs(): readonly string[] {
  return isCompiled() ? [] : ["run", fileURLToPath(new URL("../main.ts", import.meta.url))];
}

export const platform: Platform = {
  runtime: `Bun ${Bun.version}`,
  clock,
  args: process.argv.slice(2),
  env: (name) => process.env[name],
  random: () => Math.random(),
  randomBytes,
  hmacSha256,
  passwordMatches: passwordChecker((password, hash) => Bun.password.verify(password, hash)),
  compressor,
  followParent: () => followParent((code) => process.exit(code)),

  serve,
  serveQuic,
  fetch: fetchBytes,
  explain,
  errand: errandBy(send, explain),
  listen: listenBytes,
  showsTlsProofs: true,
  tlsContext,
  certificateFacts,
  dial,
  knock: (address, timeoutMs, signal) => knock(dial, address, { timeoutMs, signal }),
  names,
  openSocket,

  ...files,
  ...privateFiles,

  onSignal(name, handler) {
    process.on(name, handler);
    return () => void process.off(name, handler);
  },
  onUncaught,
  stdout: terminal(1),
  stderr: terminal(2),
  onKey,
  askLine,
  program: [process.execPath, ...startArgs()],
  runProgram,
  stayAwake,
  tellSupervisor,
  usage,
  spawnSelf: (args) => spawnChild(process.execPath, [...startArgs(), ...args]),
  exit: (code) => process.exit(code),
};
