/**
 * What Debian's own tools make of our metrics: promtool finds nothing to complain of, a real
 * Prometheus scrapes them, and every query of the dashboard has an answer there.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dashboardQueries } from "../support/dashboard.ts";
import { samplesOf } from "../support/metrics_text.ts";
import { StandIn, subject, Understudy } from "../support/processes.ts";
import { PrometheusServer, promtoolComplaints, unavailable } from "../support/prometheus.ts";

const PROBED = "health: { uri: /, interval: 200ms, timeout: 1s }";

const config = (main: string, spare: string, more = "") => `
listen: "127.0.0.1:0"
admin: 127.0.0.1:0
routes:
  - upstreams:
      - { url: "${main}", name: main }
      - { url: "${spare}", name: spare }
    retry: { status: [503] }
    ${more}
`;

/** The admin listener's URL. */
async function adminOf(proxy: Understudy): Promise<string> {
  const line = await proxy.line(({ admin }) => typeof admin === "string");
  return String(line["admin"]);
}

async function metricsOf(admin: string): Promise<string> {
  const response = await fetch(`${admin}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return await response.text();
}

/** With variables as Grafana fills them in. */
function filledIn(expr: string): string {
  return expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$(?:instance|route)\b/g, ".*");
}

describe("GET /metrics", { skip: unavailable ?? false }, () => {
  it("has nothing that promtool complains of, also after failures and with odd names", {
    timeout: 30_000,
  }, async () => {
    await using main = await StandIn.start("main");
    await using spare = await StandIn.start("spare");
    const odd = config(main.url, spare.url).replace("name: spare", `name: 'spa"re\\'`);
    await using proxy = await Understudy.start(subject, odd);
    await main.faults({ status: 503 });
    for (const path of ["/", "/api/tags", "/nowhere"]) await (await fetch(proxy.url + path)).text();
    const text = await metricsOf(await adminOf(proxy));
    assert.equal(await promtoolComplaints(text), "");
    assert.notEqual(await promtoolComplaints(text.replace("_total", "")), "");
    assert.ok(text.includes('upstream="spa\\"re\\\\",code="200"'), text);
    const failovers = [...samplesOf(text)].filter(([name, value]) =>
      name.startsWith("understudy_failovers_total") && value > 0
    );
    assert.notDeepEqual(failovers, []);
  });

  it("is scraped by a real Prometheus, which tells of a death and answers the dashboard", {
    timeout: 60_000,
  }, async () => {
    await using main = await StandIn.start("main");
    await using spare = await StandIn.start("spare");
    await using proxy = await Understudy.start(subject, config(main.url, spare.url, PROBED));
    const admin = await adminOf(proxy);
    await using prometheus = await PrometheusServer.start(new URL(admin).host);

    const up = (upstream: string) => `understudy_upstream_up{upstream="${upstream}"}`;
    await prometheus.until(up("main"), ([found]) => found?.value === 1);
    await (await fetch(`${proxy.url}/api/tags`)).text();
    const answered = 'understudy_requests_total{upstream="main",code="200"}';
    await prometheus.until(answered, ([found]) => found?.value === 1);

    main.kill("SIGKILL");
    await prometheus.until(up("main"), ([found]) => found?.value === 0);
    const [spareUp] = await prometheus.query(up("spare"));
    assert.equal(spareUp?.value, 1);

    for (const { expr } of await dashboardQueries()) await prometheus.query(filledIn(expr));
    const [now] = await prometheus.query("understudy_build_info");
    assert.equal(now?.labels["job"], "understudy");
  });
});
