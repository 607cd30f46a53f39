/**
 * What every small reader of configuration answers: the value, or what it expected instead.
 * The two halves stay apart so that the loader can hide what was received when it is a secret.
 */

export type Reading<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "refused"; readonly expected: string; readonly received: string | undefined };

export function read<T>(value: T): Reading<T> {
  return { kind: "read", value };
}

/** Refuses; without `received` the loader shows the value that was written. */
export function refuse<T>(expected: string, received?: string): Reading<T> {
  return { kind: "refused", expected, received };
}

const SHOWN_MAX = 60;

/** Names a value in a message: short, on one line, with no control bytes. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "string") {
    return JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value);
  }
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "a map";
}

/** A map as YAML means it: not a list, not nothing. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
