/**
 * A body as it comes in on a stream of HTTP/2: its frames tell the end, and a declared length must agree
 * (RFC 9113 section 8.1.1).
 */
import type { Fields } from "../fields.ts";
import type { BodyDecoder, BodyState } from "./body.ts";

export class StreamBody implements BodyDecoder {
  state: BodyState = { kind: "open" };
  consumed = 0;
  #leftBytes: number | undefined;

  constructor(lengthBytes: number | undefined) {
    this.#leftBytes = lengthBytes;
  }

  push(bytes: Uint8Array): readonly Uint8Array[] {
    this.consumed = bytes.length;
    if (bytes.length === 0 || this.state.kind !== "open") return [];
    if (this.#leftBytes !== undefined) this.#leftBytes -= bytes.length;
    if ((this.#leftBytes ?? 0) < 0) {
      this.state = { kind: "refused", reason: "Body is longer than told" };
      return [];
    }
    return [bytes];
  }

  /** All has come; says whether that is all that was declared. */
  finish(trailers: Fields | undefined): boolean {
    const whole = (this.#leftBytes ?? 0) === 0;
    this.state = whole
      ? { kind: "done", trailers }
      : { kind: "refused", reason: "Body is shorter than told" };
    return whole;
  }

  /** A connection's end never ends a body here. */
  end(): void {}
}
