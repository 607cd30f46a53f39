/** Caddyfiles with `reverse_proxy` and what goes with it: what each becomes, or what is said against it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Case, outcomeOf, proxy } from "./cases.ts";
import { ADDRESS_CASES } from "./cases_addresses.ts";
import { CHOOSING_CASES } from "./cases_choosing.ts";
import { DYNAMIC_CASES } from "./cases_dynamic.ts";
import { HEADER_CASES } from "./cases_headers.ts";
import { HEALTH_CASES } from "./cases_health.ts";
import { RESPONSE_CASES } from "./cases_responses.ts";
import { RETRY_MATCH_CASES } from "./cases_retry_match.ts";
import { STREAMING_CASES } from "./cases_streaming.ts";
import { TRANSPORT_CASES } from "./cases_transport.ts";

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  "upstream addresses": ADDRESS_CASES,
  "dynamic upstreams": DYNAMIC_CASES,
  "policies and retries": CHOOSING_CASES,
  "lb_retry_match": RETRY_MATCH_CASES,
  "health": HEALTH_CASES,
  "buffers and streams": STREAMING_CASES,
  "headers": HEADER_CASES,
  "responses": RESPONSE_CASES,
  "transport": TRANSPORT_CASES,
};

for (const [group, cases] of Object.entries(GROUPS)) {
  describe(`importCaddyfile() of ${group}`, () => {
    for (const one of cases) {
      it(`${"route" in one ? "takes over" : "refuses"} ${one.title}`, async () => {
        const { route, problems, config } = await outcomeOf(one.text);
        assert.deepEqual(problems, "route" in one ? [] : one.problems);
        assert.deepEqual(route, "route" in one ? one.route : undefined);
        assert.equal(config !== undefined, "route" in one);
      });
    }
  });
}

describe("importCaddyfile() of reverse_proxy", () => {
  it("writes Caddy's defaults where ours are others", async () => {
    const { config } = await outcomeOf(["reverse_proxy a b"]);
    const action = config?.routes[0]?.steps[0]?.action;
    assert.ok(action?.kind === "proxy");
    const [upstream] = action.pool.upstreams;
    assert.deepEqual(action.pool.policy, { kind: "random" });
    assert.equal(upstream?.connections.idleMs, 120_000);
    assert.equal(upstream?.connections.idleMax, 32);
    assert.equal(upstream?.connections.headLimitBytes, 10 * 2 ** 20);
  });

  it("tells of everything at once when much is wrong", async () => {
    const lines = proxy("lb_polcy first", "health_uri", "max_fails many");
    const { problems } = await outcomeOf([...lines, "reverse_proxy {host}:80"]);
    assert.deepEqual(
      problems.map((line) => line.split(" ", 1).join()),
      [
        "2:3",
        "3:3",
        "4:13",
        "6:15",
      ].map((place) => place),
    );
  });
});
