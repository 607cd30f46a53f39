/**
 * How upstreams are watched: the sections `health` (probes) and `passive` (live traffic) of a route.
 * Defaults, bounds and meaning of their settings live here and nowhere else.
 */
import * as v from "valibot";
import type { HealthRules, PassiveRules } from "../rules.ts";
import { readHostPort } from "./address.ts";
import * as leaves from "./leaves.ts";
import { pattern } from "./pattern.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import { about, isMistyped, keyed, leaf, named, pathTo, type Schema } from "./shape.ts";
import { readFieldName, TOKEN } from "./template.ts";

const FAST_INTERVAL_MS = 1_000;

const ProbeUri = leaf(
  { type: "string", pattern: "^/|\\$\\{", examples: ["/"] },
  (written): Reading<string> =>
    typeof written === "string" && /^\/[\x21-\x22\x24-\x7e]*$/.test(written)
      ? read(written)
      : refuse('a path and query such as "/api/version"'),
);

const ProbeMethod = leaf(
  { type: "string", examples: ["GET", "HEAD", "POST"] },
  (written): Reading<string> => {
    const text = typeof written === "string" ? written.toUpperCase() : "";
    // Neither runtime's fetch sends these.
    const usable = TOKEN.test(text) && !["CONNECT", "TRACE", "TRACK"].includes(text);
    return usable ? read(text) : refuse('a method such as "GET"');
  },
);

/** Unlike a header of a request, one of a probe may be `Host`. */
const ProbeHeaders = v.pipe(
  named(readFieldName, leaves.FieldValue),
  v.transform((map) => Object.entries(map).map(([name, value]) => ({ name, value }))),
);

export const Health: Schema<HealthRules> = v.pipe(
  keyed({
    uri: about("What a probe asks for.", v.optional(ProbeUri)),
    port: about("Asks another port of the same host.", v.optional(leaves.count(1, 65_535))),
    upstream: about(
      "Asks another address instead, such as 192.168.1.7:9000.",
      v.optional(leaf({ type: "string" }, readHostPort)),
    ),
    method: about("Method of a probe.", v.optional(ProbeMethod, "GET")),
    headers: about("Header fields of a probe.", v.optional(ProbeHeaders, {})),
    body: about("Body of a probe.", v.optional(leaves.Text)),
    interval: about("From start to start of probes.", v.optional(leaves.duration(10), "30s")),
    timeout: about("Limit of a whole probe.", v.optional(leaves.duration(1), "5s")),
    status: about("Status codes that pass.", v.optional(leaves.Status, "2xx")),
    expect_body: about(
      "Regular expression that the first 64 KiB of the body must match.",
      v.optional(pattern("")),
    ),
    follow_redirects: about(
      "Follows redirects instead of judging them.",
      v.optional(leaves.Switch, false),
    ),
    rise: about(
      "Passes in a row that turn an upstream up; 1 when not set.",
      v.optional(leaves.count(1, 100)),
    ),
    fall: about(
      "Failures in a row that turn an upstream down; 1 when not set.",
      v.optional(leaves.count(1, 100)),
    ),
    passes: about("Another name of rise.", v.optional(leaves.count(1, 100))),
    fails: about("Another name of fall.", v.optional(leaves.count(1, 100))),
    fast_interval: about(
      "Interval while a streak is under way and after a failed request; interval, at most 1s, when not set.",
      v.optional(leaves.duration(10)),
    ),
    idle_interval: about(
      "Interval while no request comes, so that a sleeping machine may sleep; interval when not set.",
      v.optional(leaves.duration(10)),
    ),
    init_state: about(
      "What an upstream counts as before its first verdict; probe holds requests until then.",
      v.optional(leaves.word("probe", "up", "down"), "probe"),
    ),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const written: unknown = dataset.value;
    if (!isMap(written)) return;
    const has = (key: string): boolean => Object.hasOwn(written, key);
    if (!has("uri") && !has("port") && !isMistyped(dataset.issues)) {
      addIssue({ expected: '"uri" or "port", which turn probing on', received: "neither" });
    }
    for (const [one, other] of [["rise", "passes"], ["fall", "fails"], ["port", "upstream"]]) {
      if (one === undefined || other === undefined || !has(one) || !has(other)) continue;
      const expected = `either "${one}" or "${other}"`;
      addIssue({ expected, received: "both", path: [pathTo(written, other)] });
    }
  }),
  v.transform((written): HealthRules => ({
    uri: written.uri ?? "/",
    port: written.port,
    address: written.upstream,
    method: written.method,
    headers: written.headers,
    body: written.body,
    intervalMs: written.interval,
    timeoutMs: written.timeout,
    status: written.status,
    expectBody: written.expect_body,
    followRedirects: written.follow_redirects,
    rise: written.rise ?? written.passes ?? 1,
    fall: written.fall ?? written.fails ?? 1,
    fastIntervalMs: written.fast_interval ?? Math.min(written.interval, FAST_INTERVAL_MS),
    idleIntervalMs: written.idle_interval,
    initState: written.init_state,
  })),
);

export const Passive: Schema<PassiveRules> = v.pipe(
  keyed({
    fail_duration: about(
      "How long each failed request is remembered; 0 turns passive checks off.",
      v.optional(leaves.duration(), "0s"),
    ),
    max_fails: about(
      "Remembered failures that bar an upstream.",
      v.optional(leaves.count(1, 1_000), 1),
    ),
    unhealthy_status: about(
      "Status codes that count as failures.",
      v.optional(leaves.Status),
    ),
    unhealthy_latency: about(
      "Time to response headers that counts as a failure.",
      v.optional(leaves.duration(1)),
    ),
    max_requests: about(
      "Requests at a time; at the cap the next upstream is used.",
      v.optional(leaves.CountLimit, "unlimited"),
    ),
    clear_on_pass: about(
      "A passed probe that began after the last failure forgets the failures.",
      v.optional(leaves.Switch, true),
    ),
  }),
  v.transform((written): PassiveRules => ({
    failDurationMs: written.fail_duration,
    failsMax: written.max_fails,
    unhealthyStatus: written.unhealthy_status ?? [],
    unhealthyLatencyMs: written.unhealthy_latency,
    requestsMax: written.max_requests,
    clearOnPass: written.clear_on_pass,
  })),
);
