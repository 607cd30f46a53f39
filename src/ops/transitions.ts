/** Puts what changed into transitions and words. Pure. */
import type { Member, Phase } from "../model.ts";
import type { Transition } from "./status.ts";
import type { Kept } from "./view.ts";

/** A change that the board tells of. */
export type BoardChange =
  | { readonly kind: "phase"; readonly from: Phase; readonly to: Phase; readonly reason: string }
  | { readonly kind: "penalised"; readonly reason: string; readonly forMs: number }
  | { readonly kind: "drained" | "undrained"; readonly reason: string };

export function transitionOf(
  change: BoardChange,
  about: Pick<Transition, "at" | "poolId" | "upstream">,
): Transition {
  switch (change.kind) {
    case "phase":
      return { ...about, ...change };
    case "penalised": {
      const { kind, reason, forMs } = change;
      return { ...about, kind, reason, until: Math.round(about.at + forMs) };
    }
    case "drained":
    case "undrained":
      return { ...about, ...change };
  }
}

/** Why new requests go to `to` and no more to `from`, which are names; empty is nobody. */
export function whyMoved(
  { from, to }: { readonly from: string; readonly to: string },
  members: readonly Member[],
  kept: (upstreamId: string) => Kept | undefined,
): string {
  const placeOf = (name: string) => members.findIndex(({ upstream }) => upstream.name === name);
  const before = members[placeOf(from)];
  if (from !== "" && before === undefined) return "the configuration has changed";
  if (before === undefined) return `${to} can be asked again`;
  if (to !== "" && placeOf(to) < placeOf(from)) return `${to} is preferred and can be asked again`;

  const state = kept(before.upstream.id);
  const nobody = to === "" ? " and nobody else can be asked" : "";
  if (state?.drained === true) return `${from} is drained${nobody}`;
  if (state?.phase === "down") return `${from} ${state.reason}${nobody}`;
  return `${from} failed lately${nobody}`;
}
