/** What both halves of compiling expressions make matchers with. */
import type { Expression } from "./expression.ts";
import { type Place, type Plain, WrittenMap } from "./written.ts";

export type Compiled =
  | { readonly kind: "matcher"; readonly matcher: WrittenMap }
  /** What has no counterpart; reads well after "as". */
  | { readonly kind: "refused"; readonly reason: string };

export function matcher(key: string, value: Plain, at: Place): Compiled {
  const plain = isTexts(value) ? single(value) : value;
  return { kind: "matcher", matcher: new WrittenMap(at).set(key, plain, at) };
}

function isTexts(value: Plain): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

export function single(values: readonly string[]): Plain {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

export function textsOf(list: Expression): string[] | undefined {
  if (list.kind !== "list") return undefined;
  const texts = list.items.map((item) => item.kind === "text" ? item.value : undefined);
  const known = texts.filter((text) => text !== undefined);
  return known.length === texts.length ? known : undefined;
}

export function refused(reason: string): Compiled {
  return { kind: "refused", reason };
}
