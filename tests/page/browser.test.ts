/** The page in a real browser, over a listener that only pretends: looks, locks, losses, hands. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Chromium, noBrowser } from "./browser.ts";
import { StagedServer } from "./staged_server.ts";
import { stagedStatus } from "./staged_status.ts";

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };
const PROBLEM = 'config.yaml:12:5 routes[0].health.timeout: Expected a duration such as "5s"';

let chromium: Chromium;
const open = (server: StagedServer, options: Parameters<Chromium["page"]>[1] = {}) =>
  chromium.page(server.url, { viewport: DESK, ...options });

describe("the page", { skip: noBrowser }, () => {
  before(async () => {
    chromium = await Chromium.open();
  });
  after(async () => {
    await chromium[Symbol.asyncDispose]();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const viewport of [DESK, PHONE]) {
      it(`gives axe nothing to find when it is ${colorScheme} and ${viewport.width} px wide`, async () => {
        const status = stagedStatus(Date.now(), { problems: [PROBLEM] });
        await using server = await StagedServer.open({ ...status, stage: ["kill", "revive"] });
        await using visit = await open(server, { colorScheme, viewport, reducedMotion: "reduce" });
        const { page } = visit;
        await page.getByRole("button", { name: "Drain gpu" }).click();
        await page.getByText(/\d+ changes/).first().click();
        assert.deepEqual(await visit.audit(), []);
        assert.equal(await visit.overhang(), 0);
        assert.deepEqual(visit.complaints, []);
      });
    }
  }

  it("says who answers, for whom and why, in its title and its heading", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await open(server);
    const heading = visit.page.getByRole("heading", {
      name: "always-on stands in for gpu",
      level: 2,
    });
    await heading.waitFor();
    const why = await visit.page.locator(".why").first().innerText();
    assert.match(why, /^gpu refused the connection, 4 min( \d s)? ago$/);
    await visit.page.waitForFunction("document.title.startsWith('always-on stands in for gpu')");
    const active = visit.page.locator(".card[data-active]");
    assert.equal(await active.count(), 1);
    assert.match(await active.innerText(), /always-on\s+Answers now/);
  });

  it("shows the problems of the file until they are mended", async () => {
    const status = stagedStatus(Date.now(), { problems: [PROBLEM] });
    await using server = await StagedServer.open(status);
    await using visit = await open(server);
    await visit.page.getByRole("alert").getByText(PROBLEM).waitFor();
    server.status = stagedStatus(Date.now());
    server.tell("config", server.status.config);
    await visit.page.getByText(PROBLEM).waitFor({ state: "detached" });
  });

  it("asks before it drains, in reach of the keyboard, and says what came of it", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await open(server);
    const { page } = visit;
    const drain = page.getByRole("button", { name: "Drain always-on", exact: true });
    await drain.focus();
    await page.keyboard.press("Enter");
    await page.getByText("Nobody else is fit: new requests will get 503").waitFor();
    assert.equal(await page.evaluate("document.activeElement.dataset.act"), "confirm");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".question").count(), 0);
    assert.equal(await page.evaluate("document.activeElement.dataset.act"), "drain");
    assert.deepEqual(server.acts, []);

    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText("always-on is drained, 2 requests may finish there")
      .waitFor();
    assert.deepEqual(server.acts, ["POST /api/upstreams/ollama.example.com/ always-on/drain"]);
    await page.getByRole("button", { name: "Undrain always-on" }).waitFor();
    assert.equal(await page.evaluate("document.activeElement.dataset.act"), "undrain");
  });

  it("says why when an action is refused", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    server.refusal = "No probes are configured";
    await using visit = await open(server);
    await visit.page.getByRole("button", { name: "Probe now gpu" }).click();
    await visit.page.getByRole("button", { name: "Probe gpu", exact: true }).click();
    await visit.page.getByText("Probe gpu failed: No probes are configured").waitFor();
  });

  it("keeps the focus where it is while numbers move", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await open(server);
    const { page } = visit;
    await page.getByRole("button", { name: "Drain gpu" }).focus();
    server.change("gpu", { requests: 4_711_000 });
    server.status = { ...server.status, notable: [] };
    server.tell("dropped", { count: 1 });
    await page.getByText("4,711,000").waitFor();
    assert.equal(await page.evaluate("document.activeElement.ariaLabel"), "Drain gpu");
  });

  it("says that the connection is lost, and comes back by itself", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await open(server);
    await visit.page.getByText("Live", { exact: true }).waitFor();
    await server.stop();
    await visit.page.getByRole("alert").getByText("Connection lost").waitFor({ timeout: 2000 });
    await server.start();
    await visit.page.getByText("Live", { exact: true }).waitFor();
    assert.equal(await visit.page.getByRole("alert").count(), 0);
  });

  it("asks for the token, keeps it for the session and sends it with everything", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()), "open sesame");
    await using visit = await open(server);
    const { page } = visit;
    const heading = page.getByRole("heading", { name: "always-on stands in for gpu", level: 2 });
    await page.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("That token does not fit").waitFor();
    assert.deepEqual(await visit.audit(), []);

    await page.getByLabel("Token").fill("open sesame");
    await page.getByRole("button", { name: "Open" }).click();
    await heading.waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.reload();
    await heading.waitFor();
    assert.equal(await page.evaluate("localStorage.length + document.cookie.length"), 0);
  });

  it("asks nobody but its own origin", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await open(server);
    await visit.page.getByText("Live", { exact: true }).waitFor();
    await visit.page.reload();
    await visit.page.getByText("Live", { exact: true }).waitFor();
    assert.ok(visit.requests.length >= 3);
    const strays = visit.requests.filter((url) =>
      !url.startsWith(server.url) && !url.startsWith("data:")
    );
    assert.deepEqual(strays, []);
  });

  it("takes names for text whatever is in them", async () => {
    const status = stagedStatus(Date.now());
    const evil = '<img src=x onerror="document.title=1">';
    const [first] = status.notable;
    await using server = await StagedServer.open(status);
    server.status = { ...status, notable: first === undefined ? [] : [{ ...first, uri: evil }] };
    server.change("gpu", { name: evil, reason: "x".repeat(300) });
    await using visit = await open(server, { viewport: PHONE });
    await visit.page.getByText(evil).first().waitFor();
    assert.equal(await visit.page.locator("img").count(), 0);
    assert.equal(await visit.overhang(), 0);
    assert.deepEqual(visit.complaints, []);
  });
});
