/**
 * Takes apart the expressions that `lb_retry_match` asks of responses and of failures. What comes out is a
 * list of alternatives, each of questions that must all hold; undefined for what cannot be put so.
 */
import type { Expression } from "./expression.ts";
import { fullName } from "./placeholder.ts";

/** One question of an expression. */
export type Atom =
  /** The attempt failed before an answer came. */
  | { readonly kind: "transport" }
  | { readonly kind: "status"; readonly holds: (code: number) => boolean }
  /** Values may begin or end with `*`; null asks for an absent field. */
  | { readonly kind: "field"; readonly name: string; readonly values: readonly string[] | null }
  /** Of the request alone. */
  | { readonly kind: "request"; readonly expression: Expression };

export type Alternatives = readonly (readonly Atom[])[];

type Compare = Extract<Expression, { kind: "compare" }>;
type Call = Extract<Expression, { kind: "call" }>;

const PREFIX = "http.reverse_proxy.";
const FIELD_PREFIX = `${PREFIX}header.`;
const ALTERNATIVES_MAX = 64;

/** Whether a text asks of responses or of failures. */
export function asksOfResponse(text: string): boolean {
  return /\{(?:rp|http\.reverse_proxy)\./.test(text);
}

/** Denied, the alternatives are of its contrary. */
export function alternativesOf(expression: Expression, denied = false): Alternatives | undefined {
  if (!mentionsResponse(expression)) {
    const asked: Expression = denied ? { kind: "not", of: expression } : expression;
    return [[{ kind: "request", expression: asked }]];
  }
  switch (expression.kind) {
    case "not":
      return alternativesOf(expression.of, !denied);
    case "and":
    case "or": {
      // What denies one of several denies all of them together.
      const both = (expression.kind === "and") !== denied;
      return expression.of
        .map((one) => alternativesOf(one, denied))
        .reduce((all, one) => join(all, one, both));
    }
    case "compare":
      return alone(comparison(expression, denied));
    case "call":
      return alone(call(expression, denied));
    case "placeholder":
      return alone(transport(expression, !denied));
    case "list":
    case "map":
    case "text":
    case "number":
    case "truth":
      return undefined;
  }
}

function alone(atom: Atom | undefined): Alternatives | undefined {
  return atom === undefined ? undefined : [[atom]];
}

function join(
  one: Alternatives | undefined,
  other: Alternatives | undefined,
  both: boolean,
): Alternatives | undefined {
  if (one === undefined || other === undefined) return undefined;
  const all = both
    ? one.flatMap((left) => other.map((right) => [...left, ...right]))
    : [...one, ...other];
  return all.length <= ALTERNATIVES_MAX ? all : undefined;
}

function mentionsResponse(expression: Expression): boolean {
  switch (expression.kind) {
    case "and":
    case "or":
      return expression.of.some(mentionsResponse);
    case "not":
      return mentionsResponse(expression.of);
    case "compare":
      return mentionsResponse(expression.left) || mentionsResponse(expression.right);
    case "call":
      return (expression.on !== undefined && mentionsResponse(expression.on)) ||
        expression.args.some(mentionsResponse);
    case "placeholder":
      return fullName(expression.name).startsWith(PREFIX);
    case "list":
      return expression.items.some(mentionsResponse);
    case "map":
    case "text":
    case "number":
    case "truth":
      return false;
  }
}

function transport(expression: Expression, wanted: boolean): Atom | undefined {
  const isIt = expression.kind === "placeholder" &&
    fullName(expression.name) === `${PREFIX}is_transport_error`;
  return isIt && wanted ? { kind: "transport" } : undefined;
}

function comparison({ operator, left, right }: Compare, denied: boolean): Atom | undefined {
  if (left.kind !== "placeholder") return undefined;
  if (right.kind === "truth" && (operator === "==" || operator === "!=")) {
    return transport(left, ((operator === "==") === right.value) !== denied);
  }
  const name = fullName(left.name);
  if (name === `${PREFIX}status_code`) {
    const holds = statusTest(operator, right);
    if (holds === undefined) return undefined;
    return { kind: "status", holds: denied ? (code) => !holds(code) : holds };
  }
  return name.startsWith(FIELD_PREFIX)
    ? fieldComparison(name.slice(FIELD_PREFIX.length), { operator, right, denied })
    : undefined;
}

function statusTest(
  operator: Compare["operator"],
  right: Expression,
): ((code: number) => boolean) | undefined {
  if (operator === "in") {
    if (right.kind !== "list") return undefined;
    const codes = right.items.map((item) => item.kind === "number" ? item.value : undefined);
    return codes.includes(undefined) ? undefined : (code) => codes.includes(code);
  }
  if (right.kind !== "number") return undefined;
  const { value } = right;
  switch (operator) {
    case "==":
      return (code) => code === value;
    case "!=":
      return (code) => code !== value;
    case "<":
      return (code) => code < value;
    case "<=":
      return (code) => code <= value;
    case ">":
      return (code) => code > value;
    case ">=":
      return (code) => code >= value;
  }
}

function fieldComparison(
  name: string,
  { operator, right, denied }: {
    readonly operator: Compare["operator"];
    readonly right: Expression;
    readonly denied: boolean;
  },
): Atom | undefined {
  if (operator === "in") {
    if (right.kind !== "list" || denied) return undefined;
    const values = right.items.map((item) => item.kind === "text" ? item.value : undefined);
    const known = values.filter((value) => value !== undefined);
    return known.length === values.length ? field(name, known) : undefined;
  }
  if (right.kind !== "text" || (operator !== "==" && operator !== "!=")) return undefined;
  const wanted = (operator === "==") !== denied;
  // An absent field is an empty text to Caddy, and the one value that can be asked not to be.
  if (right.value === "") return { kind: "field", name, values: wanted ? null : ["*"] };
  return wanted ? field(name, [right.value]) : undefined;
}

/** A `*` at the ends of a value would stand for any rest. */
function field(name: string, values: readonly string[]): Atom | undefined {
  const isPlain = values.every((value) => !/^\*|\*$|^$/.test(value));
  return isPlain ? { kind: "field", name, values } : undefined;
}

function call({ name, on, args: [only, surplus] }: Call, denied: boolean): Atom | undefined {
  if (on?.kind !== "placeholder" || only?.kind !== "text" || surplus !== undefined || denied) {
    return undefined;
  }
  const full = fullName(on.name);
  const { value } = only;
  if (!full.startsWith(FIELD_PREFIX) || /^\*|\*$|^$/.test(value)) return undefined;
  const names: Readonly<Record<string, string>> = {
    startsWith: `${value}*`,
    endsWith: `*${value}`,
    contains: `*${value}*`,
  };
  const pattern = Object.hasOwn(names, name) ? names[name] : undefined;
  const fieldName = full.slice(FIELD_PREFIX.length);
  return pattern === undefined ? undefined : { kind: "field", name: fieldName, values: [pattern] };
}
