/** Writes docs/from-caddy.md from the table of support: `bun tests/caddyfile/support_page.ts --write`. */
import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { supportPage } from "../../src/caddyfile/support_table_doc.ts";

const PAGE = new URL("../../docs/from-caddy.md", import.meta.url);

export function storedPage(): Promise<string> {
  return readFile(PAGE, "utf8");
}

if (import.meta.main && argv.includes("--write")) await writeFile(PAGE, supportPage());
