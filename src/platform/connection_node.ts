/**
 * A byte connection on a `node:net` socket, in the clear or with TLS: for Deno, and for whatever else
 * comes as such a socket.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Connection, ConnectionEvents } from "./platform.ts";
import type { ConnectionTls } from "./tls.ts";
import type { Chosen } from "./tls_accept.ts";
import { HeldStream, secured as securedSocket } from "./tls_node.ts";
import { DEAF, plainIp } from "./web.ts";

export class NodeConnection implements Connection {
  readonly peer: Connection["peer"];
  readonly tls: ConnectionTls | undefined = undefined;
  events: ConnectionEvents;
  readonly #socket: Socket;
  #peerEnded = false;
  #broken = false;

  constructor(socket: Socket, events: ConnectionEvents, peer?: Connection["peer"]) {
    this.#socket = socket;
    this.events = events;
    this.peer = peer ??
      { ip: plainIp(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    socket.on("data", this.#onData);
    socket.on("drain", () => this.events.drained());
    socket.on("end", this.#onEnd);
    socket.on("error", () => (this.#broken = true));
    socket.on("close", () => this.events.closed(this.#peerEnded && !this.#broken));
  }

  readonly #onData = (bytes: Uint8Array): void => this.events.data(bytes);

  readonly #onEnd = (): void => {
    this.#peerEnded = true;
    // Half of a connection is of no use here: a peer that has ended is taken for gone.
    this.#socket.end();
  };

  /** Hears no more bytes: somebody else reads them now. */
  protected letGo(): Socket {
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    return this.#socket;
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded || this.#socket.write(bytes);
  }

  finish(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroySoon();
  }

  reset(): void {
    // Unix sockets and those of TLS know no RST, and throw when asked for one.
    const knows = this.#socket.remoteAddress !== undefined && !(this.#socket instanceof TLSSocket);
    if (knows) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

/** One that was accepted and may yet become TLS. */
export class AcceptedConnection extends NodeConnection {
  surrender(): Socket {
    return this.letGo();
  }
}

class SecureConnection extends NodeConnection {
  override readonly tls: ConnectionTls;
  readonly #below: HeldStream;
  readonly #socket: Socket;

  constructor(
    { socket, tls }: { socket: TLSSocket; tls: ConnectionTls },
    below: { readonly stream: HeldStream; readonly socket: Socket },
    peer: Connection["peer"],
  ) {
    super(socket, DEAF, peer);
    this.tls = tls;
    this.#below = below.stream;
    this.#socket = below.socket;
  }

  override reset(): void {
    this.#socket.resetAndDestroy();
    super.reset();
  }

  override pause(): void {
    this.#below.hold();
  }

  override resume(): void {
    this.#below.release();
  }
}

/** The handshake over a stream of ours, as `tls_node.ts` tells. */
export async function secured(plain: Connection, chosen: Chosen): Promise<Connection> {
  if (!(plain instanceof AcceptedConnection)) throw new TypeError("Connection is not of this one");
  const { peer } = plain;
  const socket = plain.surrender();
  const stream = new HeldStream(socket, chosen.early);
  const secure = await securedSocket(stream, chosen);
  return new SecureConnection(secure, { stream, socket }, peer);
}
