/**
 * What every decoder of a body offers, and the two plain ones: bodies of a known length and bodies that end
 * with their connection. Pieces are views of the bytes pushed; nothing is copied or kept.
 */
import type { Fields } from "../fields.ts";

export type BodyState =
  | { readonly kind: "open" }
  | { readonly kind: "done"; readonly trailers: Fields | undefined }
  | { readonly kind: "refused"; readonly reason: string };

export interface BodyDecoder {
  readonly state: BodyState;
  /** How many bytes of the last push belonged to the body, its framing included. */
  readonly consumed: number;
  /** Returns the content among the bytes, never an empty piece. Takes nothing once the state is not open. */
  push(bytes: Uint8Array): readonly Uint8Array[];
  /** Says that the peer will send no more, which ends some bodies and cuts others. */
  end(): void;
}

export interface BodyLimits {
  /** All chunk extensions of a body together, in bytes. */
  readonly extensionLimitBytes: number;
  /** Trailers with their last empty line, in bytes. */
  readonly trailerLimitBytes: number;
  readonly trailersMax: number;
}

export const BODY_LIMITS: BodyLimits = {
  extensionLimitBytes: 16 * 1024,
  trailerLimitBytes: 16 * 1024,
  trailersMax: 100,
};

const DONE: BodyState = { kind: "done", trailers: undefined };
const OPEN: BodyState = { kind: "open" };
const CUT: BodyState = { kind: "refused", reason: "Connection ended before the body did" };
const NO_PIECES: readonly Uint8Array[] = [];

export class LengthBody implements BodyDecoder {
  state: BodyState;
  consumed = 0;
  #leftBytes: number;

  constructor(lengthBytes: number) {
    this.#leftBytes = lengthBytes;
    this.state = lengthBytes === 0 ? DONE : OPEN;
  }

  push(bytes: Uint8Array): readonly Uint8Array[] {
    this.consumed = Math.min(bytes.length, this.#leftBytes);
    this.#leftBytes -= this.consumed;
    if (this.#leftBytes === 0) this.state = DONE;
    if (this.consumed === 0) return NO_PIECES;
    return [this.consumed === bytes.length ? bytes : bytes.subarray(0, this.consumed)];
  }

  end(): void {
    if (this.state.kind === "open") this.state = CUT;
  }
}

/** A response that lasts until its connection ends. Whether it was cut, nobody can tell from the bytes. */
export class UntilCloseBody implements BodyDecoder {
  state: BodyState = OPEN;
  consumed = 0;

  push(bytes: Uint8Array): readonly Uint8Array[] {
    this.consumed = this.state.kind === "open" ? bytes.length : 0;
    return this.consumed === 0 ? NO_PIECES : [bytes];
  }

  end(): void {
    this.state = DONE;
  }
}
