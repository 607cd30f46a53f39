/**
 * Checks a value against the part of JSON Schema that config.schema.json uses, as an editor would.
 */
import type { JsonSchema } from "@valibot/to-json-schema";

type Part = JsonSchema | boolean;

/** What is wrong, as paths; empty when it fits. */
export function misfits(schema: Part, value: unknown, path = "$"): string[] {
  if (typeof schema === "boolean") return schema ? [] : [path];
  if (schema.anyOf?.some((part) => misfits(part, value, path).length === 0) === false) {
    return [path];
  }
  if (!fitsType(schema, value)) return [path];
  if (schema.enum !== undefined && !schema.enum.some((one) => one === value)) return [path];
  if (typeof value === "string") {
    return new RegExp(schema.pattern ?? "", "u").test(value) ? [] : [path];
  }
  if (typeof value === "number") {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    return value >= minimum && value <= maximum ? [] : [path];
  }
  if (Array.isArray(value)) return misfitItems(schema, value, path);
  return isMap(value) ? misfitKeys(schema, value, path) : [];
}

function misfitItems(schema: JsonSchema, values: readonly unknown[], path: string): string[] {
  if (values.length < (schema.minItems ?? 0)) return [path];
  const { items } = schema;
  if (items === undefined || Array.isArray(items)) return [];
  return values.flatMap((value, at) => misfits(items, value, `${path}[${at}]`));
}

function misfitKeys(schema: JsonSchema, map: Record<string, unknown>, path: string): string[] {
  const missing = (schema.required ?? []).filter((key) => !(key in map));
  const wrong = Object.entries(map).flatMap(([key, value]) => {
    const own = schema.properties?.[key];
    const patterns = Object.entries(schema.patternProperties ?? {});
    const matched = patterns.find(([pattern]) => new RegExp(pattern, "u").test(key))?.[1];
    return misfits(own ?? matched ?? schema.additionalProperties ?? true, value, `${path}.${key}`);
  });
  return [...missing.map((key) => `${path}.${key}`), ...wrong];
}

function fitsType({ type }: JsonSchema, value: unknown): boolean {
  if (type === undefined) return true;
  const types: readonly string[] = Array.isArray(type) ? type : [type];
  if (Number.isInteger(value) && types.includes("integer")) return true;
  const actual = Array.isArray(value) ? "array" : isMap(value) ? "object" : typeof value;
  return types.includes(actual);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
