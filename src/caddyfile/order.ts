/**
 * The order in which Caddy runs directives, whatever their order in the file: by kind, and within a
 * kind by how specific their matcher is. Pure.
 */
import type { WrittenMap } from "./written.ts";

/** First to last; those that Caddy does not have any more stand where they stood. */
export const DIRECTIVE_ORDER: readonly string[] = [
  "tracing",
  "map",
  "vars",
  "fs",
  "root",
  "log_append",
  "log_skip",
  "skip_log",
  "log_name",
  "header",
  "copy_response_headers",
  "request_body",
  "redir",
  "method",
  "rewrite",
  "uri",
  "try_files",
  "basic_auth",
  "basicauth",
  "forward_auth",
  "request_header",
  "encode",
  "push",
  "intercept",
  "templates",
  "invoke",
  "handle",
  "handle_path",
  "route",
  "abort",
  "error",
  "copy_response",
  "respond",
  "metrics",
  "reverse_proxy",
  "php_fastcgi",
  "file_server",
  "acme_server",
];

/** A directive that was translated, before it has its place among others. */
export interface Ordered {
  readonly name: string;
  readonly match: WrittenMap | undefined;
}

/** Directives that share one place in the order. */
const ALIASES: Readonly<Record<string, string>> = {
  handle_path: "handle",
  basicauth: "basic_auth",
  skip_log: "log_skip",
};

export function kindOf(name: string): string {
  return ALIASES[name] ?? name;
}

/** Sorts as Caddy does; the file's order decides where nothing else does. */
export function sorted<T extends Ordered>(items: readonly T[], order: readonly string[]): T[] {
  const position = ({ name }: Ordered): number => {
    const at = order.indexOf(kindOf(name));
    return at < 0 ? order.length : at;
  };
  return items.toSorted((one, other) =>
    position(one) - position(other) || bySpecificity(one, other)
  );
}

/** Longer paths first; then anything with a matcher before what takes all. */
function bySpecificity(one: Ordered, other: Ordered): number {
  const first = precedes(one, other) ? -1 : precedes(other, one) ? 1 : 0;
  // The last variable that is set holds, so the most specific one comes last.
  return kindOf(one.name) === "vars" ? -first : first;
}

function precedes(one: Ordered, other: Ordered): boolean {
  const path = onlyPath(one);
  const otherPath = onlyPath(other);
  if (path === undefined || otherPath === undefined) {
    return one.match !== undefined && other.match === undefined;
  }
  if (path.replace(/\*$/, "") === otherPath.replace(/\*$/, "")) {
    return path.length < otherPath.length;
  }
  return path.length > otherPath.length;
}

function onlyPath({ match }: Ordered): string | undefined {
  const node = match?.get("path");
  const only = node?.kind === "list" && node.items.length === 1 ? node.items[0] : node;
  return only?.kind === "leaf" && typeof only.value === "string" ? only.value : undefined;
}
