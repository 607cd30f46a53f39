/** The matcher `expression`: CEL in one argument, or in as many as it has words. */
import { type Context, type Directive, placeOf, type Token } from "./directive.ts";
import { readExpression } from "./expression.ts";
import { compile } from "./expression_match.ts";
import { type Plain, WrittenMap, type WrittenNode } from "./written.ts";

/** The matcher that an expression is; undefined when told of as one that has no counterpart. */
export function readExpressionOf(
  { name, args }: Directive,
  context: Context,
): WrittenMap | undefined {
  const where = "matcher.expression";
  const at = placeOf(name, where);
  const [only, ...others] = args;
  if (only === undefined) {
    context.problem(name, where, "Expected an expression but received none");
    return undefined;
  }
  const text = others.length === 0 ? only.text : args.map(asWritten).join(" ");
  const reading = readExpression(text);
  const compiled = reading.kind === "read" ? compile(reading.expression, at) : reading;
  if (compiled.kind === "matcher") return escaped(compiled.matcher);
  const message = `Cannot take this expression over as ${compiled.reason}; use other matchers, ` +
    `such as path, header or not`;
  context.problem(only, where, message);
  return undefined;
}

function asWritten({ text, quoted }: Token): string {
  if (quoted === '"') return `"${text.replaceAll('"', '\\"')}"`;
  return quoted === "`" ? `\`${text}\`` : text;
}

/** The same with texts that YAML would not take for references to the environment. */
function escaped(map: WrittenMap): WrittenMap {
  const made = new WrittenMap(map.at);
  for (const [key, { node, at }] of map.entries) made.set(key, escapedNode(node), at);
  return made;
}

function escapedNode(node: WrittenNode): Plain {
  switch (node.kind) {
    case "leaf":
      return typeof node.value === "string" ? node.value.replaceAll("${", "$${") : node.value;
    case "list":
      return node.items.map(escapedNode);
    case "map":
      return escaped(node);
  }
}
