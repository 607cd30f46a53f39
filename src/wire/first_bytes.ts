/**
 * A connection in the clear that may turn out to be HTTP/2: waits for the bytes that tell, and hands it over
 * with them. Knows the preface and nothing else (RFC 9113 section 3.3).
 */
import type { Waiting } from "../deadlines.ts";
import type { Connection, ConnectionEvents } from "../platform/platform.ts";
import { PREFACE } from "./h2_make.ts";
import { H2Server } from "./h2_server.ts";
import type { H2Deps } from "./h2_reception.ts";
import { type ClientSide, ServerConnection } from "./server.ts";

export class FirstBytes implements ConnectionEvents, ClientSide, Waiting {
  place = -1;
  readonly deadline: number;
  readonly connection: Connection;
  readonly #deps: H2Deps;
  readonly #misplaced: boolean;
  /** What has come of a preface so far. */
  #begun = new Uint8Array(0);
  /** Who has taken the connection over. */
  #side: ClientSide | undefined;
  #draining = false;

  /** `misplaced`: in the clear where it is not answered so. */
  constructor(connection: Connection, deps: H2Deps, misplaced = false) {
    this.connection = connection;
    this.#misplaced = misplaced;
    this.deadline = deps.deadlines.after(deps.limits.headTimeoutMs);
    // To whoever counts connections, it stays the same.
    this.#deps = { ...deps, gone: () => deps.gone(this) };
    connection.events = this;
    deps.deadlines.add(this);
  }

  data(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#begun.length + bytes.length);
    all.set(this.#begun);
    all.set(bytes, this.#begun.length);
    const known = Math.min(all.length, PREFACE.length);
    const begins = isPreface(all, known);
    if (begins && known < PREFACE.length) {
      this.#begun = all;
      return;
    }
    this.#deps.deadlines.drop(this);
    const Side = begins ? H2Server : ServerConnection;
    this.#side = new Side(this.connection, this.#deps, this.#misplaced);
    this.connection.events.data(all);
    if (this.#draining) this.#side.drain();
  }

  drained(): void {}

  closed(): void {
    this.#deps.deadlines.drop(this);
    this.#deps.gone(this);
  }

  expire(): void {
    this.connection.close();
  }

  drain(): void {
    this.#draining = true;
    if (this.#side !== undefined) this.#side.drain();
    else if (this.#begun.length === 0) this.connection.close();
  }
}

function isPreface(bytes: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at++) if (bytes[at] !== PREFACE[at]) return false;
  return true;
}
