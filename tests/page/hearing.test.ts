/** How the page keeps up with what it is told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Events, Summary } from "../../src/ops/status.ts";
import { status, upstreamStatus } from "../support/fake_status.ts";
import { heardBy, parsed } from "./client.ts";

function summary(changes: Partial<Summary> = {}): Summary {
  return {
    now: 2_000_000,
    draining: false,
    inFlight: 3,
    chosen: { r: "a" },
    upstreams: ["a", "b"].map((name) => ({
      ...upstreamStatus(name),
      inFlight: name === "a" ? 3 : 0,
      latencyMs: undefined,
      probeMs: undefined,
    })),
    ...changes,
  };
}

function renamed(from: string, to: string): Summary["upstreams"] {
  return summary().upstreams.map((one) => one.id === from ? { ...one, id: to } : one);
}

describe("heardBy()", () => {
  it("takes the numbers of a summary over", () => {
    const { status: next, stale } = heardBy(status(), { name: "summary", data: summary() });
    assert.equal(next.inFlight, 3);
    assert.equal(next.now, 2_000_000);
    assert.equal(next.routes[0]?.pools[0]?.upstreams[0]?.inFlight, 3);
    assert.equal(stale, false);
  });

  const stales: [string, Partial<Summary>][] = [
    ["another one is chosen", { chosen: { r: "b" } }],
    ["nobody is chosen", { chosen: {} }],
    ["an upstream is new", { upstreams: renamed("r/b", "r/c") }],
    ["an upstream is gone", { upstreams: summary().upstreams.slice(1) }],
    ["a phase is another", {
      upstreams: summary().upstreams.map((one) => ({ ...one, phase: "down" })),
    }],
  ];
  for (const [title, changes] of stales) {
    it(`wants the whole status when ${title}`, () => {
      assert.equal(heardBy(status(), { name: "summary", data: summary(changes) }).stale, true);
    });
  }

  it("puts what is new first and keeps a bounded number", () => {
    let now = status();
    for (let at = 0; at < 60; at++) {
      const data = { requestId: `${at}` } as Events["notable"];
      now = heardBy(now, { name: "notable", data }).status;
    }
    assert.equal(now.notable.length, 50);
    assert.equal(now.notable[0]?.requestId, "59");
  });

  it("shows the problems of a refused reload", () => {
    const data = { ...status().config, problems: ["config.yaml:3:1 no"] };
    const { status: next } = heardBy(status(), { name: "config", data });
    assert.deepEqual(next.config.problems, ["config.yaml:3:1 no"]);
  });
});

describe("parsed()", () => {
  it("reads one event", () => {
    assert.deepEqual(parsed('event: dropped\ndata: {"count":3}'), {
      name: "dropped",
      data: { count: 3 },
    });
  });

  it("takes no notice when it is a comment", () => {
    assert.equal(parsed(": still here"), undefined);
  });
});
