/** Parses YAML, and puts what its parser says of broken text into words and at a place. Pure. */
import { type Document, LineCounter, parseDocument, type YAMLError } from "yaml";
import type { Fault } from "./places.ts";
import { show } from "./reading.ts";

export interface Parsed {
  /** Undefined when the text cannot be parsed at all; `faults` then say why. */
  readonly document: Document.Parsed | undefined;
  readonly lines: LineCounter;
  readonly faults: readonly Fault[];
  /** Where the syntax itself is broken, so that what the parser made of it is a guess. */
  readonly broken: readonly number[];
}

const TEXT_LIMIT_CHARS = 4_000_000;

export function parseYaml(text: string): Parsed {
  const lines = new LineCounter();
  if (text.length > TEXT_LIMIT_CHARS) return hopeless(lines, "Expected a file of at most 4 MB");

  const document = parsed(text, lines);
  if (document === undefined) {
    return hopeless(lines, "Cannot read this YAML as it nests too deep");
  }
  const errors = [...document.errors, ...document.warnings].filter(isOurs);
  return {
    document,
    lines,
    faults: errors.map((error) => syntaxFault(error, text)),
    broken: errors
      .filter(({ code }) => code !== "DUPLICATE_KEY" && code !== "TAG_RESOLVE_FAILED")
      .map(({ pos }) => pos[0]),
  };
}

/** Line and column of an offset, from 1. */
export function positionOf(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function hopeless(lines: LineCounter, message: string): Parsed {
  return { document: undefined, lines, faults: [{ offset: 0, where: "", message }], broken: [] };
}

function parsed(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "silent" });
  } catch {
    // The parser calls itself for each level, and the runtime's stack ends somewhere.
    return undefined;
  }
}

/** Aliases are resolved, and reported, by our own reading of the tree. */
function isOurs(error: YAMLError): boolean {
  return !/^(?:Unresolved alias|Excessive alias)/.test(error.message);
}

function syntaxFault(error: YAMLError, text: string): Fault {
  const [offset, end] = error.pos;
  if (error.code === "DUPLICATE_KEY") {
    const key = /^[^\s:]*/.exec(text.slice(offset, Math.max(end, offset + 80)))?.[0] ?? "";
    return { offset, where: "", message: `Expected each key once but received ${show(key)} again` };
  }
  const words = error.message.split("\n", 1)[0]?.slice(0, 160) ?? "";
  return { offset, where: "", message: `Cannot read this as YAML: ${words}` };
}
