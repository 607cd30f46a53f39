/** Makes what holds certificates out of what the platform has. */
import type { Log } from "../ops/log.ts";
import type { Platform } from "../platform/platform.ts";
import { TlsEdge } from "../tls/edge.ts";
import { type EdgeEars, edgeLog } from "./edge_log.ts";

export function edgeOf(platform: Platform, log: Log, ears?: EdgeEars): TlsEdge {
  const { clock } = platform;
  const edge: TlsEdge = new TlsEdge({
    clock,
    random: () => platform.random(),
    workshop: platform,
    platform,
    store: () => Promise.reject(new Error("Cannot keep certificates yet")),
    acmeIssuer: () => {
      throw new Error("no ACME yet");
    },
    internalIssuer: () => {
      throw new Error("no authority yet");
    },
    root: () => Promise.resolve(undefined),
    proofs: { http: () => undefined, alpn: () => undefined },
    ...edgeLog({ log, clock, ears, standing: (rules) => edge.standing(rules) }),
  });
  return edge;
}
