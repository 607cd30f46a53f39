/** Tells the operator of a change of an upstream: once, in words. */
import type { Change } from "./entry.ts";

type Say = (event: string, fields: Readonly<Record<string, string | number>>) => void;

export function announce(
  log: { readonly info: Say; readonly warn: Say },
  { route, upstream, change }: { route: string; upstream: string; change: Change },
): void {
  if (change.kind === "penalised") {
    const seconds = change.forMs / 1000;
    log.warn("upstream.penalised", { route, upstream, reason: change.reason, seconds });
    return;
  }
  if (change.kind !== "phase") {
    log.info(`upstream.${change.kind}`, { route, upstream });
    return;
  }
  const { from, to, reason } = change;
  const fields = { route, upstream, from, to, reason };
  if (to === "down") log.warn("health.changed", fields);
  else log.info("health.changed", fields);
}
