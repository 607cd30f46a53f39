/** What is counted of exchanges, probes and moves, and how it stands in a scrape. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Account, Verdict } from "../../src/model.ts";
import { Prometheus } from "../../src/ops/metrics.ts";
import { METRICS } from "../../src/ops/metrics_names.ts";
import type { Route } from "../../src/rules.ts";
import { FakeExchange } from "../support/fake_exchange.ts";
import { health, passive, route, upstream } from "../support/fake_route.ts";
import { chosen, poolStatus, routeStatus, status, upstreamStatus } from "../support/fake_status.ts";
import { readMetrics, samplesOf } from "../support/metrics_text.ts";

const USAGE = { residentBytes: 50_000_000, cpuMs: 1_500, openFiles: 12 };
const AT_A = 'route="r",upstream="a"';
const AT_B = 'route="r",upstream="b"';

function counting(...routes: Route[]): Prometheus {
  const metrics = new Prometheus(() => USAGE);
  metrics.adopt(routes.length > 0 ? routes : [route({ health: health() })]);
  return metrics;
}

function account(changes: Partial<Account> = {}): Account {
  return {
    requestId: "id-1",
    startedAt: 0,
    durationMs: 1_200,
    firstByteMs: 300,
    exchange: new FakeExchange(),
    clientIp: "198.51.100.9",
    user: undefined,
    routeId: "r",
    upstream: "a",
    attempts: 1,
    status: 200,
    readBytes: 0,
    bodyBytes: 0,
    replyFields: undefined,
    outcome: "answered",
    failures: [],
    lost: [],
    logged: true,
    ...changes,
  };
}

function verdict(passed: boolean, durationMs: number): Verdict {
  const status = passed ? 200 : undefined;
  return { passed, silent: !passed, status, reason: "", startedAt: 0, durationMs };
}

describe("Prometheus", () => {
  it("account() counts by route, upstream and status", () => {
    const metrics = counting();
    metrics.account(account());
    metrics.account(account());
    metrics.account(account({ upstream: "b", status: 404 }));
    const seen = samplesOf(metrics.render(status()));
    assert.equal(seen.get(`understudy_requests_total{${AT_A},code="200"}`), 2);
    assert.equal(seen.get(`understudy_requests_total{${AT_B},code="404"}`), 1);
    assert.equal(seen.get(`understudy_requests_total{${AT_B},code="200"}`), 0);
  });

  const strangers: [string, Partial<Account>, string][] = [
    [
      "no route",
      { routeId: undefined, upstream: undefined, status: 404 },
      'route="none",upstream="none",code="404"',
    ],
    ["a route that is gone", { routeId: "old" }, 'route="none",upstream="none",code="200"'],
    ["nobody asked", { upstream: undefined, status: 503 }, 'route="r",upstream="none",code="503"'],
    ["an upstream that is gone", { upstream: "z" }, 'route="r",upstream="none",code="200"'],
    ["a status of nobody's", { status: 999 }, `${AT_A},code="none"`],
  ];
  for (const [title, changes, labels] of strangers) {
    it(`account() bounds the labels when there is ${title}`, () => {
      const metrics = counting();
      const before = samplesOf(metrics.render(status()));
      assert.equal(before.get(`understudy_requests_total{${labels}}`), undefined);
      metrics.account(account(changes));
      const seen = samplesOf(metrics.render(status()));
      assert.equal(seen.get(`understudy_requests_total{${labels}}`), 1);
    });
  }

  it("account() puts times into buckets, those at a bound into the lower one", () => {
    const metrics = counting();
    metrics.account(account({ durationMs: 5 }));
    metrics.account(account({ durationMs: 5.1 }));
    metrics.account(account({ durationMs: 700_000, firstByteMs: undefined }));
    const seen = samplesOf(metrics.render(status()));
    const duration = (rest: string) => seen.get(`understudy_request_duration_seconds${rest}`);
    assert.equal(duration(`_bucket{${AT_A},le="0.005"}`), 1);
    assert.equal(duration(`_bucket{${AT_A},le="0.01"}`), 2);
    assert.equal(duration(`_bucket{${AT_A},le="600"}`), 2);
    assert.equal(duration(`_bucket{${AT_A},le="+Inf"}`), 3);
    assert.equal(duration(`_count{${AT_A}}`), 3);
    assert.equal(duration(`_sum{${AT_A}}`), 700.0101);
    assert.equal(seen.get(`understudy_time_to_first_byte_seconds_count{${AT_A}}`), 2);
  });

  it("account() counts as failovers the lost attempts that another followed", () => {
    const metrics = counting();
    const lost = [
      { upstream: "a", reason: "refused", followed: true },
      { upstream: "b", reason: "closed", followed: false },
    ] as const;
    metrics.account(account({ upstream: "b", status: 502, outcome: "failed", lost }));
    const seen = samplesOf(metrics.render(status()));
    assert.equal(seen.get(`understudy_failovers_total{${AT_A},reason="refused"}`), 1);
    assert.equal(seen.get(`understudy_failovers_total{${AT_A},reason="closed"}`), 0);
    assert.equal(seen.get(`understudy_failovers_total{${AT_B},reason="closed"}`), 0);
  });

  it("account() counts answers that broke off", () => {
    const metrics = counting();
    metrics.account(account({ outcome: "truncated" }));
    const seen = samplesOf(metrics.render(status()));
    assert.equal(seen.get(`understudy_truncations_total{${AT_A}}`), 1);
    assert.equal(seen.get(`understudy_truncations_total{${AT_B}}`), 0);
  });

  it("probed() counts passes and fails, and how long they took", () => {
    const metrics = counting();
    metrics.probed("r", "a", verdict(true, 4));
    metrics.probed("r", "a", verdict(false, 2_000));
    metrics.probed("r", "gone", verdict(false, 1));
    metrics.probed("gone", "a", verdict(false, 1));
    const seen = samplesOf(metrics.render(status()));
    assert.equal(seen.get(`understudy_probes_total{${AT_A},result="pass"}`), 1);
    assert.equal(seen.get(`understudy_probes_total{${AT_A},result="fail"}`), 1);
    assert.equal(seen.get(`understudy_probe_duration_seconds_sum{${AT_A}}`), 2.004);
  });

  it("says nothing of probes where there are none", () => {
    const text = counting(route()).render(status());
    assert.equal(readMetrics(text).get("understudy_probes_total")?.samples.size, 0);
  });

  it("told() counts a move to a more preferred upstream, and no other", () => {
    const metrics = counting();
    metrics.told(chosen("a", "b"));
    metrics.told(chosen("b", "a"));
    metrics.told(chosen("a", ""));
    metrics.told(chosen("", "a"));
    metrics.told(chosen("b", "a", { kind: "drained" }));
    metrics.told(chosen("b", "a", { poolId: "gone" }));
    const seen = samplesOf(metrics.render(status()));
    assert.equal(seen.get(`understudy_failbacks_total{${AT_A}}`), 1);
    assert.equal(seen.get(`understudy_failbacks_total{${AT_B}}`), 0);
  });

  it("render() tells how upstreams stand at that moment", () => {
    const metrics = counting(route({ passive: passive({ failsMax: 2 }) }));
    const now = 1_000;
    const of = (upstreams: [object, object]) => {
      const [a, b] = [upstreamStatus("a", upstreams[0]), upstreamStatus("b", upstreams[1])];
      const pools = [poolStatus({ upstreams: [a, b] })];
      return samplesOf(metrics.render(status({ now, routes: [routeStatus({ pools })] })));
    };
    const seen = of([
      {
        phase: "down",
        drained: true,
        inFlight: 3,
        penalties: [{ until: 1_001 }, { until: 2_000 }],
      },
      { phase: "unknown", penalties: [{ until: 1_000 }, { until: 2_000 }] },
    ]);
    const both = (name: string) => [AT_A, AT_B].map((labels) => seen.get(`${name}{${labels}}`));
    assert.deepEqual(both("understudy_upstream_up"), [0, 1]);
    assert.deepEqual(both("understudy_upstream_drained"), [1, 0]);
    assert.deepEqual(both("understudy_upstream_penalised"), [1, 0]);
    assert.deepEqual(both("understudy_inflight"), [3, 0]);
  });

  it("adopt() keeps what was counted, and drops series of what is gone", () => {
    const metrics = counting();
    metrics.account(account());
    metrics.account(account({ upstream: "b" }));
    metrics.adopt([route({ upstreams: [upstream("a"), upstream("c")] })]);
    const text = metrics.render(status());
    const seen = samplesOf(text);
    assert.equal(seen.get(`understudy_requests_total{${AT_A},code="200"}`), 1);
    assert.equal(seen.get('understudy_requests_total{route="r",upstream="c",code="200"}'), 0);
    assert.doesNotMatch(text, /upstream="b"/);
    metrics.adopt([]);
    assert.doesNotMatch(metrics.render(status()), /route="r"/);
  });

  it("adopt() takes an upstream named none for what it is called, once", () => {
    const metrics = counting(route({ upstreams: [upstream("none")] }));
    metrics.account(account({ upstream: "none" }));
    metrics.account(account({ upstream: undefined }));
    const seen = samplesOf(metrics.render(status()));
    assert.equal(seen.get('understudy_requests_total{route="r",upstream="none",code="200"}'), 2);
  });

  it("render() tells of the process, the build and the last reload", () => {
    const metrics = counting();
    const read = () => samplesOf(metrics.render(status()));
    const seen = read();
    assert.equal(seen.get("process_resident_memory_bytes"), 50_000_000);
    assert.equal(seen.get("process_cpu_seconds_total"), 1.5);
    assert.equal(seen.get("process_open_fds"), 12);
    assert.equal(seen.get("process_start_time_seconds"), 1_000);
    assert.equal(seen.get('understudy_build_info{version="1.2.3",runtime="Bun 1.4.5"}'), 1);
    assert.equal(seen.get("understudy_config_last_reload_timestamp_seconds"), 1_030.5);
    assert.equal(seen.get("understudy_config_last_reload_successful"), 1);
    metrics.reloaded(false);
    assert.equal(read().get("understudy_config_last_reload_successful"), 0);
    metrics.reloaded(true);
    assert.equal(read().get("understudy_config_last_reload_successful"), 1);
  });

  it("render() gives every metric of the list, each with its type and help", () => {
    const families = readMetrics(counting().render(status()));
    const shown = [...families].map(([name, { type, help }]) => ({ name, type, help }));
    const listed = Object.values(METRICS).map(({ name, type, help }) => ({ name, type, help }));
    const byName = (all: typeof shown) =>
      all.toSorted((one, other) => one.name < other.name ? -1 : 1);
    assert.deepEqual(byName(shown), byName(listed));
  });

  it("render() gives text that can be read, whatever names the configuration holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (id, name) => {
        const metrics = counting(route({ id, upstreams: [upstream(name)] }));
        metrics.account(account({ routeId: id, upstream: name, status: 201 }));
        const counts = [...samplesOf(metrics.render(status({ routes: [] })))]
          .filter(([sample]) => sample.endsWith('code="201"}'));
        assert.deepEqual(counts.map(([, value]) => value), [1]);
      }),
    );
  });
});
