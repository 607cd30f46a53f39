/**
 * Rewrites the method and the target of a request by the operator's rules. What comes out is a valid
 * target, whatever a client managed to put into a placeholder. Pure.
 */
import type { Placeholder, Rewrite, Template } from "../rules.ts";
import { fill, line, type Placeholders } from "./placeholders.ts";
import { type Alterations, pathOf, queryOf } from "./visit.ts";

/** Method and target as the rules make them of those that are. */
export function rewritten(
  rules: Rewrite,
  before: { readonly method: string; readonly target: string },
  values: Placeholders,
): Required<Pick<Alterations, "method" | "target">> {
  const { method, uri, stripPrefix, stripSuffix, replace } = rules;
  let path = pathOf(before.target);
  let query = queryOf(before.target);
  if (uri !== undefined) ({ path, query } = withUri(uri, { path, query }, values));
  if (stripPrefix !== undefined) path = withoutPrefix(path, line(stripPrefix, values));
  if (stripSuffix !== undefined) path = withoutSuffix(path, line(stripSuffix, values));
  for (const { search, with: replacement, max } of replace) {
    if (typeof search === "string") {
      const text = line(replacement, values);
      path = replaced(path, search, text, max);
      query = replaced(query, search, text, max);
      continue;
    }
    // Only the operator's own `$1` refers to a group.
    const text = line(replacement, (name) => values(name).replaceAll("$", "$$$$"));
    path = replacedByPattern(path, search, text, max);
  }
  const asked = method === undefined ? "" : line(method, values).toUpperCase();
  const safePath = safe(path.startsWith("/") || path === "*" ? path : `/${path}`);
  return {
    method: TOKEN.test(asked) ? asked : before.method,
    target: query === "" ? safePath : `${safePath}?${safe(query)}`,
  };
}

// RFC 9110 section 5.6.2.
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

interface Parts {
  readonly path: string;
  readonly query: string;
}

function withUri(uri: Template, before: Parts, values: Placeholders): Parts {
  const [pathTemplate, queryTemplate] = split(uri);
  const filled = fill(pathTemplate, (one) => spelled(one, values));
  // A query may come along with a placeholder such as {uri}; one that the operator spells out goes first.
  const brought = queryOf(filled) || before.query;
  const query = queryTemplate === undefined
    ? brought
    : fill(queryTemplate, (one) =>
      one.name === "query" && one.of === undefined
        ? values(one)
        : encodeURIComponent(values(one).toWellFormed())).replace(/^&+|&+$/g, "");
  return { path: filled === "" ? before.path : pathOf(filled), query };
}

/** The template of the path and that of the query, which is undefined where no "?" is written. */
function split(uri: Template): [Template, Template | undefined] {
  const at = uri.findIndex((part) => typeof part === "string" && part.includes("?"));
  const marked = uri[at];
  if (typeof marked !== "string") return [uri, undefined];
  const mark = marked.indexOf("?");
  const some = (text: string) => (text === "" ? [] : [text]);
  return [
    [...uri.slice(0, at), ...some(marked.slice(0, mark))],
    [...some(marked.slice(mark + 1)), ...uri.slice(at + 1)],
  ];
}

/** Placeholders that are parts of a URI already, or the operator's own text. */
const URI_SPELLED: ReadonlySet<string> = new Set([
  "uri",
  "path",
  "original_uri",
  "original_path",
  "query",
  "var",
]);

/** Whatever is not spelled as a URI becomes so: a "?" within a value must not begin the query. */
function spelled(placeholder: Placeholder, values: Placeholders): string {
  const value = values(placeholder);
  if (
    URI_SPELLED.has(placeholder.name) &&
    (placeholder.name === "var" || placeholder.of === undefined)
  ) {
    return value;
  }
  return encodeURI(value.toWellFormed()).replace(/[?#]/g, encodeURIComponent);
}

/**
 * The path after a prefix, which is compared without regard to case and as the path decodes. A path
 * that only leads there by dots and double slashes is straightened first: it was matched so, too.
 */
export function withoutPrefix(path: string, prefix: string): string {
  const wanted = safe(rooted(prefix));
  const end = prefixEnd(path, wanted);
  if (end !== undefined) return rooted(path.slice(end));
  const straight = straightened(path);
  const straightEnd = straight === path ? undefined : prefixEnd(straight, wanted);
  return straightEnd === undefined ? path : rooted(straight.slice(straightEnd));
}

function prefixEnd(path: string, prefix: string): number | undefined {
  let at = 0;
  for (let done = 0; done < prefix.length; done++) {
    let char = path.charAt(at++);
    if (char === "%" && prefix.charAt(done) !== "%") {
      char = String.fromCharCode(parseInt(path.slice(at, at + 2), 16));
      at += 2;
    }
    if (char.toLowerCase() !== prefix.charAt(done).toLowerCase()) return undefined;
  }
  return at;
}

function withoutSuffix(path: string, suffix: string): string {
  if (suffix === "" || !path.toLowerCase().endsWith(suffix.toLowerCase())) return path;
  return rooted(path.slice(0, -suffix.length));
}

function straightened(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    const dots = segment.replace(/%2e/gi, ".");
    if (dots === "..") segments.pop();
    else if (dots !== "" && dots !== ".") segments.push(segment);
  }
  const clean = `/${segments.join("/")}`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function replaced(text: string, search: string, replacement: string, max: number): string {
  if (search === "") return text;
  if (max === Infinity) return text.replaceAll(search, () => replacement);
  let made = text;
  let at = 0;
  for (let count = 0; count < max; count++) {
    const found = made.indexOf(search, at);
    if (found < 0) break;
    made = made.slice(0, found) + replacement + made.slice(found + search.length);
    at = found + replacement.length;
  }
  return made;
}

function replacedByPattern(text: string, search: RegExp, replacement: string, max: number): string {
  search.lastIndex = 0;
  if (max === Infinity) return text.replace(search, replacement);
  let left = max;
  return text.replace(search, (match: string, ...found: unknown[]) => {
    if (left-- <= 0) return match;
    return replacement.replace(/\$(?:\$|&|(\d{1,2}))/g, (mark: string, group?: string) => {
      if (group === undefined) return mark === "$$" ? "$" : match;
      const value = found[Number(group) - 1];
      return typeof value === "string" ? value : "";
    });
  });
}

/** Escapes what no request line may hold; escapes that are there already stay. */
function safe(text: string): string {
  return text.replace(/[^\x21-\x7e]+|["#<>]/gu, (odd) => encodeURIComponent(odd.toWellFormed()));
}
