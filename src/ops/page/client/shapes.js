/**
 * The geometry of the page: latencies to a line, transitions to coloured stretches of time. Pure;
 * numbers in, numbers out, in units of a fixed box that the page stretches.
 *
 * @typedef {import("../../status.ts").Transition} Transition
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {"none" | "unknown" | "up" | "down" | "penalised" | "drained"} Colour
 * @typedef {{ from: number, to: number, colour: Colour, reason: string }} Stretch times in ms
 */

export const SPARK = { width: 180, height: 40, samplesMax: 60 };
/** Below this all is quick, and differences are noise that should not look like mountains. */
const CALM_MS = 20;
const PADDING = 3;

/**
 * Lines through the latencies, broken where one failed; failures as places of their own.
 * @param {readonly (number | null)[]} series oldest first
 */
export function sparkline(series) {
  const { width, height, samplesMax } = SPARK;
  const shown = series.slice(-samplesMax);
  const values = shown.filter((value) => value !== null);
  const top = Math.max(CALM_MS, ...values);
  const step = (width - 2 * PADDING) / (samplesMax - 1);
  // New samples come in at the right, however few there are.
  const x = (/** @type {number} */ at) => round(width - PADDING - (shown.length - 1 - at) * step);
  const y = (/** @type {number} */ ms) =>
    round(height - PADDING - (ms / top) * (height - 2 * PADDING));

  /** @type {[number, number][][]} */
  const lines = [];
  /** @type {number[]} */
  const failures = [];
  /** @type {[number, number][]} */
  let line = [];
  for (const [at, value] of shown.entries()) {
    if (value === null) {
      failures.push(x(at));
      line = [];
      continue;
    }
    if (line.length === 0) lines.push(line);
    line.push([x(at), y(value)]);
  }
  const sorted = values.toSorted((a, b) => a - b);
  return {
    lines,
    failures,
    last: shown.at(-1),
    medianMs: sorted[Math.floor(sorted.length / 2)],
    highestMs: sorted.at(-1),
  };
}

const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
/** What the axis may span: a day, less while there is not so much to tell. */
const SPANS_MS = [2 * MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS, 6 * 60 * MINUTE_MS, DAY_MS];

/**
 * How far back the timelines go.
 * @param {number} startedAt
 * @param {number} now
 */
export function span(startedAt, now) {
  return SPANS_MS.find((ms) => now - startedAt <= ms) ?? DAY_MS;
}

/**
 * How an upstream stood, from `from` to `now` without gaps. What an operator did covers what
 * failures did, and that covers phases.
 * @param {UpstreamStatus} upstream
 * @param {readonly Transition[]} transitions of its pool, newest first
 * @param {{ from: number, startedAt: number, now: number }} window
 * @returns {Stretch[]}
 */
export function stretches(upstream, transitions, { from, startedAt, now }) {
  const own = transitions.filter(({ kind, upstream: name }) =>
    name === upstream.name && kind !== "chosen"
  ).toReversed();
  const firstPhase = own.find(({ kind }) => kind === "phase")?.from;
  /** @type {string} */
  let phase = firstPhase ?? upstream.phase;
  let drained = own.find(({ kind }) => kind === "drained" || kind === "undrained")?.kind ===
      "undrained" || (upstream.drained && !own.some(({ kind }) => kind === "drained"));
  let barredUntil = 0;
  let reason = firstPhase === undefined ? upstream.reason : "";

  /** @type {Stretch[]} */
  const found = [];
  const begin = Math.max(from, startedAt);
  if (begin > from) found.push({ from, to: begin, colour: "none", reason: "not running" });
  const add = (
    /** @type {number} */ start,
    /** @type {number} */ to,
    /** @type {Colour} */ colour,
  ) => {
    const last = found.at(-1);
    if (to <= start) return;
    if (last?.colour === colour && last.reason === reason) last.to = to;
    else found.push({ from: start, to, colour, reason });
  };
  /** Paints up to `to` with what held until then. */
  const paint = (/** @type {number} */ start, /** @type {number} */ to) => {
    const colour = phase === "up" || phase === "down" ? phase : "unknown";
    if (drained) return add(start, to, "drained");
    if (phase === "down" || barredUntil <= start) return add(start, to, colour);
    add(start, Math.min(to, barredUntil), "penalised");
    add(Math.max(start, Math.min(to, barredUntil)), to, colour);
  };

  let at = begin;
  for (const one of own) {
    const next = Math.min(now, Math.max(at, one.at));
    paint(at, next);
    at = next;
    reason = one.reason;
    if (one.kind === "phase") {
      phase = one.to ?? "unknown";
      // A pass clears penalties, and the phase tells more than they do.
      barredUntil = 0;
    } else if (one.kind === "penalised") barredUntil = one.until ?? one.at;
    else drained = one.kind === "drained";
  }
  // Penalties that a pass has cleared are told by nobody but the present state.
  if (upstream.available) barredUntil = Math.min(barredUntil, at);
  paint(at, now);
  return found;
}

/**
 * When new requests went to the upstream.
 * @param {UpstreamStatus} upstream
 * @param {string | undefined} chosen
 * @param {readonly Transition[]} transitions of its pool, newest first
 * @param {{ from: number, startedAt: number, now: number }} window
 * @returns {{ from: number, to: number }[]}
 */
export function reigns({ name }, chosen, transitions, { from, startedAt, now }) {
  const own = transitions.filter(({ kind }) => kind === "chosen").toReversed();
  const found = [];
  let who = own[0]?.from ?? (own.length === 0 ? chosen : undefined);
  let at = Math.max(from, startedAt);
  for (const one of own) {
    const next = Math.max(at, one.at);
    if (who === name && next > at) found.push({ from: at, to: next });
    at = next;
    who = one.upstream;
  }
  if (who === name && now > at) found.push({ from: at, to: now });
  return found;
}

/**
 * Share of the time it was watched in which it was up, from 0 to 1; undefined before that.
 * @param {readonly Stretch[]} all
 */
export function uptime(all) {
  let up = 0;
  let watched = 0;
  for (const { from, to, colour } of all) {
    if (colour === "none" || colour === "unknown") continue;
    watched += to - from;
    if (colour !== "down") up += to - from;
  }
  return watched === 0 ? undefined : up / watched;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
