/** The page's sentences, as a table of what an operator would read. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  changeInWords,
  count,
  duration,
  failureInWords,
  headline,
  latency,
  question,
  routeName,
  standing,
  why,
} from "./client.ts";
import type { PoolStatus, Transition, UpstreamStatus } from "../../src/ops/status.ts";
import { poolStatus, routeStatus, upstreamStatus } from "../support/fake_status.ts";

const NOW = 10_000_000;

describe("duration()", () => {
  const cases: [number, string][] = [
    [-5, "0 s"],
    [59_400, "59 s"],
    [61_000, "1 min 1 s"],
    [120_000, "2 min"],
    [615_000, "10 min"],
    [3_600_000, "1 h"],
    [7_500_000, "2 h 5 min"],
    [86_400_000, "1 d"],
    [90_000_000, "1 d 1 h"],
  ];
  for (const [ms, expected] of cases) {
    it(`says "${expected}" when given ${ms} ms`, () => assert.equal(duration(ms), expected));
  }
});

describe("latency()", () => {
  const cases: [number, string][] = [
    [0.44, "0.4 ms"],
    [9.96, "10 ms"],
    [118.4, "118 ms"],
    [3440, "3.4 s"],
    [75_000, "1 min 15 s"],
  ];
  for (const [ms, expected] of cases) {
    it(`says "${expected}" when given ${ms} ms`, () => assert.equal(latency(ms), expected));
  }
});

describe("count()", () => {
  it("minds the plural when there is one", () => {
    assert.equal(count(1, "request"), "1 request");
    assert.equal(count(1204, "request"), "1,204 requests");
  });
});

describe("routeName()", () => {
  const cases: [Parameters<typeof routeStatus>[0], string][] = [
    [{}, "Any host"],
    [{ paths: ["/api"] }, "Any host, /api"],
    [{ hosts: ["a.example"], paths: ["/"] }, "a.example"],
    [
      { hosts: ["a.example", "b.example"], paths: ["/x"], ports: [8080] },
      "a.example, b.example/x on :8080",
    ],
  ];
  for (const [changes, expected] of cases) {
    it(`says "${expected}" when that is the route`, () => {
      assert.equal(routeName(routeStatus(changes)), expected);
    });
  }
});

const DOWN: Partial<UpstreamStatus> = {
  phase: "down",
  available: false,
  reason: "refused the connection",
  since: NOW - 180_000,
};
const PENALISED: Partial<UpstreamStatus> = {
  available: false,
  penalties: [{ until: NOW + 12_000 }],
};

describe("standing()", () => {
  const cases: [string, Partial<UpstreamStatus>, string][] = [
    ["is up", {}, "up"],
    ["is down", DOWN, "down"],
    ["is both down and drained", { ...DOWN, drained: true }, "drained"],
    ["failed lately", PENALISED, "penalised"],
    ["failed lately, but too seldom to be barred", { ...PENALISED, available: true }, "up"],
    ["has as many requests as it may", { available: false, inFlight: 4 }, "full"],
    ["was never probed", { phase: "unknown" }, "unknown"],
  ];
  for (const [title, changes, expected] of cases) {
    it(`says ${expected} when it ${title}`, () => {
      assert.equal(standing(upstreamStatus("a", changes)), expected);
    });
  }
});

describe("why()", () => {
  const penalised: Transition = {
    at: NOW - 1000,
    poolId: "r",
    upstream: "a",
    kind: "penalised",
    until: NOW + 25_000,
    reason: "closed the connection before answering",
  };
  const drained: Transition = {
    at: NOW - 60_000,
    poolId: "r",
    upstream: "a",
    kind: "drained",
    reason: "by an operator",
  };
  const cases: [string, Partial<UpstreamStatus>, Transition[], string][] = [
    ["is up", { since: NOW - 60_000 }, [], "for 1 min, answered 200"],
    ["is down", DOWN, [], "for 3 min, refused the connection"],
    [
      "is penalised and the failure is known",
      PENALISED,
      [penalised],
      "for another 25 s, closed the connection before answering",
    ],
    ["is penalised and nothing else is known", PENALISED, [], "for another 12 s"],
    ["is drained", { drained: true }, [drained], "by an operator, 1 min ago"],
    ["was drained long ago", { drained: true }, [], "by an operator"],
    ["is full", { available: false, inFlight: 4 }, [], "with 4 requests, as many as it may have"],
    ["is not probed", { phase: "unknown", probed: false }, [], "as probes are off"],
  ];
  for (const [title, changes, transitions, expected] of cases) {
    it(`says "${expected}" when it ${title}`, () => {
      assert.equal(why(upstreamStatus("a", changes), transitions, NOW), expected);
    });
  }
});

describe("headline()", () => {
  const a = (changes: Partial<UpstreamStatus> = {}) => upstreamStatus("gpu", changes);
  const b = (changes: Partial<UpstreamStatus> = {}) => upstreamStatus("slow", changes);
  const cases: [string, Partial<PoolStatus>, string, string, string][] = [
    [
      "the preferred one is fit",
      { chosen: "gpu", upstreams: [a(), b()] },
      "good",
      "gpu answers",
      "Preferred and fit: answered 200",
    ],
    [
      "the preferred one is down",
      { chosen: "slow", upstreams: [a(DOWN), b()] },
      "standin",
      "slow stands in for gpu",
      "gpu refused the connection, 3 min ago",
    ],
    [
      "the preferred one is drained",
      { chosen: "slow", upstreams: [a({ drained: true, available: false }), b()] },
      "standin",
      "slow stands in for gpu",
      "gpu is drained by an operator",
    ],
    [
      "failback holds on",
      { chosen: "slow", held: "slow", failback: "manual", upstreams: [a(), b()] },
      "standin",
      "slow stands in for gpu",
      "gpu is fit again, and failback is manual",
    ],
    [
      "nobody is fit",
      { chosen: undefined, upstreams: [a(DOWN), b(DOWN)] },
      "bad",
      "Nobody can answer",
      "No upstream can be asked",
    ],
    [
      "the only one is down",
      { chosen: undefined, upstreams: [a(DOWN)] },
      "bad",
      "Nobody can answer",
      "gpu refused the connection, 3 min ago",
    ],
    [
      "they share",
      { chosen: undefined, policy: "least_conn", upstreams: [a(), b()] },
      "good",
      "2 share the requests",
      "Chosen by least conn",
    ],
    [
      "one of those that share is down",
      { chosen: undefined, policy: "random", upstreams: [a(), b(), upstreamStatus("c", DOWN)] },
      "standin",
      "2 of 3 share the requests",
      "c refused the connection, 3 min ago",
    ],
    [
      "one is left of those that share",
      { chosen: undefined, policy: "random", upstreams: [a(DOWN), b()] },
      "standin",
      "slow answers",
      "gpu refused the connection, 3 min ago",
    ],
  ];
  for (const [title, changes, tone, says, expected] of cases) {
    it(`says "${says}" when ${title}`, () => {
      const found = headline(poolStatus(changes), [], NOW);
      assert.equal(`${found.who} ${found.verb} ${found.whom}`.trim(), says);
      assert.equal(found.tone, tone);
      assert.equal(found.why, expected);
    });
  }
});

describe("question()", () => {
  const a = (changes: Partial<UpstreamStatus> = {}) => upstreamStatus("gpu", changes);
  const b = (changes: Partial<UpstreamStatus> = {}) => upstreamStatus("slow", changes);

  it("names who takes over when one is drained", () => {
    assert.equal(
      question("drain", a({ inFlight: 2 }), poolStatus({ upstreams: [a(), b()] })),
      "2 requests may finish there. New requests go to slow.",
    );
  });

  it("warns when nobody is left", () => {
    assert.match(
      question("drain", a(), poolStatus({ upstreams: [a(), b(DOWN)] })),
      /Nobody else is fit: new requests will get 503/,
    );
  });
});

describe("changeInWords()", () => {
  const base = { at: NOW, poolId: "r", upstream: "slow", reason: "gpu refused the connection" };
  const cases: [Transition, string][] = [
    [{ ...base, kind: "phase", from: "up", to: "down" }, "is down now: gpu refused the connection"],
    [
      { ...base, kind: "chosen", from: "gpu", to: "slow" },
      "takes over from gpu: gpu refused the connection",
    ],
    [{ ...base, kind: "chosen", from: "", to: "slow" }, "takes over: gpu refused the connection"],
    [
      { ...base, upstream: "", kind: "chosen", from: "gpu", to: "" },
      "answers no more: gpu refused the connection",
    ],
    [{ ...base, kind: "drained" }, "was drained"],
  ];
  for (const [transition, expected] of cases) {
    it(`says "${expected}" when that happened`, () => {
      assert.equal(changeInWords(transition), expected);
    });
  }
});

describe("failureInWords()", () => {
  const cases: [string, string][] = [
    ["gpu: refused (not sent)", "gpu refused the connection"],
    ["gpu: closed (sent): ECONNRESET", "gpu closed the connection before answering"],
    ["10.0.0.1:80: status 503", "10.0.0.1:80 answered 503"],
    ["10.0.0.1:80: dial_timeout (not sent)", "10.0.0.1:80 did not accept a connection in time"],
    ["gpu: something new", "gpu: something new"],
  ];
  for (const [failure, expected] of cases) {
    it(`says "${expected}" of "${failure}"`, () => assert.equal(failureInWords(failure), expected));
  }
});
