/**
 * Puts the status into words: how long, how much, how an upstream stands and who answers. Pure, so
 * that every sentence on the page can be tested without a browser.
 *
 * @typedef {import("../../status.ts").PoolStatus} PoolStatus
 * @typedef {import("../../status.ts").RouteStatus} RouteStatus
 * @typedef {import("../../status.ts").Transition} Transition
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {"up" | "down" | "penalised" | "drained" | "full" | "unknown"} Standing
 */

/**
 * "4 s", "3 min", "2 h 5 min", "3 d 4 h": two units at most.
 * @param {number} ms
 */
export function duration(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 10 && s % 60 > 0) return `${min} min ${s % 60} s`;
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 === 0 ? `${h} h` : `${h} h ${min % 60} min`;
  return h % 24 === 0 ? `${Math.floor(h / 24)} d` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

/**
 * "0.4 ms", "12 ms", "3.4 s".
 * @param {number} ms
 */
export function latency(ms) {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms);
}

/**
 * "1 request", "1,204 requests".
 * @param {number} number
 * @param {string} noun
 */
export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Time of day, with the date when it was another day.
 * @param {number} at
 * @param {number} now
 */
export function moment(at, now) {
  const date = new Date(at);
  const time = date.toLocaleTimeString("en-GB");
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}`;
}

/**
 * The one word for how an upstream stands: what keeps requests away comes first.
 * @param {UpstreamStatus} upstream
 * @returns {Standing}
 */
export function standing({ drained, phase, available, penalties }) {
  if (drained) return "drained";
  if (phase === "down") return "down";
  if (!available) return penalties.length > 0 ? "penalised" : "full";
  return phase;
}

/** @type {Readonly<Record<Standing, string>>} */
export const STANDINGS = {
  up: "Up",
  down: "Down",
  penalised: "Penalised",
  drained: "Drained",
  full: "Full",
  unknown: "Not probed",
};

/**
 * Since when and why, to go beside the one word.
 * @param {UpstreamStatus} upstream
 * @param {readonly Transition[]} transitions of its pool
 * @param {number} now
 */
export function why(upstream, transitions, now) {
  const { name, phase, reason, since } = upstream;
  const last = (/** @type {Transition["kind"]} */ kind) =>
    transitions.find((one) => one.kind === kind && one.upstream === name);
  const kind = standing(upstream);
  switch (kind) {
    case "drained": {
      const at = last("drained")?.at;
      return at === undefined ? "by an operator" : `by an operator, ${duration(now - at)} ago`;
    }
    case "penalised": {
      const penalised = last("penalised");
      const until = penalised?.until ?? upstream.penalties.at(-1)?.until ?? now;
      const cause = penalised === undefined ? "" : `, ${penalised.reason}`;
      return `for another ${duration(until - now)}${cause}`;
    }
    case "full":
      return `with ${count(upstream.inFlight, "request")}, as many as it may have`;
    case "unknown":
      return upstream.probed ? "yet" : "as probes are off";
    case "up":
    case "down":
      return phase === "unknown" ? reason : `for ${duration(now - since)}, ${reason}`;
  }
}

const SAME_MOMENT_MS = 5000;

/**
 * Who answers and why, as the sentence at the head of a pool.
 * @param {PoolStatus} pool
 * @param {readonly Transition[]} transitions of the pool, newest first
 * @param {number} now
 * @returns {{ tone: "good" | "standin" | "bad", who: string, verb: string, whom: string, why: string }}
 */
export function headline(pool, transitions, now) {
  const { upstreams, chosen, held } = pool;
  const fit = upstreams.filter(({ available }) => available);
  const first = upstreams[0];
  if (fit.length === 0 || first === undefined) {
    const [only] = upstreams;
    const one = upstreams.length === 1 && only !== undefined;
    return {
      tone: "bad",
      who: "Nobody",
      verb: "can answer",
      whom: "",
      why: one ? excuse(only, transitions, now) : "No upstream can be asked",
    };
  }

  if (chosen === undefined) {
    const some = fit.length < upstreams.length;
    const who = some ? `${fit.length} of ${upstreams.length}` : String(fit.length);
    const out = upstreams.find(({ available }) => !available);
    return {
      tone: some ? "standin" : "good",
      who: fit.length === 1 && fit[0] !== undefined ? fit[0].name : who,
      verb: fit.length === 1 ? "answers" : "share the requests",
      whom: "",
      why: out === undefined ? policyInWords(pool.policy) : excuse(out, transitions, now),
    };
  }

  const since = transitions.find((one) => one.kind === "chosen" && one.upstream === chosen)?.at;
  const sinceWhen = since === undefined ? "" : ` since ${moment(since, now)}`;
  if (chosen === first.name) {
    const reason = first.phase === "up" ? `: ${first.reason}` : "";
    return {
      tone: "good",
      who: chosen,
      verb: "answers",
      whom: "",
      why: `Preferred and ${sinceWhen === "" ? "fit" : `back${sinceWhen}`}${reason}`,
    };
  }

  const back = first.available && held === chosen;
  const cause = back
    ? `${first.name} is fit again, and failback is ${pool.failback}`
    : excuse(first, transitions, now);
  // Mostly it came to be in the moment that the cause names already.
  const told = since === undefined || Math.abs(since - first.since) < SAME_MOMENT_MS;
  return {
    tone: "standin",
    who: chosen,
    verb: "stands in for",
    whom: first.name,
    why: told ? cause : `${cause}; ${chosen} answers${sinceWhen}`,
  };
}

/**
 * Why an upstream gets no requests, as a sentence with its name.
 * @param {UpstreamStatus} upstream
 * @param {readonly Transition[]} transitions
 * @param {number} now
 */
function excuse(upstream, transitions, now) {
  const { name, reason, since } = upstream;
  switch (standing(upstream)) {
    case "down":
      return `${name} ${reason}, ${duration(now - since)} ago`;
    case "drained":
    case "penalised":
    case "full":
      return `${name} is ${STANDINGS[standing(upstream)].toLowerCase()} ${
        why(upstream, transitions, now)
      }`;
    case "up":
    case "unknown":
      return `${name} is passed over`;
  }
}

/** @param {string} policy */
export function policyInWords(policy) {
  return policy === "first" ? "The first that is fit answers" : `Chosen by ${spaced(policy)}`;
}

/** @param {string} text */
export function spaced(text) {
  return text.replaceAll("_", " ");
}

/**
 * What comes in by a route: "ollama.example.com/api", "any host".
 * @param {RouteStatus} route
 */
export function routeName({ hosts, paths, ports }) {
  const host = hosts.filter((one) => one !== "*").join(", ");
  const path = paths.filter((one) => one !== "/").join(", ");
  const port = ports.length === 0 ? "" : ` on ${ports.map((one) => `:${one}`).join(", ")}`;
  return (host === "" ? (path === "" ? "Any host" : `Any host, ${path}`) : `${host}${path}`) + port;
}

/**
 * One change as a line of the list.
 * @param {Transition} transition
 */
export function changeInWords({ kind, upstream, from, to, reason }) {
  switch (kind) {
    case "phase":
      return `is ${to ?? "otherwise"} now: ${reason}`;
    case "penalised":
      return `is penalised: ${reason}`;
    case "drained":
      return "was drained";
    case "undrained":
      return "takes requests again";
    case "chosen":
      if (upstream === "") return `answers no more: ${reason}`;
      return from ? `takes over from ${from}: ${reason}` : `takes over: ${reason}`;
  }
}
