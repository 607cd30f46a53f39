/** What `status` shows, at every width, and what it says when it has nothing to show. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { status } from "../../src/cli/status.ts";
import { statusLines, transitionLine } from "../../src/cli/status_table.ts";
import { painter } from "../../src/cli/table.ts";
import type { Transition } from "../../src/ops/status.ts";
import {
  NOW,
  pairStatus,
  poolStatus,
  routeStatus,
  statusOf,
  upstreamStatus,
} from "../support/admin_status.ts";
import { json, ranIn } from "../support/fake_admin.ts";

const plain = { width: undefined, paint: painter(false) };
const HERE = "http://127.0.0.1:2020";

describe("statusLines()", () => {
  it("shows who answers, and how each upstream is", () => {
    const lines = statusLines(
      pairStatus({
        ...{ phase: "down", available: false, reason: "refused the connection", inFlight: 1 },
        since: NOW - 42_000,
        lastProbe: { at: NOW - 900, ms: 0.3, passed: false, status: undefined, reason: "refused" },
      }),
      plain,
    );
    assert.deepEqual(lines, [
      "understudy 0.1.0  up 2h  0 in flight  http://0.0.0.0:8080",
      "",
      "ROUTE        UPSTREAM  STATE  SINCE  IN FLIGHT  LAST PROBE              LATENCY     WHY",
      "any host     gpu       down   42s            1  failed in 0 ms, 0s ago  20 ms ▂▄×█  refused the connection",
      "          →  slow      up     1h 2m          0  200 in 2 ms, 4s ago     20 ms ▂▄×█  answered 200",
    ]);
  });

  const states: [string, Parameters<typeof upstreamStatus>[1], RegExp][] = [
    ["drained", { drained: true, available: false }, /gpu +drained .*by an operator$/],
    [
      "penalised",
      { available: false, penalties: [{ until: NOW + 1_000 }, { until: NOW + 12_000 }] },
      /gpu +penalised .*failed 2 times, back in 12s$/,
    ],
    ["full", { available: false }, /gpu +full .*takes no more$/],
    ["unprobed", { phase: "unknown", probed: false }, /gpu +unprobed .*nobody asks it how it is$/],
    ["not probed yet", { phase: "unknown", reason: "not probed yet" }, /gpu +unknown .*not probed/],
    ["without latencies", { latencyMs: [], probeMs: [] }, /gpu .* – +answered 200$/],
    ["never probed", { lastProbe: undefined }, /gpu +up .*0  – +20 ms/],
  ];
  for (const [title, changes, expected] of states) {
    it(`tells of an upstream that is ${title}`, () => {
      assert.match(statusLines(pairStatus(changes), plain)[3] ?? "", expected);
    });
  }

  it("names routes, and what is unusual about their pools", () => {
    const pool = poolStatus([upstreamStatus("a"), upstreamStatus("b")], {
      policy: "round_robin",
      failback: "sticky",
      held: "b",
    });
    const lines = statusLines(
      statusOf([routeStatus([pool, poolStatus([upstreamStatus("c")])], {
        hosts: ["x.test", "*.y.test"],
        paths: ["/api"],
        ports: [8443],
      })]),
      plain,
    );
    assert.deepEqual(lines.slice(3).map((line) => line.split(/ {3,}| {2}→/)[0]), [
      "x.test, *.y.test /api :8443",
      "  round_robin, failback sticky, held on b",
      "  pool 2",
    ]);
  });

  it("tells of a configuration that was not taken over, and of the end", () => {
    const now = pairStatus();
    const lines = statusLines({
      ...now,
      draining: true,
      config: { ...now.config, problems: ["config.yaml:3:1 listen: Expected …"] },
    }, plain);
    assert.deepEqual(lines.slice(1, 4), [
      "It ends: nothing new is accepted",
      "The configuration was changed, but not taken over:",
      "  config.yaml:3:1 listen: Expected …",
    ]);
  });

  it("fits a terminal of any usual width", () => {
    for (const width of [20, 30, 40, 60, 80, 100, 120, 200]) {
      const lines = statusLines(pairStatus({ reason: "answered 503 ".repeat(9) }), {
        ...plain,
        width,
      });
      for (const line of lines) assert.ok(line.length <= width, `${width}: ${line}`);
      assert.match(lines.at(-1) ?? "", /slow +up/);
    }
  });

  it("says so when there are no upstreams", () => {
    assert.equal(
      statusLines(statusOf([routeStatus([])]), plain).at(-1),
      "No route asks an upstream",
    );
  });
});

describe("transitionLine()", () => {
  const about = { at: NOW, poolId: "*/", upstream: "gpu", reason: "refused" };
  const cases: [Transition, string][] = [
    [{ ...about, kind: "phase", from: "up", to: "down" }, "gpu is down: refused"],
    [{ ...about, kind: "penalised" }, "gpu is passed by: refused"],
    [{ ...about, kind: "drained", reason: "" }, "gpu is drained"],
    [{ ...about, kind: "undrained", reason: "" }, "gpu takes requests again"],
    [
      { ...about, kind: "chosen", from: "gpu", to: "slow" },
      "requests go to slow now, not to gpu: refused",
    ],
    [
      { ...about, kind: "chosen", from: "gpu", to: "", reason: "" },
      "requests go to nobody now, not to gpu",
    ],
  ];
  for (const [transition, expected] of cases) {
    it(`says "${expected}"`, () => {
      assert.equal(transitionLine(transition, () => "12:00:00"), `12:00:00  ${expected}`);
    });
  }
});

describe("status", () => {
  const answers = { [`GET ${HERE}/api/status`]: json(pairStatus()) };

  it("shows a table without colours when there is no terminal", async () => {
    const { code, stdout, stderr } = await ranIn(status, [], { answers });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /→ {2}gpu +up /);
    assert.ok(!stdout.includes("\x1b"));
  });

  it("is colourful and narrow at a terminal, and plain where NO_COLOR asks for it", async () => {
    const { stdout } = await ranIn(status, [], { answers, columns: 40 });
    assert.ok(stdout.includes("\x1b[32mup\x1b[0m"));
    const bare = await ranIn(status, [], { answers, columns: 40, env: { NO_COLOR: "1" } });
    assert.ok(!bare.stdout.includes("\x1b"));
    for (const line of bare.stdout.split("\n")) assert.ok(line.length <= 40);
  });

  it("passes the API's own words on for programs", async () => {
    const { stdout } = await ranIn(status, ["--json"], { answers });
    assert.equal(stdout, `${JSON.stringify(pairStatus())}\n`);
  });
});
