/** Spells a YAML list or map in brackets in one line: `[a, b]`, `{ a: b }`. Pure. */
import type { CST } from "yaml";

/** Undefined where a comment or a text over several lines is within. */
export function flat(token: CST.Token): string | undefined {
  switch (token.type) {
    case "alias":
    case "scalar":
    case "single-quoted-scalar":
    case "double-quoted-scalar":
      return token.source.includes("\n") || words(token.end ?? []) === undefined
        ? undefined
        : token.source;
    case "flow-collection":
      return collection(token);
    default:
      return undefined;
  }
}

function collection({ start, items, end }: CST.FlowCollection): string | undefined {
  const parts: string[] = [];
  for (const item of items) {
    const part = itemText(item);
    if (part === undefined) return undefined;
    if (part !== "") parts.push(part);
  }
  const closing = end.findIndex(({ type }) => type.endsWith("-end"));
  if (closing < 0 || words(end.slice(0, closing)) === undefined) return undefined;

  const inner = parts.join(", ");
  if (start.type === "flow-seq-start") return `[${inner}]`;
  return inner === "" ? "{}" : `{ ${inner} }`;
}

function itemText({ start, key, sep, value }: CST.CollectionItem): string | undefined {
  const before = words(start);
  const name = key === undefined || key === null ? "" : flat(key);
  const after = words(sep ?? []);
  const held = value === undefined ? "" : flat(value);
  if (before === undefined || name === undefined || after === undefined || held === undefined) {
    return undefined;
  }
  const isBound = name !== "" && key?.type !== "alias" && after.startsWith(":");
  const pair = isBound ? [`${name}${after}`] : [name, after];
  return [before, ...pair, held].filter((word) => word !== "").join(" ");
}

/** Tokens between words, commas and blanks aside; undefined when there is a comment. */
function words(tokens: readonly CST.SourceToken[]): string | undefined {
  if (tokens.some(({ type }) => type === "comment")) return undefined;
  return tokens
    .filter(({ type }) => type !== "space" && type !== "newline" && type !== "comma")
    .map(({ source }) => source)
    .join(" ");
}
