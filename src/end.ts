/**
 * Says that something is over, as an `AbortSignal` does and heard in the same way, for the path of
 * every request: making a controller with its signal costs more there than reading a whole head.
 */

/** Who is told of an end: an object, so that hearing costs no closure. */
export interface EndHearer {
  handleEvent(): void;
}

/** What tells of an end: an `AbortSignal`, or an `End`. */
export interface EndSignal {
  readonly aborted: boolean;
  addEventListener(
    type: "abort",
    hearer: EndHearer | (() => void),
    options?: { readonly once?: boolean },
  ): void;
  removeEventListener(type: "abort", hearer: EndHearer | (() => void)): void;
}

/** An end that may come, once. */
export class End implements EndSignal {
  aborted = false;
  /** Most are heard by one, some by two; so few need no set. */
  #hearers: (EndHearer | (() => void))[] | undefined;

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const hearers = this.#hearers;
    this.#hearers = undefined;
    if (hearers === undefined) return;
    for (const hearer of hearers) {
      if (typeof hearer === "function") hearer();
      else hearer.handleEvent();
    }
  }

  addEventListener(_type: "abort", hearer: EndHearer | (() => void)): void {
    if (this.aborted) return;
    if (this.#hearers === undefined) this.#hearers = [hearer];
    else this.#hearers.push(hearer);
  }

  removeEventListener(_type: "abort", hearer: EndHearer | (() => void)): void {
    const hearers = this.#hearers;
    if (hearers === undefined) return;
    const at = hearers.indexOf(hearer);
    if (at >= 0) hearers.splice(at, 1);
  }
}
