/**
 * Writes config.schema.json from the schema of the loader, for editors. Stands outside src so that the
 * generator never comes near the binary: `bun tests/support/schema_file.ts --write`.
 */
import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { Dynamics } from "../../src/config/dynamic.ts";
import { HeaderEdits } from "../../src/config/edits.ts";
import { Health, Passive } from "../../src/config/health.ts";
import { RequestMatcher, ResponseQuestion } from "../../src/config/matcher.ts";
import { ChoicePolicy } from "../../src/config/policy.ts";
import { Retry } from "../../src/config/retry.ts";
import { TargetRewrite } from "../../src/config/rewrite.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { OneStep } from "../../src/config/step.ts";
import { Tls, Transport } from "../../src/config/transport.ts";
import { Upstreams } from "../../src/config/upstreams.ts";

export const SCHEMA_FILE = new URL("../../config.schema.json", import.meta.url);

/** What stands at several places, or holds itself, stands once in the file. */
const DEFINITIONS = {
  dynamic: Dynamics,
  header_edits: HeaderEdits,
  health: Health,
  matcher: RequestMatcher,
  passive: Passive,
  policy: ChoicePolicy,
  response_matcher: ResponseQuestion,
  retry: Retry,
  rewrite: TargetRewrite,
  step: OneStep,
  tls: Tls,
  transport: Transport,
  upstreams: Upstreams,
};

/** The schema that editors get. */
export function configSchema(): JsonSchema {
  const schema = toJsonSchema(ConfigSchema, {
    typeMode: "input",
    target: "draft-07",
    // Checks between keys, which JSON Schema could only say clumsily.
    ignoreActions: ["raw_check"],
    definitions: DEFINITIONS,
  });
  admitFiles(schema);
  return { title: "understudy", ...schema };
}

/** The text that config.schema.json should hold. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema(), null, 2)}\n`;
}

/** Every text setting may be read from a file instead: `body_file` beside `body`. */
function admitFiles(schema: JsonSchema): void {
  for (const part of partsOf(schema)) admitFiles(part);
  // A required text may then be in the file, and the loader tells when it is in neither.
  const names = Object.entries(schema.properties ?? {})
    .filter(([, part]) => isSchema(part) && isText(part))
    .map(([name]) => name);
  if (schema.additionalProperties !== false || names.length === 0) return;
  schema.required = (schema.required ?? []).filter((name) => !names.includes(name));
  schema.patternProperties = {
    [`^(?:${names.join("|")})_file$`]: {
      type: "string",
      description: "Path of a file that holds the value.",
    },
  };
}

/** The schemas right inside a schema. */
export function partsOf(schema: JsonSchema): JsonSchema[] {
  const { items, additionalProperties, anyOf, properties, $defs } = schema;
  const named = [properties, $defs].flatMap((parts) => Object.values(parts ?? {}));
  const parts = [items, additionalProperties, anyOf, named];
  return parts.flat().filter((part) => isSchema(part));
}

function isText({ type, anyOf }: JsonSchema): boolean {
  if (anyOf !== undefined) return anyOf.some((part) => isSchema(part) && isText(part));
  return type === "string" || (Array.isArray(type) && type.includes("string"));
}

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === "object" && part !== null && !Array.isArray(part);
}

/** The text that it holds. */
export function storedSchemaText(): Promise<string> {
  return readFile(SCHEMA_FILE, "utf8");
}

if (import.meta.main && argv.includes("--write")) await writeFile(SCHEMA_FILE, schemaText());
