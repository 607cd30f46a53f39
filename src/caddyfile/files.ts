/** Finds the files an import names: paths beside the importing file, and patterns with `*`. */

export type Found =
  | { readonly kind: "found"; readonly paths: readonly string[] }
  | { readonly kind: "refused"; readonly reason: string };

/** The directory of a path, with its last slash; empty for none. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A path as seen from a directory; an absolute one stays. */
export function joinPath(directory: string, path: string): string {
  return path.startsWith("/") ? path : `${directory}${path.replace(/^(?:\.\/)+/, "")}`;
}

/** Paths that a pattern stands for, in order. Only a pattern may find nothing. */
export async function findFiles(
  pattern: string,
  list: (directory: string) => Promise<readonly string[]>,
): Promise<Found> {
  if (!/[*?[\]]/.test(pattern)) return { kind: "found", paths: [pattern] };
  if (/[?[\]]/.test(pattern) || pattern.split("*").length > 2) {
    const reason = `Expected a pattern with one "*" but received ${JSON.stringify(pattern)}`;
    return { kind: "refused", reason };
  }

  const before = directoryOf(pattern.slice(0, pattern.indexOf("*")));
  const [segment = "", ...below] = pattern.slice(before.length).split("/");
  const rest = below.map((part) => `/${part}`).join("");
  const [start = "", end = ""] = segment.split("*");
  try {
    const names = await list(before === "" ? "." : before);
    const paths = names
      // Editors leave hidden files beside those they write.
      .filter((name) => start !== "" || !name.startsWith("."))
      .filter((name) => name.length >= start.length + end.length)
      .filter((name) => name.startsWith(start) && name.endsWith(end))
      .toSorted()
      .map((name) => `${before}${name}${rest}`);
    return { kind: "found", paths };
  } catch (error) {
    const words = error instanceof Error ? error.message : "it cannot be read";
    return { kind: "refused", reason: `Expected files for ${JSON.stringify(pattern)}: ${words}` };
  }
}
