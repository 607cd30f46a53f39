/** Certificates on the page: in which words, how they keep up, and how the root is had. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { CertificateStatus } from "../../src/model.ts";
import { certificateStatus } from "../support/fake_status.ts";
import { Chromium, noBrowser } from "./browser.ts";
import { certificateStanding, certificateWhy, issuerInWords, lifeLeft } from "./client.ts";
import { StagedServer } from "./staged_server.ts";
import { stagedStatus } from "./staged_status.ts";

const NOW = 1_000_000_000_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("lifeLeft()", () => {
  const cases: [number, string][] = [
    [58.9 * DAY_MS, "58 days"],
    [48 * HOUR_MS, "2 days"],
    [47.5 * HOUR_MS, "47 hours"],
    [119 * 60_000, "1 h 59 min"],
    [90_000, "1 min 30 s"],
  ];
  for (const [ms, expected] of cases) {
    it(`says "${expected}" when given ${ms} ms`, () => assert.equal(lifeLeft(ms), expected));
  }
});

describe("certificateStanding() and certificateWhy()", () => {
  const again = { problem: "no such name", nextAt: NOW + 5 * HOUR_MS };
  const none = { state: "missing", validFrom: undefined, validTo: undefined } as const;
  const cases: [Partial<CertificateStatus>, string, string][] = [
    [{}, "good", "for 60 days; the next one comes in 30 days"],
    [{ nextAt: undefined }, "good", "for 60 days"],
    [{ nextAt: NOW }, "good", "for 60 days"],
    [again, "failing", "good for 60 days; no such name; tried again in 5 hours"],
    [
      { state: "expiring", validTo: NOW + 3 * DAY_MS, nextAt: undefined },
      "expiring",
      "in 3 days",
    ],
    [
      { ...again, state: "expired", validTo: NOW - 3 * DAY_MS },
      "expired",
      "3 days ago; " +
      "no such name; tried again in 5 hours",
    ],
    [{ ...none, nextAt: undefined }, "awaited", ""],
    [{ ...none, ...again }, "missing", "no such name; tried again in 5 hours"],
  ];
  for (const [changes, standing, why] of cases) {
    it(`says "${standing}" and "${why}"`, () => {
      const certificate = certificateStatus(NOW, changes);
      assert.deepEqual([certificateStanding(certificate), certificateWhy(certificate, NOW)], [
        standing,
        why,
      ]);
    });
  }
});

describe("issuerInWords()", () => {
  const cases: [Partial<CertificateStatus>, string][] = [
    [{ issuer: "acme.example" }, "From acme.example"],
    [{ source: "internal", issuer: "internal" }, "Signed by the authority here"],
    [{ source: "files", issuer: "CN=R3,O=Let's Encrypt,C=US" }, "From files, signed by R3"],
    [{ source: "files", issuer: "C=DE,O=An\\, office" }, "From files, signed by An\\, office"],
    [{ source: "files", issuer: "C=DE" }, "From files, signed by C=DE"],
    [{ source: "files", issuer: "" }, "From files, signed by nobody known"],
  ];
  for (const [changes, expected] of cases) {
    it(`says "${expected}"`, () => {
      assert.equal(issuerInWords(certificateStatus(NOW, changes)), expected);
    });
  }
});

describe("the certificates on the page", { skip: noBrowser }, () => {
  let chromium: Chromium;
  before(async () => {
    chromium = await Chromium.open();
  });
  after(async () => {
    await chromium[Symbol.asyncDispose]();
  });

  it("says how each stands and why, in words and not in colour alone", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await chromium.page(server.url);
    const section = visit.page.getByRole("region", { name: "Certificates" });
    const items = section.getByRole("listitem");
    await items.first().waitFor();
    const texts = (await items.allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
    assert.deepEqual(texts, [
      "ollama.example.com Good for 58 days; the next one comes in 28 days From acme-v02.api.letsencrypt.org",
      "app.example.com, api.example.com, www.example.com and 1 more Renewal fails good for 21 days; " +
      "old.example.com: no such name (NXDOMAIN); tried again in 20 min From acme-v02.api.letsencrypt.org",
      "gpu.lan Good for 20 hours; the next one comes in 12 hours Signed by the authority here",
      "legacy.example.com Ends soon in 5 days From files, signed by R3",
    ]);
    await section.getByText("and 1 more").click();
    await section.getByText("old.example.com", { exact: true }).waitFor();
  });

  it("is not there where no TLS is spoken", async () => {
    const status = { ...stagedStatus(Date.now()), certificates: [], root: false };
    await using server = await StagedServer.open(status);
    await using visit = await chromium.page(server.url);
    await visit.page.getByRole("heading", { name: "Notable requests" }).waitFor();
    assert.equal(await visit.page.getByText("Certificates").count(), 0);
    assert.equal(await visit.page.getByRole("link", { name: "root" }).count(), 0);
  });

  it("keeps up as certificates come", async () => {
    const status = stagedStatus(Date.now());
    const missing = certificateStatus(Date.now(), {
      ...{ names: ["new.example"], state: "missing", validTo: undefined, nextAt: undefined },
    });
    await using server = await StagedServer.open({ ...status, certificates: [missing] });
    await using visit = await chromium.page(server.url);
    await visit.page.getByText("On its way").waitFor();
    const certificates = [certificateStatus(Date.now(), { names: ["new.example"] })];
    server.status = { ...server.status, certificates };
    server.tell("certificates", certificates);
    await visit.page.getByText(/for (?:59|60) days/).waitFor({ timeout: 1000 });
    assert.deepEqual(visit.complaints, []);
  });

  it("has the root downloaded, with the token where there is one", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()), "open sesame");
    server.root = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    await using visit = await chromium.page(server.url);
    const { page } = visit;
    await page.getByLabel("Token").fill("open sesame");
    await page.keyboard.press("Enter");
    const link = page.getByRole("link", { name: "Download the root certificate" });
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    assert.equal(download.suggestedFilename(), "understudy-root.crt");
    assert.equal(await readFile(await download.path(), "utf8"), server.root);
    await page.getByRole("status").getByText("understudy-root.crt is downloaded").waitFor();
    assert.deepEqual(visit.complaints, []);
  });

  it("says why there is no root to be had", async () => {
    await using server = await StagedServer.open(stagedStatus(Date.now()));
    await using visit = await chromium.page(server.url);
    await visit.page.getByRole("link", { name: "Download the root certificate" }).click();
    await visit.page.getByRole("status").getByText("Download failed: Cannot find a root").waitFor();
  });

  it("takes names and problems for text, and holds on a phone", async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const certificates = [certificateStatus(Date.now(), {
      names: [`${"long".repeat(40)}.example`, evil],
      problem: `${evil}${"x".repeat(300)}`,
    })];
    await using server = await StagedServer.open({ ...stagedStatus(Date.now()), certificates });
    await using visit = await chromium.page(server.url, { viewport: { width: 360, height: 740 } });
    await visit.page.getByText(evil).first().waitFor();
    assert.equal(await visit.page.locator("img").count(), 0);
    assert.equal(await visit.overhang(), 0);
    assert.deepEqual(await visit.audit(), []);
    assert.deepEqual(visit.complaints, []);
  });
});
