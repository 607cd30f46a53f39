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
  const deno = text.lastIndexOf("\n ERRORS \n");
  if (deno !== -1) {
    const end = text.lastIndexOf("\n FAILURES \n");
    return text.slice(deno, end === -1 ? undefined : end).split(/\n(?=.* => (?:\.\/|ext:))/).slice(
      1,
    )
      .map(shortened);
  }

  const found = [];
  let file = "";
  let block = [];
  for (const line of text.split("\n")) {
    // Where Bun has run many it names all failures again.
    if (/^\d+ tests? failed:$/.test(line)) break;
    if (/^\S+\.test\.tsx?:$/.test(line)) file = line;
    if (line.startsWith("(fail)")) found.push(shortened([file, ...block, line].join("\n")));
    // "timed out" and its like stand behind the test that they are about.
    if (/^ {2}\^ /.test(line) && found.length > 0) found.push(`${found.pop()}\n${line}`);
    const begins = /^\((pass|skip|todo|fail)\)/.test(line) || line.startsWith("  ^ ");
    block = begins || line === file ? [] : [...block.slice(-MAX_LINES), line];
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
