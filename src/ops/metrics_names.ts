/**
 * Every metric there is: its name, what kind it is, its labels and its meaning. The exposition, the
 * dashboard's test and docs/metrics.md all go by this list.
 */
import type { LostAttempt } from "../model.ts";

export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** `le` of histograms left out. */
  readonly labels: readonly string[];
  readonly help: string;
}

const UPSTREAM = ["route", "upstream"] as const;

/** In the order of the exposition. */
export const METRICS = {
  up: {
    name: "understudy_upstream_up",
    type: "gauge",
    labels: UPSTREAM,
    help: "0 while the upstream's phase is down, else 1; one that is not probed is never down.",
  },
  drained: {
    name: "understudy_upstream_drained",
    type: "gauge",
    labels: UPSTREAM,
    help: "1 while an operator keeps new requests from the upstream.",
  },
  penalised: {
    name: "understudy_upstream_penalised",
    type: "gauge",
    labels: UPSTREAM,
    help: "1 while failures of live traffic bar the upstream.",
  },
  inFlight: {
    name: "understudy_inflight",
    type: "gauge",
    labels: UPSTREAM,
    help: "Requests that run at the upstream now, streams included.",
  },
  requests: {
    name: "understudy_requests_total",
    type: "counter",
    labels: [...UPSTREAM, "code"],
    help:
      "Requests that ended, by who answered and the status sent; 499 when the client left first.",
  },
  duration: {
    name: "understudy_request_duration_seconds",
    type: "histogram",
    labels: UPSTREAM,
    help: "Time from the request's head to the last byte of its answer.",
  },
  firstByte: {
    name: "understudy_time_to_first_byte_seconds",
    type: "histogram",
    labels: UPSTREAM,
    help:
      "Time from the request's head to the first byte of its answer, attempts that failed included.",
  },
  failovers: {
    name: "understudy_failovers_total",
    type: "counter",
    labels: [...UPSTREAM, "reason"],
    help: "Attempts that the upstream lost and another attempt followed, by why it was lost.",
  },
  failbacks: {
    name: "understudy_failbacks_total",
    type: "counter",
    labels: UPSTREAM,
    help: "Times that new requests went back to this upstream from a less preferred one.",
  },
  truncations: {
    name: "understudy_truncations_total",
    type: "counter",
    labels: UPSTREAM,
    help: "Answers that broke off because the upstream died in the middle of them.",
  },
  probes: {
    name: "understudy_probes_total",
    type: "counter",
    labels: [...UPSTREAM, "result"],
    help: "Probes of the upstream, by their result: pass or fail.",
  },
  probeDuration: {
    name: "understudy_probe_duration_seconds",
    type: "histogram",
    labels: UPSTREAM,
    help: "Time that probes took, whatever they found.",
  },
  certificateExpiry: {
    name: "understudy_certificate_expiry_seconds",
    type: "gauge",
    labels: ["names", "source", "issuer"],
    help: "When the certificate that is shown ends, in seconds since 1970.",
  },
  certificateProblem: {
    name: "understudy_certificate_problem",
    type: "gauge",
    labels: ["names", "source", "issuer"],
    help: "1 while the last attempt at a new certificate, or at reading its files, has failed.",
  },
  certificateRenewals: {
    name: "understudy_certificate_renewals_total",
    type: "counter",
    labels: ["result"],
    help: "Attempts at a new certificate, the first one and new files included, by their result.",
  },
  handshakes: {
    name: "understudy_tls_handshakes_total",
    type: "counter",
    labels: ["version", "protocol"],
    help: "TLS handshakes over TCP that succeeded, by the version and protocol agreed on.",
  },
  handshakeFailures: {
    name: "understudy_tls_handshake_failures_total",
    type: "counter",
    labels: ["reason"],
    help: "TLS handshakes over TCP that came to nothing, by why.",
  },
  reloadSuccessful: {
    name: "understudy_config_last_reload_successful",
    type: "gauge",
    labels: [],
    help: "1 when the newest configuration is in force, 0 when it was refused.",
  },
  reloadTimestamp: {
    name: "understudy_config_last_reload_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When the configuration in force was taken over, in seconds since 1970.",
  },
  buildInfo: {
    name: "understudy_build_info",
    type: "gauge",
    labels: ["version", "runtime"],
    help: "Always 1; its labels tell what runs.",
  },
  cpu: {
    name: "process_cpu_seconds_total",
    type: "counter",
    labels: [],
    help: "CPU time that the process used, of user and system, in seconds.",
  },
  memory: {
    name: "process_resident_memory_bytes",
    type: "gauge",
    labels: [],
    help: "Memory that the process holds, in bytes.",
  },
  openFiles: {
    name: "process_open_fds",
    type: "gauge",
    labels: [],
    help: "Files and connections that the process has open; absent where the system does not tell.",
  },
  startTime: {
    name: "process_start_time_seconds",
    type: "gauge",
    labels: [],
    help: "When the process began, in seconds since 1970.",
  },
} as const satisfies Record<string, Metric>;

/** Upper bounds of what answers take, in milliseconds: a cached page is at one end, a long talk at the other. */
export const ANSWER_BOUNDS_MS: readonly number[] = [
  ...[5, 10, 25, 50, 100, 250, 500],
  ...[1_000, 2_500, 5_000, 10_000, 20_000, 30_000],
  ...[60_000, 120_000, 300_000, 600_000],
];

/** Upper bounds of what probes take, in milliseconds. */
export const PROBE_BOUNDS_MS: readonly number[] = [
  ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1_000, 2_500, 5_000, 10_000],
];

/** Spelled as a record, so that a reason that is new in the model is missed here. */
const REASONS: Record<LostAttempt["reason"], true> = {
  refused: true,
  unreachable: true,
  unknown_host: true,
  dial_timeout: true,
  tls: true,
  closed: true,
  protocol: true,
  headers_timeout: true,
  went_down: true,
  status: true,
};

/** Why attempts are lost: values of the label `reason`. */
export const LOSS_REASONS: readonly string[] = Object.keys(REASONS);
