/** The page of a real process in a real browser: what happens to upstreams shows, what is clicked happens. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { StandIn, subject, Understudy } from "../support/processes.ts";
import { Chromium, noBrowser, type Visit } from "./browser.ts";

const NEWS_LIMIT_MS = 1000;
const PAINT_LIMIT_MS = 300;
const PAINTS = 5;

let chromium: Chromium;

/** Two upstreams behind a process, and its page open in the browser. */
async function staged() {
  const gpu = await StandIn.start("gpu", ["--token-every", "20ms", "--tokens", "100"]);
  const slow = await StandIn.start("slow");
  const child = await Understudy.start(
    subject,
    `
listen: "127.0.0.1:0"
admin: "127.0.0.1:0"
routes:
  - upstreams:
      - { name: gpu, url: "${gpu.url}" }
      - { name: slow, url: "${slow.url}" }
    health: { uri: /, interval: 200ms, timeout: 200ms }
    passive: { fail_duration: 10s }
`,
  );
  const started = child.lines.find(({ msg }) => msg === "proxy.started") ?? {};
  const visit = await chromium.page(`${String(started["admin"])}/`);
  await says(visit, "gpu answers");
  const scope = new AsyncDisposableStack();
  for (const one of [gpu, slow, child, visit]) scope.use(one);
  return { gpu, slow, child, visit, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}

async function says({ page }: Visit, headline: string): Promise<void> {
  await page.getByRole("heading", { name: headline, level: 2 }).waitFor({ timeout: 10_000 });
}

async function answeredBy({ url }: Understudy): Promise<string | null> {
  const response = await fetch(`${url}/api/tags`);
  await response.text();
  return response.headers.get("x-answered-by");
}

describe("the page of a running process", { skip: noBrowser }, () => {
  before(async () => {
    chromium = await Chromium.open();
  });
  after(async () => {
    await chromium[Symbol.asyncDispose]();
  });

  it("shows within a second that an upstream was killed, and that it is back", async () => {
    await using stage = await staged();
    const { gpu, child, visit } = stage;
    const killedAt = performance.now();
    gpu.kill("SIGKILL");
    await says(visit, "slow stands in for gpu");
    const shownMs = performance.now() - killedAt;
    console.log(`a killed upstream is shown after ${Math.round(shownMs)} ms`);
    assert.ok(shownMs < NEWS_LIMIT_MS, `${shownMs} ms`);
    assert.match(await visit.page.locator('[data-upstream="gpu"]').innerText(), /Down/);
    assert.equal(await answeredBy(child), "slow");

    await using _revived = await gpu.revive();
    await says(visit, "gpu answers");
    assert.deepEqual(visit.complaints, []);
  });

  it("drains by a click: new requests go elsewhere, a running one ends where it is", async () => {
    await using stage = await staged();
    const { child, visit } = stage;
    const { page } = visit;
    const running = await fetch(`${child.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify({ model: "llama3.2", prompt: "Hi" }),
    });
    assert.equal(running.headers.get("x-answered-by"), "gpu");

    await page.getByRole("button", { name: "Drain gpu" }).click();
    await page.getByRole("button", { name: "Drain gpu", exact: true }).last().click();
    await page.getByRole("status").getByText("gpu is drained").waitFor();
    await says(visit, "slow stands in for gpu");
    for (let turn = 0; turn < 20; turn++) assert.equal(await answeredBy(child), "slow");
    assert.match(await running.text(), /"done":true[^\n]*\n$/);

    await page.getByRole("button", { name: "Undrain gpu" }).click();
    await page.getByRole("button", { name: "Undrain gpu", exact: true }).last().click();
    await says(visit, "gpu answers");
    assert.equal(await answeredBy(child), "gpu");
  });

  it("probes by a click and says what came of it", async () => {
    await using stage = await staged();
    const { page } = stage.visit;
    await page.getByRole("button", { name: "Probe now gpu" }).click();
    await page.getByRole("button", { name: "Probe gpu", exact: true }).click();
    await page.getByRole("status").getByText(/^gpu answered 200, in [\d.]+ ms$/).waitFor();
  });

  it("is painted at once and asks nobody but its own process", async () => {
    await using stage = await staged();
    const { visit } = stage;
    const paints: number[] = [];
    const shown: number[] = [];
    for (let turn = 0; turn < PAINTS; turn++) {
      await visit.page.reload();
      await says(visit, "gpu answers");
      const timeOf = (name: string) =>
        visit.page.evaluate<number>(`performance.getEntriesByName("${name}")[0].startTime`);
      paints.push(await timeOf("first-contentful-paint"));
      shown.push(await timeOf("shown"));
    }
    const list = (all: readonly number[]) => all.map((ms) => Math.round(ms)).join(", ");
    console.log(
      `first paint of the ${subject.name}: ${list(paints)} ms; status drawn: ${list(shown)} ms`,
    );
    // The best of them, as other tests want the processor too.
    assert.ok(Math.min(...paints) < PAINT_LIMIT_MS, list(paints));

    const { origin } = new URL(visit.page.url());
    const strays = visit.requests.filter((url) =>
      !url.startsWith(`${origin}/`) && !url.startsWith("data:")
    );
    assert.deepEqual(strays, []);
    assert.deepEqual(visit.complaints, []);
  });
});
