/**
 * Shows the configuration at work without its secrets. What may be one is hidden: a secret shown once
 * is a secret no more, a harmless value hidden is a nuisance. Pure.
 */
import { redactedUri } from "./access.ts";

const REDACTED = "REDACTED";

/** Keys of the model whose value is a secret, whatever it is. */
const SECRET_KEY = /token|secret|password|^hash$|^(?:api_?)?key$/i;
/** Names of header fields, variables and parameters whose value is one. */
const SECRET_NAME = /auth|cookie|credential|key|password|secret|signature|session|token/i;
/** What a thing with a name tells of it. */
const VALUES = new Set(["value", "values", "with", "secret"]);

/** A copy for JSON: secrets hidden, expressions spelled, Infinity as "unlimited". */
export function redactedConfig(value: unknown): unknown {
  if (value === Infinity) return "unlimited";
  if (value instanceof RegExp) return String(value);
  if (typeof value === "string") return shownText(value);
  if (Array.isArray(value)) return value.map(redactedConfig);
  if (typeof value !== "object" || value === null) return value;

  const entries = Object.entries(value);
  const named = entries.some(([key, name]) =>
    key === "name" && typeof name === "string" && SECRET_NAME.test(name)
  );
  // The key of a query is the name of a parameter.
  const asksQuery = entries.some(([key, kind]) => key === "kind" && kind === "query");
  const keyed = asksQuery &&
    entries.some(([key, name]) =>
      key === "key" && typeof name === "string" && SECRET_NAME.test(name)
    );
  return Object.fromEntries(entries.map(([key, inner]): [string, unknown] => {
    const isSecret = SECRET_KEY.test(key) && !(asksQuery && key === "key") && inner !== undefined;
    const isValue = (named || keyed) && VALUES.has(key);
    return [key, isSecret || isValue ? REDACTED : redactedConfig(inner)];
  }));
}

function shownText(text: string): string {
  if (text.includes("PRIVATE KEY-----")) return REDACTED;
  return redactedUri(text);
}
