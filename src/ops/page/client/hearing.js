/**
 * Folds what the process tells into what is known. Pure; says too when it was not told enough and
 * the status should be read anew.
 *
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {import("../../status.ts").Summary} Summary
 * @typedef {import("./link.js").Heard} Heard
 */

const NOTABLE_MAX = 50;
const TRANSITIONS_MAX = 1000;

/**
 * @param {Status} status
 * @param {Heard} heard
 * @returns {{ status: Status, stale: boolean }}
 */
export function heardBy(status, heard) {
  switch (heard.name) {
    case "summary":
      return summed(status, heard.data);
    case "transition": {
      const transitions = [heard.data, ...status.transitions].slice(0, TRANSITIONS_MAX);
      return { status: { ...status, transitions }, stale: true };
    }
    case "notable": {
      const notable = [heard.data, ...status.notable].slice(0, NOTABLE_MAX);
      return { status: { ...status, notable }, stale: false };
    }
    case "certificates":
      return { status: { ...status, certificates: heard.data }, stale: false };
    case "config":
      return { status: { ...status, config: heard.data }, stale: true };
    case "dropped":
      return { status, stale: true };
  }
}

/**
 * @param {Status} status
 * @param {Summary} summary
 */
function summed(status, summary) {
  const byId = new Map(summary.upstreams.map((one) => [one.id, one]));
  let stale = false;
  const routes = status.routes.map((route) => ({
    ...route,
    pools: route.pools.map((pool) => {
      const chosen = summary.chosen[pool.id];
      if (chosen !== pool.chosen) stale = true;
      const upstreams = pool.upstreams.map((known) => {
        const told = byId.get(known.id);
        byId.delete(known.id);
        if (told === undefined || told.phase !== known.phase) stale = true;
        if (told === undefined) return known;
        const { phase, drained, available, inFlight, requests, failures } = told;
        return { ...known, phase, drained, available, inFlight, requests, failures };
      });
      return { ...pool, chosen, upstreams };
    }),
  }));
  const { now, draining, inFlight } = summary;
  // Whoever is left was unknown: another configuration is in force.
  return { status: { ...status, now, draining, inFlight, routes }, stale: stale || byId.size > 0 };
}
