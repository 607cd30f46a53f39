/** How the demo's lines look: aligned, within 80 characters, and plain where colours are not wanted. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Exchanged, Timeline } from "../../src/demo/timeline.ts";

function written(show: (timeline: Timeline) => void, colours = false, elapsedMs = 3210): string {
  let text = "";
  show(
    new Timeline({
      write: (more) => void (text += more),
      elapsed: () => elapsedMs,
      colours,
      upstreams: ["gpu", "slow"],
    }),
  );
  return text;
}

const exchanged: Exchanged = {
  upstream: "slow",
  status: 200,
  durationMs: 4.2,
  bodyBytes: 334,
  outcome: "answered",
  failures: [],
  exchange: { method: "GET", target: "/api/tags" },
};

describe("Timeline", () => {
  const cases: [string, (timeline: Timeline) => void, string][] = [
    [
      "answered() says who, what and how long when all is well",
      (timeline) => timeline.answered(exchanged),
      "  3.2 s  slow    200 GET  /api/tags              4 ms    334 B\n",
    ],
    [
      "answered() names who failed before when a request moved on",
      (timeline) => timeline.answered({ ...exchanged, failures: ["gpu: refused", "gpu: closed"] }),
      "  3.2 s  slow    200 GET  /api/tags              4 ms    334 B  after gpu failed\n",
    ],
    [
      "answered() says so when an answer was cut",
      (timeline) => timeline.answered({ ...exchanged, upstream: "gpu", outcome: "truncated" }),
      "  3.2 s  gpu     200 GET  /api/tags              4 ms    334 B  cut short\n",
    ],
    [
      "answered() names nobody when no upstream was asked",
      (timeline) =>
        timeline.answered({
          ...exchanged,
          upstream: undefined,
          status: 503,
          outcome: "unavailable",
        }),
      "  3.2 s  nobody  503 GET  /api/tags              4 ms    334 B  unavailable\n",
    ],
    [
      "changed() gives the reason when a phase changes",
      (timeline) => timeline.changed("gpu", { kind: "phase", to: "down", reason: "was refused" }),
      "  3.2 s  gpu     down      was refused\n",
    ],
    [
      "changed() gives the reason when penalties begin",
      (timeline) => timeline.changed("gpu", { kind: "penalised", reason: "was refused" }),
      "  3.2 s  gpu     failing   was refused\n",
    ],
  ];
  for (const [title, show, expected] of cases) {
    it(title, () => assert.equal(written(show), expected));
  }

  it("paint() adds colours when they are wanted, and only then", () => {
    const show = (timeline: Timeline) => timeline.answered(exchanged);
    const coloured = written(show, true);
    assert.ok(coloured.includes("\x1b[35mslow  \x1b[0m"), coloured);
    const plain = coloured.split("\x1b").map((part) => part.replace(/^\[\d+m/, "")).join("");
    assert.equal(plain, written(show));
  });

  it("answered() fits 80 columns when anything comes through the proxy", () => {
    const any = fc.record({
      upstream: fc.constantFrom("gpu", "slow", undefined),
      status: fc.integer({ min: 200, max: 599 }),
      durationMs: fc.double({ min: 0, max: 900_000, noNaN: true }),
      bodyBytes: fc.nat(2 ** 29),
      outcome: fc.constantFrom<Exchanged["outcome"]>("answered", "truncated", "abandoned"),
      failures: fc.constantFrom<string[]>([], ["gpu: refused the connection"]),
      exchange: fc.record({
        method: fc.constantFrom("GET", "POST", "HEAD"),
        target: fc.webPath().map((path) => `/${path}`),
      }),
    });
    fc.assert(fc.property(any, fc.nat(5_000_000), (one, elapsedMs) => {
      const line = written((timeline) => timeline.answered(one), false, elapsedMs);
      assert.ok(line.length <= 81, line);
    }));
  });
});
