/** Nothing in a `reverse_proxy` is passed over: every line is taken, or something is said of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { importCaddyfile } from "../../src/caddyfile/caddyfile.ts";
import type { WrittenMap, WrittenNode } from "../../src/caddyfile/written.ts";
import { outcomeOf, proxy } from "./cases.ts";

/** Options that stand beside each other, whatever their order. */
const OPTIONS = [
  "to b:8080 :9000",
  "lb_policy first",
  "lb_retries 3",
  "lb_try_duration 5s",
  "lb_try_interval 100ms",
  "lb_retry_match method POST",
  "health_uri /ping",
  "health_port 9000",
  "health_interval 10s",
  "health_timeout 2s",
  "health_status 2xx",
  "health_body ok",
  "health_method HEAD",
  "health_follow_redirects",
  "health_passes 2",
  "health_fails 3",
  "fail_duration 30s",
  "max_fails 3",
  "unhealthy_status 5xx",
  "unhealthy_latency 2s",
  "unhealthy_request_count 10",
  "flush_interval -1",
  "request_buffers 1MB",
  "response_buffers 1MB",
  "stream_timeout 1h",
  "stream_close_delay 1m",
  "stream_buffer_size 32KiB",
  "verbose_logs",
  "trusted_proxies private_ranges",
  "header_up X-A {method}",
  "header_up -X-B",
  "header_up Host {upstream_hostport}",
  "header_down +X-C c",
  "method GET",
  "rewrite /x{uri}",
  "replace_status 503",
  "transport http",
] as const;

/** What nobody takes for an option: told of, each at its line. */
const WRONG = ["lb_polcy first", "health_uri", "max_fails many", "transport fastcgi", "x"] as const;

describe("importCaddyfile()", () => {
  it("takes every option whatever stands beside it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...OPTIONS]), async (options) => {
        const { problems, taken } = await outcomeOf(proxy(...options));
        const needsUri = options.some((line) => line.startsWith("health_")) &&
          !options.includes("health_uri /ping") && !options.includes("health_port 9000");
        assert.equal(problems.length, needsUri ? 1 : 0, problems.join("\n"));
        const lines = new Set(taken.map(({ line }) => line));
        assert.deepEqual(options.filter((_, at) => !lines.has(at + 2)), []);
      }),
      { numRuns: 200 },
    );
  });

  it("tells of every wrong option at its line whatever stands beside it", async () => {
    const right = OPTIONS.filter((one) => !/^(?:health_|transport|max_fails|lb_policy)/.test(one));
    const wrong = fc.shuffledSubarray([...WRONG], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(right), wrong, async (options, stray) => {
        const { problems } = await outcomeOf(proxy(...options, ...stray));
        const told = problems.map((problem) => Number(problem.split(":", 1)));
        assert.deepEqual(told, stray.map((_, at) => options.length + 2 + at));
      }),
      { numRuns: 100 },
    );
  });

  it("never throws whatever words stand in a block", async () => {
    const word = fc.oneof(
      fc.constantFrom(...OPTIONS.flatMap((one) => one.split(" ")), "dynamic", "a", "srv", "@m"),
      fc.constantFrom("{", "}", "handle_response", "http", "tls", "expression", "{rp.x}", "`"),
      fc.string({ maxLength: 8 }),
    );
    const line = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(" "));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
        await outcomeOf(proxy(...lines));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the comments of options at what they become", async () => {
    const text = [
      "# both machines",
      "reverse_proxy a b { # in a row",
      "  # the loud one first",
      "  lb_policy first # never the other",
      "  # passed on at once",
      "  flush_interval -1",
      "  transport http {",
      "    # long enough",
      "    dial_timeout 5s",
      "  }",
      "  # not ours",
      "  header_up -X-Secret",
      "}",
    ];
    const { root } = await importCaddyfile(text.join("\n"), {
      path: "Caddyfile",
      env: () => undefined,
      readText: () => Promise.reject(new Error("no such file")),
      listDirectory: () => Promise.resolve([]),
    });
    const found = commentsIn(root);
    const written = text.flatMap((line) => /#.*$/.exec(line)?.[0] ?? []);
    assert.deepEqual(found.map(([comment]) => comment).toSorted(), written.toSorted());
    const keys = Object.fromEntries(found);
    assert.equal(keys["# the loud one first"], "policy");
    assert.equal(keys["# never the other"], "policy");
    assert.equal(keys["# long enough"], "dial_timeout");
    assert.equal(keys["# not ours"], "remove");
  });
});

/** Every comment with the key that it stands at. */
function commentsIn(node: WrittenNode): [string, string][] {
  if (node.kind === "leaf") return [];
  if (node.kind === "list") return node.items.flatMap(commentsIn);
  return [...node.entries].flatMap(([key, entry]) => [
    ...at(node, key),
    ...commentsIn(entry.node),
  ]);
}

function at(map: WrittenMap, key: string): [string, string][] {
  const { above, beside } = map.commentsOf(key);
  return [...above, ...beside === undefined ? [] : [beside]].map((comment) => [comment, key]);
}
