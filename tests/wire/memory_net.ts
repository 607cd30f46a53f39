/**
 * Connections without sockets: what is written can be read, what the peer does is said by the test,
 * and like a real one a connection may tell of its end before `close` or `reset` returns.
 */
import type { Address } from "../../src/rules.ts";
import type {
  ByteListener,
  Connection,
  ConnectionEvents,
  Dialled,
  DialLimits,
} from "../../src/platform/platform.ts";
import type { ConnectionTls } from "../../src/platform/tls.ts";
import { bytesOf, textOf } from "./transcript.ts";

const DEAF: ConnectionEvents = { data() {}, drained() {}, closed() {} };

function undated(text: string): string {
  return text.replace(/\r\nDate: [^\r]*/g, "");
}

export class MemoryConnection implements Connection {
  readonly peer = { ip: "192.0.2.1", port: 4711 };
  tls: ConnectionTls | undefined;
  events: ConnectionEvents = DEAF;
  /** Each write as text, bytes as characters. */
  readonly writes: string[] = [];
  /** open · finished: no more comes from our side · closed · reset */
  state: "open" | "finished" | "closed" | "reset" = "open";
  /** Whether the peer takes what is written at once. */
  taking = true;
  pauses = 0;
  resumes = 0;
  paused = false;
  #told = false;

  /** All that was written, but for the date, which is every answer's and no test's but one. */
  get text(): string {
    return undated(this.writes.join(""));
  }

  /** What was written since it was asked last, but for the date. */
  take(): string {
    return undated(this.writes.splice(0).join(""));
  }

  /** The peer sends bytes. */
  says(text: string | Uint8Array): void {
    if (this.#told) return;
    this.events.data(typeof text === "string" ? bytesOf(text) : text);
  }

  /** The peer ends the connection, or breaks it. */
  leaves(clean = true): void {
    if (this.#told) return;
    this.#told = true;
    this.events.closed(clean);
  }

  /** The peer takes what waits. */
  drains(): void {
    this.taking = true;
    this.events.drained();
  }

  write(bytes: Uint8Array): boolean {
    if (this.state !== "open" || this.#told) return true;
    this.writes.push(textOf(bytes));
    return this.taking;
  }

  finish(): void {
    if (this.state === "open") this.state = "finished";
  }

  close(): void {
    if (this.state === "closed" || this.state === "reset") return;
    this.state = "closed";
    if (this.taking) this.leaves(false);
  }

  reset(): void {
    if (this.state === "reset") return;
    this.state = "reset";
    this.leaves(false);
  }

  pause(): void {
    this.pauses++;
    this.paused = true;
  }

  resume(): void {
    this.resumes++;
    this.paused = false;
  }
}

/** A network of one listener and of upstreams that accept, unless told otherwise. */
export class MemoryNet {
  readonly dialled: MemoryConnection[] = [];
  /** What each dial was asked for. */
  readonly limits: DialLimits[] = [];
  /** What the next dial comes to; undefined connects. */
  failing: Exclude<Dialled, { kind: "connected" }> | undefined;
  /** Called with every upstream connection as it opens. */
  opened: (connection: MemoryConnection) => void = () => {};
  listening = false;
  #accept: (connection: Connection) => void = () => {};

  readonly listen = (
    address: Address,
    accept: (connection: Connection) => void,
  ): Promise<ByteListener> => {
    this.#accept = accept;
    this.listening = true;
    return Promise.resolve({ address, close: () => void (this.listening = false) });
  };

  readonly dial = (
    _: Address,
    events: ConnectionEvents,
    limits?: DialLimits,
  ): Promise<Dialled> => {
    if (limits !== undefined) this.limits.push(limits);
    if (this.failing !== undefined) return Promise.resolve(this.failing);
    const connection = new MemoryConnection();
    connection.events = events;
    this.dialled.push(connection);
    this.opened(connection);
    return Promise.resolve({ kind: "connected", connection });
  };

  /** A client connects, over TLS where it has agreed on a protocol. */
  connect(protocol?: string): MemoryConnection {
    const connection = new MemoryConnection();
    const agreed = { version: "TLSv1.3", cipher: "x", name: "a.test", client: undefined };
    if (protocol !== undefined) connection.tls = { ...agreed, protocol, authorities: [] };
    this.#accept(connection);
    return connection;
  }
}
