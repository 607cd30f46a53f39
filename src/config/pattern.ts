/**
 * Reads regular expressions. They run on what strangers send, in an engine that backtracks, so the ones
 * that are known to run away are refused.
 */
import { read, type Reading, refuse } from "./reading.ts";
import { leaf, type Schema } from "./shape.ts";

const PATTERN_MAX = 1_000;

/**
 * A group of one repeated thing that is repeated itself, "(a+)+" or "(?:[a-z]*)*": each further character
 * doubles what is tried before it fails. Not every slow expression, but what people write by mistake.
 */
const RUNAWAY = /\((?:\?(?:[:=!]|<[^>]*>))?[^()|][+*]\??\)(?:[+*]|\{\d*,\})/;
/** Escaped characters and classes, each of which stands for one character. */
const ONE_CHARACTER = /\\.|\[(?:\\.|[^\]\\])*\]/gs;

/** A pattern in JavaScript's syntax. */
export function pattern(flags: "" | "g"): Schema<RegExp> {
  return leaf({ type: "string" }, (written) => readPattern(written, flags));
}

export function readPattern(written: unknown, flags: "" | "g"): Reading<RegExp> {
  if (typeof written !== "string") return refuse("a regular expression, in quotes,");
  if (written.length > PATTERN_MAX) {
    return refuse(`a regular expression of at most ${PATTERN_MAX} characters`);
  }
  if (RUNAWAY.test(written.replace(ONE_CHARACTER, "x"))) {
    return refuse('a regular expression that repeats nothing repeated, as "(a+)+" does,');
  }
  try {
    return read(new RegExp(written, flags));
  } catch {
    // Runtimes word this error differently, so their words stay out.
    return refuse("a regular expression in JavaScript's syntax");
  }
}
