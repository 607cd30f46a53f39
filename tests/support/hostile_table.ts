/** Collects what the hostile tests counted, and writes it as a page when `HOSTILE_TABLE` names a file. */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const path = process.env["HOSTILE_TABLE"];

/** Puts one row into the table, in place of the row of that name. */
export function note(name: string, counts: Readonly<Record<string, number>>): void {
  if (path === undefined) return;
  const page = readFileSync(path, "utf8");
  const words = Object.entries(counts).map(([word, count]) => `${count} ${word}`).join(", ");
  const row = `| ${name} | ${words} |`;
  const lines = page.split("\n");
  const known = lines.findIndex((line) => line.startsWith(`| ${name} `));
  const end = lines.findLastIndex((line) => line.startsWith("|")) + 1;
  lines.splice(known < 0 ? end : known, known < 0 ? 0 : 1, row);
  writeFileSync(path, lines.join("\n"));
}
