/**
 * What comes on a connection, dealt with a turn at a time: whoever sends a thousand tiny frames in one go keeps
 * nobody else waiting for the last of them. Knows nothing of frames.
 */
import type { Clock, Connection } from "../platform/platform.ts";

export interface TurnsDeps {
  readonly connection: Pick<Connection, "pause" | "resume">;
  readonly clock: Pick<Clock, "soon">;
  /** Takes bytes, or goes on with those it has, for one turn. Says whether some of them are left. */
  readonly deal: (bytes: Uint8Array | undefined) => boolean;
}

export class Turns {
  readonly #deps: TurnsDeps;
  /** Came while others wait for their turn; reading stops while there are any. */
  readonly #ahead: Uint8Array[] = [];
  #left = false;
  #paused = false;
  #over = false;
  readonly #turn = () => {
    if (!this.#over) this.#go(this.#left ? undefined : this.#ahead.shift());
  };

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
  }

  give(bytes: Uint8Array): void {
    if (this.#over) return;
    if (!this.#left && this.#ahead.length === 0) return this.#go(bytes);
    this.#ahead.push(bytes);
    if (this.#paused) return;
    this.#paused = true;
    this.#deps.connection.pause();
  }

  /** Drops what waits, and all that comes. */
  stop(): void {
    this.#over = true;
    this.#ahead.length = 0;
    this.#readOn();
  }

  #go(bytes: Uint8Array | undefined): void {
    this.#left = this.#deps.deal(bytes);
    if (this.#over) return;
    if (this.#left || this.#ahead.length > 0) this.#deps.clock.soon(this.#turn);
    else this.#readOn();
  }

  #readOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deps.connection.resume();
  }
}
