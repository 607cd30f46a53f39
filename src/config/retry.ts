/**
 * How requests move between upstreams and are carried: the sections `retry`, `failback` and `transport`
 * of a route. Defaults, bounds and meaning of their settings live here and nowhere else.
 */
import * as v from "valibot";
import type { Failback, Matcher, RetryRules, TransportRules } from "../rules.ts";
import * as leaves from "./leaves.ts";
import { readPath } from "./match.ts";
import { isMap, read, type Reading } from "./reading.ts";
import {
  about,
  either,
  isMistyped,
  keyed,
  leaf,
  oneOrMore,
  required,
  type Schema,
} from "./shape.ts";

const RoutePath = leaf({ type: "string", examples: ["/api/generate"] }, readPath);

const RetryMatch = v.pipe(
  keyed({
    methods: about("Methods; any when not set.", v.optional(oneOrMore(leaves.Method))),
    paths: about("Path prefixes; any when not set.", v.optional(oneOrMore(RoutePath))),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const written: unknown = dataset.value;
    if (!isMap(written) || Object.keys(written).length > 0 || isMistyped(dataset.issues)) return;
    addIssue({ expected: '"methods" or "paths"', received: "neither" });
  }),
  v.transform(({ methods, paths }): Matcher => ({
    kind: "all",
    of: [
      ...(methods === undefined ? [] : [{ kind: "method" as const, methods }]),
      ...(paths === undefined ? [] : [{ kind: "prefix" as const, paths }]),
    ],
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
    match: about(
      "Requests that may be replayed although they were sent and are not idempotent.",
      v.optional(RetryMatch),
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
    match: written.match === undefined ? [] : [written.match],
    idempotent: true,
    responses: [],
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

export const Transport: Schema<TransportRules> = v.pipe(
  keyed({
    dial_timeout: about("Limit to connect, TLS included.", v.optional(leaves.duration(1), "3s")),
    response_header_timeout: about(
      "Limit to the end of the response head; none when not set.",
      v.optional(leaves.duration(1)),
    ),
  }),
  v.transform((written): TransportRules => ({
    dialTimeoutMs: written.dial_timeout,
    headersTimeoutMs: written.response_header_timeout,
  })),
);
