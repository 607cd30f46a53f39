/**
 * Checks a value against the part of JSON Schema that config.schema.json and the description of the
 * admin API use, as an editor would.
 */
import type { JsonSchema } from "@valibot/to-json-schema";

type Part = JsonSchema | boolean;

/** What is wrong, as paths; empty when it fits. */
export function misfits(schema: JsonSchema, value: unknown): string[] {
  return misfitsOf(schema, value, { path: "$", definitions: schema.$defs ?? {} });
}

interface Spot {
  readonly path: string;
  readonly definitions: Readonly<Record<string, Part>>;
}

function misfitsOf(schema: Part, value: unknown, spot: Spot): string[] {
  const { path } = spot;
  if (typeof schema === "boolean") return schema ? [] : [path];
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return misfitsOf(spot.definitions[name] ?? false, value, spot);
  }
  if (schema.anyOf?.some((part) => misfitsOf(part, value, spot).length === 0) === false) {
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
  if (Array.isArray(value)) return misfitItems(schema, value, spot);
  return isMap(value) ? misfitKeys(schema, value, spot) : [];
}

function misfitItems(schema: JsonSchema, values: readonly unknown[], spot: Spot): string[] {
  if (values.length < (schema.minItems ?? 0)) return [spot.path];
  const { items } = schema;
  if (items === undefined || Array.isArray(items)) return [];
  return values.flatMap((value, at) =>
    misfitsOf(items, value, { ...spot, path: `${spot.path}[${at}]` })
  );
}

function misfitKeys(schema: JsonSchema, map: Record<string, unknown>, spot: Spot): string[] {
  const missing = (schema.required ?? []).filter((key) => !(key in map));
  const wrong = Object.entries(map).flatMap(([key, value]) => {
    const own = schema.properties?.[key];
    const patterns = Object.entries(schema.patternProperties ?? {});
    const matched = patterns.find(([pattern]) => new RegExp(pattern, "u").test(key))?.[1];
    const part = own ?? matched ?? schema.additionalProperties ?? true;
    return misfitsOf(part, value, { ...spot, path: `${spot.path}.${key}` });
  });
  return [...missing.map((key) => `${spot.path}.${key}`), ...wrong];
}

function fitsType({ type }: JsonSchema, value: unknown): boolean {
  if (type === undefined) return true;
  const types: readonly string[] = Array.isArray(type) ? type : [type];
  if (Number.isInteger(value) && types.includes("integer")) return true;
  if (value === null) return types.includes("null");
  const actual = Array.isArray(value) ? "array" : isMap(value) ? "object" : typeof value;
  return types.includes(actual);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
