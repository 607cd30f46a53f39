/**
 * Byte connections on Bun's own sockets, which cost less than half of what `node:net` does. Bun writes
 * what the system takes and says how much; what is left waits here.
 */
import type { Address } from "../rules.ts";
import type {
  ByteListener,
  Connection,
  ConnectionEvents,
  Dialled,
  DialLimits,
  Platform,
} from "./platform.ts";
import { dial as dialByNode } from "./net_node.ts";
import {
  DEAF,
  dialFailure,
  hostsOf,
  lacksFamily,
  listenError,
  plainIp,
  removeStaleSocket,
} from "./web.ts";

type Socket = Bun.Socket<BunConnection | undefined>;

class BunConnection implements Connection {
  readonly peer: Connection["peer"];
  events: ConnectionEvents;
  readonly #socket: Socket;
  /** Bytes that the system did not take yet. */
  #waiting: Uint8Array[] = [];
  #ending: "no" | "finish" | "close" = "no";
  #peerEnded = false;
  #closed = false;

  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket;
    this.events = events;
    this.peer = { ip: plainIp(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ending !== "no") return true;
    if (this.#waiting.length > 0) {
      this.#waiting.push(bytes);
      return false;
    }
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken >= bytes.length) return true;
    this.#waiting.push(bytes.subarray(taken));
    return false;
  }

  finish(): void {
    if (this.#ending !== "no") return;
    this.#ending = "finish";
    if (this.#waiting.length === 0) this.#socket.shutdown();
  }

  close(): void {
    if (this.#ending === "close") return;
    this.#ending = "close";
    if (this.#waiting.length === 0) this.#socket.end();
  }

  reset(): void {
    this.#waiting = [];
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  drain(): void {
    if (this.#waiting.length === 0) return;
    while (this.#waiting.length > 0) {
      const [bytes] = this.#waiting;
      if (bytes === undefined) break;
      const taken = Math.max(0, this.#socket.write(bytes));
      if (taken < bytes.length) {
        this.#waiting[0] = bytes.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
    if (this.#ending === "finish") this.#socket.shutdown();
    else if (this.#ending === "close") this.#socket.end();
    else this.events.drained();
  }

  ended(): void {
    this.#peerEnded = true;
  }

  gone(error: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.events.closed(this.#peerEnded && !error);
  }
}

const HANDLERS: Bun.SocketHandler<BunConnection | undefined> = {
  // Views of a plain array cost half of what those of a `Buffer` do; the types know of none here.
  binaryType: "uint8array" as unknown as "buffer",
  data: (socket, bytes) => socket.data?.events.data(bytes),
  drain: (socket) => socket.data?.drain(),
  end: (socket) => socket.data?.ended(),
  close: (socket, error) => socket.data?.gone(error),
  error(socket, error) {
    socket.data?.gone(error);
    // Also told of what our own handlers throw, after which the socket would stay open.
    socket.terminate();
  },
};

export async function listen(
  address: Address,
  accept: (connection: Connection) => void,
): Promise<ByteListener> {
  const handlers: Bun.SocketHandler<BunConnection | undefined> = {
    ...HANDLERS,
    open(socket) {
      socket.data = new BunConnection(socket, DEAF);
      accept(socket.data);
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
}

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
