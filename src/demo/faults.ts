/**
 * How a stand-in misbehaves on purpose. Tests set it over POST `/_stand-in/faults`; each set
 * replaces the one before, and `{}` makes the machine well again.
 */
import { type Body, type Refusal, refuse } from "./asked.ts";

export interface Faults {
  /** Answers everything with this status. */
  readonly status: number | undefined;
  /** Answers GET and HEAD of `/` with this status, which is what probes ask. */
  readonly probeStatus: number | undefined;
  /** Breaks streams after so many tokens; whole answers stay whole. */
  readonly cutAfterTokens: number | undefined;
  /** Keeps every client waiting for its response head, in milliseconds. */
  readonly delayMs: number | undefined;
}

/** Smallest and largest value of each fault. */
const BOUNDS: Readonly<Record<keyof Faults, readonly [number, number]>> = {
  // `Response` takes no other status.
  status: [200, 599],
  probeStatus: [200, 599],
  cutAfterTokens: [0, 1_000_000],
  delayMs: [0, 3_600_000],
};

export const NO_FAULTS: Faults = {
  status: undefined,
  probeStatus: undefined,
  cutAfterTokens: undefined,
  delayMs: undefined,
};

export function faultsOf(body: Body): { readonly kind: "read"; readonly faults: Faults } | Refusal {
  const faults: { -readonly [key in keyof Faults]: number | undefined } = { ...NO_FAULTS };
  for (const [key, value] of Object.entries(body)) {
    if (!isFault(key)) return refuse(400, `unknown fault "${key}"`);
    const [from, to] = BOUNDS[key];
    if (typeof value !== "number" || !Number.isInteger(value) || value < from || value > to) {
      return refuse(400, `${key} must be an integer from ${from} to ${to}`);
    }
    faults[key] = value;
  }
  return { kind: "read", faults };
}

function isFault(key: string): key is keyof Faults {
  return Object.hasOwn(BOUNDS, key);
}
