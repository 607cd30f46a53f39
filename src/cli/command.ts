/** What every command of the front door is, and how its arguments are read. One file a command beside this. */
import { parseArgs } from "node:util";
import type { Platform } from "../platform/platform.ts";

/** Exit codes of SEMANTICS section 7. */
export const EXIT = { fine: 0, failed: 1, usage: 2 } as const;

export interface Command {
  readonly name: string;
  /** One line for the overview; a command without one is not shown there. */
  readonly summary: string | undefined;
  /** The whole text of `--help`. */
  readonly help: string;
  readonly flags: Flags;
  /** Positional arguments taken at most. */
  readonly positionalsMax?: number;
  /** What they are, for the completion of words. */
  readonly positionals?: Words;
  run(platform: Platform, args: Parsed): Promise<number>;
}

export type Flags = Readonly<Record<string, Flag>>;

export interface Flag {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What its value may be, for the completion of words. */
  readonly values?: Words;
}

/** Words to choose from, or where they are found. */
export type Words = readonly string[] | "file" | "upstream" | "command";

/** Arguments after the command's name. */
export interface Parsed {
  text(flag: string): string | undefined;
  texts(flag: string): readonly string[];
  has(flag: string): boolean;
  readonly positionals: readonly string[];
}

/** Wrong words on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Reads arguments strictly. Throws `UsageError`. */
export function parse(command: Command, args: readonly string[]): Parsed {
  const { values, positionals } = parsed(command, args);
  const [surplus] = positionals.slice(command.positionalsMax ?? 0);
  if (surplus !== undefined) throw new UsageError(`Unexpected argument "${surplus}"`);
  const list = (flag: string) => {
    const value = values[flag];
    const all = Array.isArray(value) ? value : [value];
    return all.filter((one) => typeof one === "string");
  };
  return {
    text: (flag) => list(flag).at(-1),
    texts: list,
    has: (flag) => values[flag] === true,
    positionals,
  };
}

function parsed(command: Command, args: readonly string[]) {
  const flags: Flags = { ...command.flags, help: { type: "boolean", short: "h" } };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { values: _values, ...option }]) => [name, option]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Only its first sentence: the rest explains how to pass positionals, of which there are few here.
    throw new UsageError(message.split(". ")[0] ?? message, { cause: error });
  }
}
