/**
 * Takes the pictures in docs/images of the page as it looks after a day with some trouble. Run by
 * hand after the page has changed: `node_modules/.bin/bun run tests/page/portrait.ts`.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Chromium } from "./browser.ts";
import { StagedServer } from "./staged_server.ts";
import { stagedStatus } from "./staged_status.ts";

const folder = process.argv[2] ?? fileURLToPath(new URL("../../docs/images", import.meta.url));
const DESK = { width: 1200, height: 960 };
const PHONE = { width: 390, height: 860 };

const status = stagedStatus(Date.now());
await using server = await StagedServer.open({ ...status, routes: status.routes.slice(0, 1) });
await using chromium = await Chromium.open({ flags: ["--hide-scrollbars"] });
await take("page-light", { viewport: DESK, colorScheme: "light" });
await take("page-dark", { viewport: DESK, colorScheme: "dark" });
await take("page-phone", { viewport: PHONE, colorScheme: "light", deviceScaleFactor: 1.5 });

async function take(
  name: string,
  options: NonNullable<Parameters<Chromium["page"]>[1]>,
): Promise<void> {
  await using visit = await chromium.page(server.url, options);
  await visit.page.getByText("Live", { exact: true }).waitFor();
  await visit.page.screenshot({ path: `${folder}/${name}.png`, animations: "disabled" });
  console.log(`${folder}/${name}.png`);
}
