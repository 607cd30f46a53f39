/** What a row of the table is: a load, the proxies it goes through, and what their figures may be. */
import { type Manner, PEERS, type Subject } from "./peers.ts";
import type { Sample, Stage } from "./stage.ts";

/** `ratioMax` bounds understudy's value divided by the peer's, `valueMax` understudy's own. */
export type Goal =
  | { readonly kind: "ratio"; readonly to: Subject; readonly ratioMax: number }
  | { readonly kind: "value"; readonly valueMax: number };

export interface Row {
  readonly name: string;
  readonly title: string;
  /** What the compared value is. */
  readonly unit: string;
  readonly subjects: readonly Subject[];
  readonly goals: readonly Goal[];
  /** Rounds beside the usual number, for what is short and jumpy. */
  readonly rounds?: { readonly full: number; readonly quick: number };
  /** Where it differs from the usual. */
  readonly manner?: Partial<Manner>;
  /** The value of `direct` in the same round is taken off. */
  readonly added?: boolean;
  sample(stage: Stage, subject: Subject): Promise<Sample>;
}

export const REQUEST_CPU = "CPU µs/request";

/** How much of a peer's figure understudy may need. */
export const ratios = (limits: Partial<Record<Subject, number>>): Goal[] =>
  PEERS.flatMap((to) => {
    const ratioMax = limits[to];
    return ratioMax === undefined ? [] : [{ kind: "ratio", to, ratioMax }];
  });
