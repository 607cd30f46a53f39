/**
 * How requests move between upstreams: the sections `retry` and `failback` of a pool. Defaults, bounds
 * and meaning of their settings live here and nowhere else.
 */
import * as v from "valibot";
import type { Failback, Matcher, RetryRules } from "../rules.ts";
import * as leaves from "./leaves.ts";
import {
  allOf,
  MATCHER_ENTRIES,
  ONE_QUESTION,
  PathPrefix,
  questions,
  RequestMatcher,
  RESPONSE_ENTRIES,
  responseMatcher,
} from "./matcher.ts";
import { read, type Reading } from "./reading.ts";
import { about, either, holds, keyed, leaf, oneOrMore, required, type Schema } from "./shape.ts";

const RETRY_MATCH_ENTRIES = {
  ...MATCHER_ENTRIES,
  methods: about("Another name of method.", v.optional(oneOrMore(leaves.Method))),
  paths: about("Another name of under.", v.optional(oneOrMore(PathPrefix))),
};

export const RetryMatch: Schema<Matcher> = v.pipe(
  keyed(RETRY_MATCH_ENTRIES),
  holds(Object.keys(RETRY_MATCH_ENTRIES), ONE_QUESTION),
  v.transform(({ methods, paths, ...written }): Matcher =>
    allOf([
      ...(methods === undefined ? [] : [{ kind: "method" as const, methods }]),
      ...(paths === undefined ? [] : [{ kind: "prefix" as const, paths }]),
      ...questions(written),
    ])
  ),
);

const RetryResponse = v.pipe(
  keyed({
    ...RESPONSE_ENTRIES,
    match: about("Only responses to these requests.", v.optional(RequestMatcher)),
  }),
  holds(["status", "headers"], { most: undefined, expected: '"status" or "headers"' }),
  v.transform(({ match, ...response }): RetryRules["responses"][number] => ({
    request: match,
    response: responseMatcher(response),
  })),
);

export const Retry: Schema<RetryRules> = v.pipe(
  keyed({
    attempts: about(
      "Attempts at most, the first included; each upstream once when not set.",
      v.optional(leaves.count(1, 1_000)),
    ),
    for: about(
      "How long to go on with new passes, also while no upstream is available.",
      v.optional(leaves.duration(), "0s"),
    ),
    interval: about("Pause between passes.", v.optional(leaves.duration(1), "250ms")),
    replay_body: about(
      "Request bytes kept for a replay; larger bodies stream on.",
      v.optional(leaves.SizeBytes, "1MiB"),
    ),
    status: about("Status codes that fail over too.", v.optional(leaves.Status)),
    responses: about(
      "Responses that fail over too, told by status, header fields and request.",
      v.optional(oneOrMore(RetryResponse)),
    ),
    match: about(
      "Requests that may be replayed although they were sent and are not idempotent.",
      v.optional(oneOrMore(RetryMatch)),
    ),
    idempotent: about(
      "Replays idempotent methods without a match; false leaves it to match alone.",
      v.optional(leaves.Switch, true),
    ),
    side_probe: about(
      "Probes the upstream beside a request that waits longer than this for a first byte.",
      v.optional(leaves.duration(1), "10s"),
    ),
    rescue: about(
      "Replays any request whose upstream is found dead before its first byte.",
      v.optional(leaves.Switch, false),
    ),
  }),
  v.transform((written): RetryRules => ({
    attemptsMax: written.attempts,
    forMs: written.for,
    intervalMs: written.interval,
    replayLimitBytes: written.replay_body,
    status: written.status ?? [],
    idempotent: written.idempotent,
    match: written.match ?? [],
    responses: written.responses ?? [],
    sideProbeMs: written.side_probe,
    rescue: written.rescue,
  })),
);

const WORDS = ["immediate", "sticky", "manual"] as const;

export const FailbackRule: Schema<Failback> = either(
  (written) => typeof written === "object" && written !== null,
  v.pipe(
    keyed({ after: about("How long it must have been healthy.", required(leaves.duration())) }),
    v.transform(({ after }): Failback => ({ kind: "after", afterMs: after })),
  ),
  leaf({ enum: WORDS }, (written): Reading<Failback> => {
    const reading = leaves.readWord(written, WORDS);
    return reading.kind === "read" ? read({ kind: reading.value }) : reading;
  }),
);
