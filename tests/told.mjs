/** What `bun test` and `deno test` printed, read for the one line and the failures at its end. */

/** Longer failures are cut in the middle: whoever sees only a log's end must see all of their names. */
const MAX_LINES = 40;

/** Reads the closing lines of `bun test` (" 12 pass") and `deno test` ("ok | 12 passed (3 steps) | 0 failed"). */
export function count(output) {
  const text = plain(output);
  const last = (pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
  return {
    passed: last(/^\s*(\d+) pass$/gm) + last(/\| (\d+) passed/g),
    failed: last(/^\s*(\d+) fail$/gm) + last(/\| (\d+) failed/g),
  };
}

/** Each failure with what was printed about it: Bun tells it amid all others, Deno at the end. */
export function failures(output) {
  const text = plain(output);
  const begin = text.lastIndexOf("\n ERRORS \n");
  return begin === -1 ? amid(text) : atEnd(text.slice(begin));
}

/** Of Deno: from " ERRORS " on, each under its name and place. */
function atEnd(text) {
  const [errors = ""] = text.split("\n FAILURES \n");
  const [, ...found] = errors.split(/\n(?=.* => (?:\.\/|ext:))/);
  return found.map(shortened);
}

/** Of Bun: each above its name, and under that of its file. */
function amid(text) {
  const found = [];
  let file = "";
  let block = [];
  for (const line of text.split("\n")) {
    // Where Bun has run many it names all failures again.
    if (/^\d+ tests? failed:$/.test(line)) break;
    if (/^\S+\.test\.tsx?:$/.test(line)) file = line;
    if (line.startsWith("(fail)")) found.push(shortened([file, ...block, line].join("\n")));
    // "timed out" and its like stand behind the test that they are about.
    const isBehind = line.startsWith("  ^ ");
    if (isBehind && found.length > 0) found.push(`${found.pop()}\n${line}`);
    const isOver = isBehind || line === file || /^\((pass|skip|todo|fail)\)/.test(line);
    block = isOver ? [] : [...block.slice(-MAX_LINES), line];
  }
  return found;
}

function shortened(text) {
  const lines = text.trim().split("\n");
  if (lines.length <= MAX_LINES) return lines.join("\n");
  const half = MAX_LINES / 2;
  return [...lines.slice(0, half), "[…]", ...lines.slice(-half)].join("\n");
}

/** Colours stand between the words. */
function plain(output) {
  // oxlint-disable-next-line no-control-regex
  return output.replace(/\x1b\[[\d;]*m/g, "");
}
