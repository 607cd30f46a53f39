/** Reads single arguments: durations, sizes, numbers, patterns. Each says what it expected instead. Pure. */
import { toJavaScript } from "./regexp.ts";

export type Value<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "wrong"; readonly expected: string };

const DURATION = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/;
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgt]i?)?(b)?$/i;

/** Caddy's durations are ours. */
export function readDuration(text: string): Value<string> {
  if (text === "0" || DURATION.test(text)) return { kind: "value", value: text };
  return wrong('a duration such as "10s"');
}

/** Caddy takes sizes without unit for bytes and lets the "B" be left out. */
export function readSize(text: string): Value<string> {
  if (text === "unlimited") return { kind: "value", value: text };
  const [, number, unit = ""] = SIZE.exec(text) ?? [];
  if (number === undefined) return wrong('a size such as "10MB"');
  return { kind: "value", value: `${number}${unit}B` };
}

export function readInteger(text: string): Value<number> {
  return /^-?\d{1,15}$/.test(text)
    ? { kind: "value", value: Number(text) }
    : wrong("a whole number");
}

/** A pattern as YAML spells it. */
export function readPattern(text: string): Value<string> {
  const regexp = toJavaScript(text);
  return regexp.kind === "pattern"
    ? { kind: "value", value: regexp.source.replaceAll("${", "$${") }
    : wrong(`a regular expression that JavaScript knows as well (${regexp.reason})`);
}

function wrong<T>(expected: string): Value<T> {
  return { kind: "wrong", expected };
}
