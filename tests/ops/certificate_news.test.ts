/** What becomes of certificates that people want to hear of, and in which words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CertificateStatus, CertificateTurn } from "../../src/model.ts";
import { CertificateReporter } from "../../src/ops/certificate_news.ts";
import { compose, fold } from "../../src/ops/digest.ts";
import { type Item, sentence } from "../../src/ops/news.ts";
import type { News } from "../../src/rules.ts";
import { certificateStatus } from "../support/fake_status.ts";

const NOW = 1_000_000_000_000;
const DAY_MS = 86_400_000;

function turn(
  kind: CertificateTurn["kind"],
  changes: Partial<CertificateStatus> = {},
  at = NOW,
): CertificateTurn {
  return { at, kind, certificate: certificateStatus(NOW, changes) };
}

/** Of ninety days. */
const left = (days: number): Partial<CertificateStatus> => ({
  validFrom: NOW - (90 - days) * DAY_MS,
  validTo: NOW + days * DAY_MS,
  problem: "ca.example is away",
});
const NONE = { validFrom: undefined, validTo: undefined, problem: "no such name" };

describe("CertificateReporter", () => {
  const cases: [string, CertificateTurn[], (News | undefined)[]][] = [
    ["no attempt that fails early", [turn("failed", left(31))], [undefined]],
    ["one that fails late", [turn("failed", left(29))], ["certificate_failed"]],
    ["one after the end", [turn("failed", left(-1))], ["certificate_failed"]],
    ["one where there is none yet", [turn("failed", NONE)], ["certificate_failed"]],
    ["files that are of no use, late", [turn("refused", left(2))], ["certificate_failed"]],
    ["every new one", [turn("issued"), turn("renewed"), turn("reloaded")], [
      "certificate_renewed",
      "certificate_renewed",
      "certificate_renewed",
    ]],
    ["nothing else", [turn("loaded"), turn("unsaved"), turn("expiring", left(2))], [
      ...[undefined, undefined, undefined],
    ]],
    ["failures that go on once a day", [
      turn("failed", NONE),
      turn("failed", NONE, NOW + DAY_MS - 1),
      turn("failed", { ...NONE, names: ["b.example"] }, NOW + 5),
      turn("failed", NONE, NOW + DAY_MS),
    ], ["certificate_failed", undefined, "certificate_failed", "certificate_failed"]],
    ["a failure after a success at once", [
      turn("failed", NONE),
      turn("issued", {}, NOW + 1),
      turn("failed", left(1), NOW + 2),
    ], ["certificate_failed", "certificate_renewed", "certificate_failed"]],
  ];
  for (const [title, turns, expected] of cases) {
    it(`tells of ${title}`, () => {
      const reporter = new CertificateReporter();
      assert.deepEqual(turns.map((one) => reporter.newsOf(one)?.event), expected);
    });
  }

  it("forget() tells anew of what fails under another configuration", () => {
    const reporter = new CertificateReporter();
    reporter.newsOf(turn("failed", NONE));
    reporter.forget();
    assert.equal(reporter.newsOf(turn("failed", NONE))?.event, "certificate_failed");
  });
});

describe("sentence()", () => {
  const cases: [Item, string][] = [
    [
      { event: "certificate_failed", turn: turn("failed", left(12)) },
      "a.example gets no new certificate (good for 12 days): ca.example is away",
    ],
    [
      { event: "certificate_failed", turn: turn("failed", left(0.5)) },
      "a.example gets no new certificate (good for less than a day): ca.example is away",
    ],
    [
      { event: "certificate_failed", turn: turn("failed", left(-0.5)) },
      "a.example gets no new certificate (the old one has ended): ca.example is away",
    ],
    [
      {
        event: "certificate_failed",
        turn: turn("failed", { ...NONE, names: ["a.lan", "b.lan", "c.lan"] }),
      },
      "a.lan and 2 more have no certificate: no such name",
    ],
    [
      { event: "certificate_renewed", turn: turn("renewed", { names: ["a.lan"] }) },
      "a.lan has a new certificate (good for 60 days)",
    ],
  ];
  for (const [item, expected] of cases) {
    it(`says "${expected}"`, () => assert.equal(sentence(item), expected));
  }
});

describe("compose()", () => {
  it("tells of a certificate without a pool or an upstream", () => {
    const item: Item = { event: "certificate_failed", turn: turn("failed", left(12)) };
    assert.deepEqual(compose(fold(undefined, item)), {
      event: "certificate_failed",
      title: "a.example gets no new certificate",
      text: "a.example gets no new certificate (good for 12 days): ca.example is away",
      ...{ pool: "", upstream: "", from: "", to: "" },
      certificate: "a.example",
      reason: "ca.example is away",
      at: NOW,
      count: 1,
    });
  });
});
