/**
 * The cells of the fault matrix as data: which faults there are, how they show, and what may fail
 * before a client's eyes. Whatever the cell, nothing is done twice and nothing ends short unseen.
 */
import type { Mode } from "./faults.ts";
import { type Kind, KINDS } from "./verdicts.ts";

/** The probes that all cells are played with. */
export const INTERVAL_MS = 500;
export const TIMEOUT_MS = 300;

/** `was sent`: a request that the upstream may have read; `had begun`: one whose answer had come in part. */
export type May = "nothing" | "was sent" | "had begun";

export interface Fault {
  readonly name: string;
  /** How it is brought about: a signal, a mode of `faults.ts`, or dropped packets. */
  readonly by: "refuse" | "SIGKILL" | "SIGSTOP" | "drop" | Mode;
  /** Whether requests meet it at once, or a probe has to find it by waiting. */
  readonly sign: "at once" | "by a probe";
  /** Comes back again and again while it lasts, so requests may meet it at any time. */
  readonly recurs: boolean;
  readonly may: Readonly<Record<Kind, May>>;
  /** Settings of the route beside those of all cells. */
  readonly rules: string;
  /** Said by probes: more than the status where a status tells nothing. */
  readonly probe: string;
}

const PASSIVE = "passive: { fail_duration: 30s }";
const NOTHING = {
  GET: "nothing",
  POST: "nothing",
  stream: "nothing",
  upload: "nothing",
  WebSocket: "nothing",
} as const;
const SENT = { ...NOTHING, POST: "was sent", stream: "was sent", upload: "was sent" } as const;
const BEGUN = {
  GET: "had begun",
  POST: "had begun",
  stream: "had begun",
  upload: "had begun",
  WebSocket: "had begun",
} as const;

function fault(name: string, by: Fault["by"], rest: Partial<Fault> = {}): Fault {
  return {
    name,
    by,
    sign: "at once",
    recurs: false,
    may: NOTHING,
    rules: PASSIVE,
    probe: "",
    ...rest,
  };
}

/** A probe that looks at the status alone passes before the cut, and its pass would lift the penalty. */
const READS_ON = ", expect_body: done";

const FAULTS: readonly Fault[] = [
  fault("refuse", "refuse"),
  fault("SIGKILL", "SIGKILL", { may: { ...SENT, WebSocket: "had begun" } }),
  fault("SIGSTOP", "SIGSTOP", { sign: "by a probe" }),
  fault("blackhole", "drop", { sign: "by a probe" }),
  fault("accept, close", "close", { may: SENT }),
  fault("RST", "reset", { may: SENT }),
  fault("cut in head", "cut_head", { may: SENT }),
  fault("cut in body", "cut_body", { may: BEGUN, probe: READS_ON }),
  fault("cut in chunk", "cut_chunk", { may: BEGUN, probe: READS_ON }),
  fault("500 to everything", "error", {
    rules: "passive: { fail_duration: 30s, unhealthy_status: [5xx] }\n    retry: { status: [5xx] }",
  }),
  fault("503 to probes only", "sick", { sign: "by a probe" }),
  fault("slow", "slow", { sign: "by a probe" }),
  fault("flapping", "flapping", { may: SENT, recurs: true }),
];

export const CELLS: readonly (readonly [Fault, Kind, May])[] = FAULTS.flatMap((one) =>
  kinds().map((kind) => [one, kind, one.may[kind]] as const)
);

function kinds(): Kind[] {
  const known: Readonly<Record<Kind, number>> = KINDS;
  const isKind = (name: string): name is Kind => Object.hasOwn(known, name);
  return Object.keys(known).filter(isKind);
}
