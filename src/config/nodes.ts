/** Small questions about the nodes of a parsed YAML document. Pure. */
import { isAlias, isMap, isScalar, isSeq } from "yaml";

export function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
    ? node.range?.[0] ?? undefined
    : undefined;
}

export function keyText(key: unknown): string {
  if (isScalar(key)) return asText(key.value);
  return isAlias(key) ? `*${key.source}` : "?";
}

/** A scalar as text; the core schema knows no others than these. */
export function asText(value: unknown): string {
  return typeof value === "string" || isPlain(value) ? String(value ?? "") : "?";
}

export function isPlain(value: unknown): value is number | boolean | null {
  return value === null || typeof value === "number" || typeof value === "boolean";
}
