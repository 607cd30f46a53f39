/**
 * What goes out on a connection of HTTP/2: gathered while one event after the other is dealt with, then
 * written at once, as every write is a call to the system. Bounds what waits for a client that does not read.
 */
import type { Clock, Connection } from "../platform/platform.ts";
import { NOTHING } from "./bytes.ts";
import { dataBytes, dataFrames, together, writeAll, writeData } from "./h2_make.ts";
import type { Gate } from "./h2_gate.ts";

/** Gathered at most before it is written. */
const GATHERED_LIMIT_BYTES = 64 * 1024;
/**
 * Waiting at most while the client takes nothing: acknowledgements and the like, as bodies wait at the gate. Far
 * more than whoever reads at times can owe us (CVE-2019-9515, CVE-2019-9512).
 */
const OWED_LIMIT_BYTES = 64 * 1024;

/** Larger pieces are written at once. */
const LARGE_BYTES = 16 * 1024;

/**
 * Where large pieces are put into frames, one after the other: fresh memory for each would cost more than all
 * else that is done with them.
 */
let tray: Uint8Array = NOTHING;

export class Outbox {
  readonly #connection: Connection;
  readonly #gate: Gate;
  readonly #clock: Pick<Clock, "soon">;
  readonly #stuck: () => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #gathering = false;
  /** A flush is on its way. */
  #due = false;
  readonly #flushDue = () => {
    this.#due = false;
    this.flush();
  };

  /** `stuck` is called when too much waits, and may be called again. */
  constructor(
    connection: Connection,
    gate: Gate,
    { clock, stuck }: { clock: Pick<Clock, "soon">; stuck: () => void },
  ) {
    this.#connection = connection;
    this.#gate = gate;
    this.#clock = clock;
    this.#stuck = stuck;
  }

  push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#gate.blocked) {
      if (this.#bytes > OWED_LIMIT_BYTES) this.#stuck();
      return;
    }
    if (this.#bytes >= GATHERED_LIMIT_BYTES) return this.#write();
    if (this.#gathering || this.#due) return;
    this.#due = true;
    this.#clock.soon(this.#flushDue);
  }

  /** Sends a piece of a body, a large one at once and behind what was gathered. */
  data(stream: number, content: Uint8Array): void {
    if (content.length < LARGE_BYTES || this.#gate.blocked) {
      return this.push(dataFrames(stream, content, false));
    }
    const sizeBytes = this.#bytes + dataBytes(content);
    if (tray.length < sizeBytes) tray = new Uint8Array(sizeBytes);
    const bytes = tray.subarray(0, sizeBytes);
    writeData(bytes, writeAll(bytes, this.#parts), { stream, content, endStream: false });
    const isOut = this.#send(bytes);
    if (!isOut || !this.#connection.copies) tray = NOTHING;
  }

  /** Gathers what is pushed until `flush`. */
  gather(): void {
    this.#gathering = true;
  }

  flush(): void {
    this.#gathering = false;
    if (!this.#gate.blocked) this.#write();
  }

  /** Hands over what there is, whatever the client takes: nothing will follow it. */
  empty(): void {
    this.#write();
  }

  #write(): void {
    if (this.#parts.length > 0) this.#send(together(this.#parts));
  }

  /** Writes all that was gathered; says whether none of it waits. */
  #send(bytes: Uint8Array): boolean {
    this.#parts = [];
    this.#bytes = 0;
    const isOut = this.#connection.write(bytes);
    if (!isOut) this.#gate.block();
    return isOut;
  }
}
