/**
 * Listening and dialling by `node:net`, for Deno; on Bun for dials that its own sockets do not know, TLS
 * among them.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { connect, createServer, isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
  TLSSocket,
} from "node:tls";
import type { Address, UpstreamTls } from "../rules.ts";
import { AcceptedConnection, NodeConnection, secured } from "./connection_node.ts";
import type { Dialled, DialLimits, DialTls, Platform } from "./platform.ts";
import { doorman } from "./tls_accept.ts";
import {
  clock,
  DEAF,
  dialFailure,
  hostsOf,
  lacksFamily,
  listenError,
  messageOf,
  plainIp,
  removeStaleSocket,
  textOf,
} from "./web.ts";

export const listen: Platform["listen"] = async (address, accept, door) => {
  const receive = door === undefined ? accept : doorman(door, secured, accept);
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    receive(new AcceptedConnection(socket, DEAF), plainIp(socket.localAddress ?? ""));
  });
  const at = (place: object) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(place, () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    if (address.kind === "unix") {
      await removeStaleSocket(address.path, dial);
      await at({ path: address.path });
      return { address, close: () => void server.close() };
    }
    const [first = "", second] = hostsOf(address.host);
    const { port } = address;
    await at({ host: first, port }).catch((error: unknown) => {
      if (second === undefined || !lacksFamily(error)) throw error;
      return at({ host: second, port });
    });
    const bound = server.address();
    const boundPort = typeof bound === "object" && bound !== null ? bound.port : port;
    return { address: { ...address, port: boundPort }, close: () => void server.close() };
  } catch (error) {
    // Deno says "invalid argument" of an address that is not this machine's.
    const foreign = address.kind === "tcp" && textOf(error, "code") === "EINVAL";
    throw listenError(address, foreign ? { code: "EADDRNOTAVAIL", cause: error } : error);
  }
};

export const dial: Platform["dial"] = (address, events, limits) => {
  return new Promise((resolve) => {
    const { timeoutMs, signal } = limits;
    if (signal.aborted) return resolve({ kind: "aborted" });
    const startedAt = clock.elapsed();
    const opening = opened(address, limits);
    if ("kind" in opening) return resolve(opening);
    const { socket, below } = opening;
    const both = new Set([socket, below]);
    let reached = false;
    const settle = (dialled: Dialled): void => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      for (const one of both) {
        one.off("error", onError);
        // Unheard, a late error would end the process.
        if (dialled.kind !== "connected") one.on("error", () => {}).destroy();
      }
      if (dialled.kind === "connected" && below !== socket) below.on("error", () => {});
      resolve(dialled);
    };
    const onAbort = (): void => settle({ kind: "aborted" });
    const onError = (error: unknown): void => {
      const failure = dialFailure(error, clock.elapsed() - startedAt);
      settle(reached ? { ...failure, code: "tls" } : failure);
    };
    const cancel = clock.after(timeoutMs, () => {
      settle({ kind: "failed", code: "dial_timeout", detail: `no answer in ${timeoutMs} ms` });
    });
    signal.addEventListener("abort", onAbort, { once: true });
    for (const one of both) one.once("error", onError);
    below.once("connect", () => (reached = true));
    socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => {
      socket.setNoDelay(true);
      settle({ kind: "connected", connection: new NodeConnection(socket, events) });
    });
  });
};

interface Opening {
  readonly socket: Socket;
  /** The socket below TLS where that has one of its own, else the same. */
  readonly below: Socket;
}

/** A socket on its way; a failure where the system or TLS refuse what is asked for at once. */
function opened(
  address: Address,
  { tls, localAddress, lead }: DialLimits,
): Opening | Extract<Dialled, { kind: "failed" }> {
  const place = address.kind === "unix"
    ? { path: address.path }
    : { host: address.host, port: address.port, ...(localAddress && { localAddress }) };
  try {
    if (tls !== undefined) checkPair(tls.rules);
    if (tls !== undefined && lead === undefined) {
      const socket = connectTls({ ...place, ...tlsOptions(tls) });
      return { socket, below: socket };
    }
    const below = connect(place);
    if (lead !== undefined) below.once("connect", () => below.write(lead));
    if (tls === undefined) return { socket: below, below };
    return { socket: connectTls({ socket: below, ...tlsOptions(tls) }), below };
  } catch (error) {
    // A key that is none, say.
    return { kind: "failed", code: tls ? "tls" : "unreachable", detail: messageOf(error) };
  }
}

/** Rules whose certificate and key have been looked at. */
const CHECKED = new WeakSet<UpstreamTls>();

/** Throws where certificate or key are none: Deno would connect without them and say nothing. */
function checkPair(rules: UpstreamTls): void {
  const { certificate } = rules;
  if (certificate === undefined || CHECKED.has(rules)) return;
  new X509Certificate(certificate.chain);
  createPrivateKey(certificate.key);
  CHECKED.add(rules);
}

function tlsOptions({ name, protocols, rules }: DialTls): ConnectionOptions {
  const { authorities, certificate, insecure } = rules;
  // An address is proved by the certificate but never asked for by name (RFC 6066 section 3).
  const asked = isIP(name) === 0 ? { servername: name } : {};
  return {
    ...asked,
    ...(authorities.length > 0 && { ca: [...authorities] }),
    ...(certificate && { cert: certificate.chain, key: certificate.key }),
    ALPNProtocols: [...protocols],
    rejectUnauthorized: !insecure,
    // By default the host dialled would be compared where no name is asked for.
    checkServerIdentity: (_, presented) => checkServerIdentity(name, presented),
  };
}
