/** Byte connections on Bun's own sockets, which cost less than half of what `node:net` does. */
import type { Address } from "../rules.ts";
import { BunConnection, HANDLERS } from "./connection_bun.ts";
import type { ByteListener, ConnectionEvents, Dialled, DialLimits, Platform } from "./platform.ts";
import { dial as dialByNode } from "./net_node.ts";
import { doorman } from "./tls_accept.ts";
import { secured } from "./tls_bun.ts";
import {
  DEAF,
  dialFailure,
  hostsOf,
  lacksFamily,
  listenError,
  plainIp,
  removeStaleSocket,
} from "./web.ts";

export const listen: Platform["listen"] = async (address, accept, door) => {
  const receive = door === undefined ? accept : doorman(door, secured, accept);
  const handlers: Bun.SocketHandler<BunConnection | undefined> = {
    ...HANDLERS,
    open(socket) {
      socket.data = new BunConnection(socket, DEAF);
      receive(socket.data, plainIp(socket.localAddress ?? ""));
    },
  };
  try {
    if (address.kind === "tcp") return listenTcp(address, handlers);
    await removeStaleSocket(address.path, dial);
    const server = Bun.listen<BunConnection | undefined>({
      unix: address.path,
      socket: handlers,
      data: undefined,
    });
    return { address, close: () => server.stop() };
  } catch (error) {
    throw listenError(address, error);
  }
};

function listenTcp(
  address: Extract<Address, { kind: "tcp" }>,
  socket: Bun.SocketHandler<BunConnection | undefined>,
): ByteListener {
  const at = (hostname: string) =>
    Bun.listen<BunConnection | undefined>({
      hostname,
      port: address.port,
      socket,
      data: undefined,
    });
  const [first = "", second] = hostsOf(address.host);
  let server: Bun.TCPSocketListener<BunConnection | undefined>;
  try {
    server = at(first);
  } catch (error) {
    if (second === undefined || !lacksFamily(error)) throw error;
    server = at(second);
  }
  return { address: { ...address, port: server.port }, close: () => server.stop() };
}

/** In the clear on Bun's own sockets; TLS and the like are the same for both runtimes. */
export const dial: Platform["dial"] = (address, events, limits) => {
  const plain = limits.tls === undefined && limits.localAddress === undefined &&
    limits.lead === undefined;
  if (!plain) return dialByNode(address, events, limits);
  return new Promise((resolve) => dialInto(address, events, limits, resolve));
};

function dialInto(
  address: Address,
  events: ConnectionEvents,
  { timeoutMs, signal }: DialLimits,
  resolve: (dialled: Dialled) => void,
): void {
  if (signal.aborted) return resolve({ kind: "aborted" });
  let settled = false;
  const settle = (dialled: Dialled): void => {
    if (settled) {
      if (dialled.kind === "connected") dialled.connection.reset();
      return;
    }
    settled = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    resolve(dialled);
  };
  const onAbort = (): void => settle({ kind: "aborted" });
  const timer = setTimeout(() => {
    settle({ kind: "failed", code: "dial_timeout", detail: `no answer in ${timeoutMs} ms` });
  }, timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });

  const startedAt = performance.now();
  const socket: Bun.SocketHandler<BunConnection | undefined> = {
    ...HANDLERS,
    open(opened) {
      opened.data = new BunConnection(opened, events);
      settle({ kind: "connected", connection: opened.data });
    },
    connectError: (_, error) => settle(dialFailure(error, performance.now() - startedAt)),
  };
  const options = { socket, data: undefined };
  const connecting = address.kind === "unix"
    ? Bun.connect<BunConnection | undefined>({ ...options, unix: address.path })
    : Bun.connect<BunConnection | undefined>({
      ...options,
      hostname: address.host,
      port: address.port,
    });
  connecting.catch((error: unknown) => settle(dialFailure(error, performance.now() - startedAt)));
}
