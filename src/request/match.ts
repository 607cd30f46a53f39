/** Answers questions about a request. Pure. */
import type { Matcher } from "../rules.ts";
import { isUnder } from "./route.ts";

/** What of a request can be asked about. */
export interface Asked {
  readonly method: string;
  readonly path: string;
}

export function matches(matcher: Matcher, asked: Asked): boolean {
  switch (matcher.kind) {
    case "all":
      return matcher.of.every((one) => matches(one, asked));
    case "any":
      return matcher.of.some((one) => matches(one, asked));
    case "not":
      return !matches(matcher.of, asked);
    case "method":
      return matcher.methods.includes(asked.method);
    case "prefix":
      return matcher.paths.some((prefix) => isUnder(asked.path, prefix));
    default:
      return false;
  }
}
