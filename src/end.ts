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

type Hearer = EndHearer | (() => void);

function tell(hearer: Hearer): void {
  if (typeof hearer === "function") hearer();
  else hearer.handleEvent();
}

/** An end that may come, once. */
export class End implements EndSignal {
  aborted = false;
  /** Most are heard by one alone, who needs no list. */
  #hearer: Hearer | undefined;
  #others: Hearer[] | undefined;

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const first = this.#hearer;
    const others = this.#others;
    this.#hearer = undefined;
    this.#others = undefined;
    if (first !== undefined) tell(first);
    if (others !== undefined) { for (const hearer of others) tell(hearer); }
  }

  addEventListener(_type: "abort", hearer: Hearer): void {
    if (this.aborted) return;
    if (this.#hearer === undefined) this.#hearer = hearer;
    else (this.#others ??= []).push(hearer);
  }

  removeEventListener(_type: "abort", hearer: Hearer): void {
    if (this.#hearer === hearer) {
      this.#hearer = undefined;
      return;
    }
    const at = this.#others?.indexOf(hearer) ?? -1;
    if (at >= 0) this.#others?.splice(at, 1);
  }
}
