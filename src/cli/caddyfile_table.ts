/** What each line of a Caddyfile becomes, as a table for people. */
import type { Imported } from "../caddyfile/caddyfile.ts";

/** Lines of the table, its head first; empty when nothing was taken over. */
export function tableOf({ taken, files }: Imported): readonly string[] {
  if (taken.length === 0) return [];
  const [own] = files;
  const rows = taken.map(({ file, line, where, setting, verdict, note }) => [
    file === own ? String(line) : `${file}:${line}`,
    where,
    setting === "" ? "–" : setting,
    verdict,
    verdict === "same" && setting !== "" ? "" : note,
  ]);
  return aligned([["line", "Caddyfile", "YAML", "", ""], ...rows]);
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, column) => Math.max(known[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}
