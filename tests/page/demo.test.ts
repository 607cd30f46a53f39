/** The demo that stays up: its upstreams are killed and revived from the page. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Child, subject } from "../support/processes.ts";
import { Chromium, noBrowser } from "./browser.ts";

describe("demo --live", { skip: noBrowser }, () => {
  it("lets one kill and revive either upstream from its page", async () => {
    await using child = new Child([...subject.command, "demo", "--live", "--port", "0"]);
    await child.until(() => /status page\n\s+http:\S+\n/.test(child.stdout));
    const [, url = ""] = /status page\n\s+(http:\S+)\n/.exec(child.stdout) ?? [];
    await using chromium = await Chromium.open();
    await using visit = await chromium.page(`${url}/`);
    const { page } = visit;
    const says = (headline: string) =>
      page.getByRole("heading", { name: headline, level: 2 }).waitFor();
    const press = (name: string) => page.getByRole("button", { name, exact: true }).click();

    await says("gpu answers");
    await press("kill gpu");
    await says("slow stands in for gpu");
    await press("kill slow");
    await says("Nobody can answer");
    await press("revive slow");
    await says("slow stands in for gpu");
    await press("revive gpu");
    await says("gpu answers");
    await press("revive gpu");
    await page.getByText("revive gpu failed: gpu runs already").waitFor();
    assert.match(child.stdout, /gpu {5}killed/);
    assert.deepEqual(visit.complaints, []);

    child.kill("SIGINT");
    assert.equal((await child.exited).code, 0);
  });
});
