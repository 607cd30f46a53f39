/**
 * Makes connections to an upstream as its rules say. Where they count connections or the time that an
 * upstream takes no bytes, a connection is watched; others are handed on as they are.
 */
import type { Deadlines, Waiting } from "../deadlines.ts";
import type { Attempt } from "../model.ts";
import type { Connection, ConnectionEvents, Dialled, Platform } from "../platform/platform.ts";
import { reachLimits } from "./reach.ts";

export interface Dialling {
  readonly dial: Platform["dial"];
  readonly deadlines: Deadlines;
}

type Dialler = Pick<Attempt, "upstream" | "dialTimeoutMs" | "signal" | "client">;

/** Dials for an attempt. `gone` is called once, when the connection has ended or was never made. */
export async function dialUpstream(
  { upstream, dialTimeoutMs, signal, client }: Dialler,
  events: ConnectionEvents,
  protocols: readonly string[],
  { dial, deadlines, gone }: Dialling & { gone?: (() => void) | undefined },
): Promise<Dialled> {
  const limits = reachLimits(upstream, { timeoutMs: dialTimeoutMs, signal }, protocols, client);
  const { writeTimeoutMs } = upstream.connections;
  if (gone === undefined && writeTimeoutMs === undefined) {
    return await dial(upstream.address, events, limits);
  }
  const watched = new WatchedConnection(events, { deadlines, writeTimeoutMs, gone });
  const dialled = await dial(upstream.address, watched.inner, limits);
  if (dialled.kind === "connected") {
    return { kind: "connected", connection: watched.over(dialled.connection) };
  }
  gone?.();
  return dialled;
}

interface Watch {
  readonly deadlines: Deadlines;
  readonly writeTimeoutMs: number | undefined;
  readonly gone: (() => void) | undefined;
}

class WatchedConnection implements Connection, Waiting {
  place = -1;
  events: ConnectionEvents;
  /** `elapsed` time after which bytes have waited too long to be taken. */
  deadline = Infinity;
  readonly inner: ConnectionEvents;
  readonly #watch: Watch;
  #connection: Connection | undefined;

  constructor(events: ConnectionEvents, watch: Watch) {
    this.events = events;
    this.#watch = watch;
    this.inner = {
      data: (bytes) => this.events.data(bytes),
      drained: () => {
        this.#rest();
        this.events.drained();
      },
      closed: (clean) => {
        this.#rest();
        watch.gone?.();
        this.events.closed(clean);
      },
    };
  }

  over(connection: Connection): this {
    this.#connection = connection;
    return this;
  }

  get peer(): Connection["peer"] {
    return this.#connection?.peer ?? { ip: "", port: 0 };
  }

  write(bytes: Uint8Array): boolean {
    const taken = this.#connection?.write(bytes) ?? true;
    const { deadlines, writeTimeoutMs } = this.#watch;
    if (!taken && writeTimeoutMs !== undefined && this.deadline === Infinity) {
      this.deadline = deadlines.after(writeTimeoutMs);
      deadlines.add(this);
    }
    return taken;
  }

  expire(): void {
    this.#rest();
    this.reset();
  }

  finish(): void {
    this.#connection?.finish();
  }

  close(): void {
    this.#connection?.close();
  }

  reset(): void {
    this.#connection?.reset();
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  #rest(): void {
    this.deadline = Infinity;
    this.#watch.deadlines.drop(this);
  }
}
