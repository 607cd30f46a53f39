/** Certificates as `status` shows them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { certificateLines } from "../../src/cli/certificate_table.ts";
import { statusLines } from "../../src/cli/status_table.ts";
import type { Layout } from "../../src/cli/table.ts";
import type { CertificateStatus } from "../../src/model.ts";
import { NOW, pairStatus } from "../support/admin_status.ts";
import { certificateStatus } from "../support/fake_status.ts";

const plain: Layout = { width: undefined, paint: (_, text) => text };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function row(changes: Partial<CertificateStatus>): string {
  const certificates = [certificateStatus(NOW, changes)];
  return certificateLines({ certificates, now: NOW }, plain).at(-1) ?? "";
}

describe("certificateLines()", () => {
  it("tells who issued each, and how long it does", () => {
    const certificates = [
      certificateStatus(NOW, { names: ["ollama.example.com"] }),
      certificateStatus(NOW, {
        names: ["a.lan", "b.lan", "c.lan"],
        source: "files",
        issuer: "CN=R3",
        nextAt: undefined,
      }),
    ];
    assert.deepEqual(certificateLines({ certificates, now: NOW }, plain), [
      "",
      "CERTIFICATE              STATE  GOOD FOR  ISSUER         WHY",
      "ollama.example.com       good   60d       ca.example     renewed in 30d",
      "a.lan, b.lan and 1 more  good   60d       files (CN=R3)",
    ]);
  });

  const again = { problem: "no such name", nextAt: NOW + 120_000 };
  const states: [string, Partial<CertificateStatus>, RegExp][] = [
    ["a failure while it is good", again, /failing +60d .* no such name; tried again in 2m$/],
    [
      "that it ends soon",
      { state: "expiring", validTo: NOW + 5 * HOUR_MS, nextAt: undefined },
      /expiring +5h/,
    ],
    [
      "that it has ended",
      { state: "expired", validTo: NOW - DAY_MS, nextAt: undefined },
      /expired +– .* ended 1d ago$/,
    ],
    [
      "that it is missing, and why",
      { ...again, state: "missing", validTo: undefined },
      /missing +–/,
    ],
    [
      "that it is on its way",
      { state: "missing", validTo: undefined, nextAt: undefined },
      /awaited +–/,
    ],
  ];
  for (const [title, changes, expected] of states) {
    it(`tells ${title}`, () => assert.match(row(changes), expected));
  }

  it("paints what is wrong", () => {
    const painted: Layout = { width: undefined, paint: (colour, text) => `<${colour}>${text}` };
    const of = (changes: Partial<CertificateStatus>) => {
      const certificates = [certificateStatus(NOW, changes)];
      return certificateLines({ certificates, now: NOW }, painted).at(-1);
    };
    assert.match(of({}) ?? "", /<green>good/);
    assert.match(of({ state: "expired" }) ?? "", /<red>expired/);
    assert.match(of(again) ?? "", /<yellow>failing/);
  });
});

describe("statusLines()", () => {
  it("has the certificates below the upstreams, where there are some", () => {
    const status = { ...pairStatus(), certificates: [certificateStatus(NOW)] };
    const lines = statusLines(status, plain);
    assert.match(lines.at(-2) ?? "", /^CERTIFICATE/);
    assert.match(lines.at(-1) ?? "", /^a\.example/);
    assert.ok(!statusLines(pairStatus(), plain).join().includes("CERTIFICATE"));
  });

  it("fits certificates into a terminal of any usual width", () => {
    const names = ["a-name-of-some-length.example.com", "b.example"];
    const problem = "the authority is away ".repeat(9);
    const status = { ...pairStatus(), certificates: [certificateStatus(NOW, { names, problem })] };
    for (const width of [30, 40, 60, 80, 100, 120, 200]) {
      const lines = statusLines(status, { ...plain, width });
      for (const line of lines) assert.ok(line.length <= width, `${width}: ${line}`);
      assert.match(lines.at(-1) ?? "", /failing/);
    }
  });
});
