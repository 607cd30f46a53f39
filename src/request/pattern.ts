/** Turns the wildcards of matchers into tests, once a configuration. Pure. */

type Test = (text: string) => boolean;

/** A value in which `*` at either end stands for any rest. */
export function wildcardTest(pattern: string): Test {
  const open = pattern.startsWith("*");
  const shut = pattern.length > 1 && pattern.endsWith("*");
  const core = pattern.slice(open ? 1 : 0, shut ? -1 : undefined);
  if (open && shut) return (text) => text.includes(core);
  if (open) return (text) => text.endsWith(core);
  if (shut) return (text) => text.startsWith(core);
  return (text) => text === pattern;
}

/**
 * Caddy's `path`: without regard to case, exact but for `*`. At either end it stands for any rest;
 * within, for any part of one segment.
 */
export function pathTest(pattern: string): Test {
  const lower = unescaped(pattern).toLowerCase();
  const stars = lower.split("*").length - 1;
  const atEnds = (lower.startsWith("*") ? 1 : 0) +
    (lower.length > 1 && lower.endsWith("*") ? 1 : 0);
  const test = stars === atEnds ? wildcardTest(lower) : globTest(lower);
  return (path) => test(path.toLowerCase());
}

function globTest(pattern: string): Test {
  const literals = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const glob = new RegExp(`^${literals.join("[^/]*")}$`, "s");
  return (text) => glob.test(text);
}

/** Paths are compared decoded, so a pattern that was written with escapes means what they spell. */
function unescaped(pattern: string): string {
  try {
    return decodeURIComponent(pattern);
  } catch {
    return pattern;
  }
}
