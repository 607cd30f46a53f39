/**
 * What an operator can do to an upstream: the question that comes before, the request, and the words
 * for what came of it.
 *
 * @typedef {import("../../status.ts").ActionResult} ActionResult
 * @typedef {import("../../status.ts").PoolStatus} PoolStatus
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {"drain" | "undrain" | "probe" | "failback"} Act
 * @typedef {{ id: string, act: Act, busy: boolean }} Asked
 */
import { h, idOf } from "./dom.js";
import { call } from "./link.js";
import { count, latency } from "./words.js";

/** @type {Readonly<Record<Act, string>>} */
export const ACTS = {
  drain: "Drain",
  undrain: "Undrain",
  probe: "Probe",
  failback: "Fail back to",
};

/**
 * The question with its two answers, in the card itself.
 * @param {Asked} asked
 * @param {UpstreamStatus} upstream
 * @param {PoolStatus} pool
 */
export function confirmation({ act, busy }, upstream, pool) {
  const id = idOf("question", upstream.id);
  return h(
    "div",
    { class: "question", role: "group", "aria-labelledby": id, "data-key": "question" },
    h("p", { id }, question(act, upstream, pool)),
    h(
      "button",
      { type: "button", class: "yes", "data-act": "confirm", disabled: busy },
      `${ACTS[act]} ${upstream.name}`,
    ),
    h("button", { type: "button", "data-act": "cancel" }, "Cancel"),
  );
}

/**
 * @param {Act} act
 * @param {UpstreamStatus} upstream
 * @param {PoolStatus} pool
 */
export function question(act, { name, inFlight, available }, { upstreams }) {
  const others = upstreams.filter((one) => one.name !== name && one.available);
  switch (act) {
    case "drain": {
      const running = inFlight === 0
        ? "Nothing runs there now"
        : `${count(inFlight, "request")} may finish there`;
      return others.length === 0
        ? `${running}. Nobody else is fit: new requests will get 503.`
        : `${running}. New requests go to ${others[0]?.name ?? "others"}.`;
    }
    case "undrain":
      return `${name} takes new requests again.`;
    case "probe":
      return `${name} is asked at once how it is.`;
    case "failback":
      return available
        ? `New requests go to ${name} again, running ones end where they are.`
        : `${name} is not fit: it gets requests as soon as it is.`;
  }
}

/**
 * Does it, and says what came of it. Throws as `call` does.
 * @param {Act} act
 * @param {UpstreamStatus} upstream
 * @returns {Promise<string>}
 */
export async function perform(act, { id, name }) {
  const path = `api/upstreams/${encodeURIComponent(id)}/${act}`;
  const response = await call(path, { method: "POST" });
  /** @type {ActionResult} */
  const { upstream, probe } = await response.json();
  switch (act) {
    case "drain":
      return upstream.inFlight === 0
        ? `${name} is drained, nothing runs there`
        : `${name} is drained, ${count(upstream.inFlight, "request")} may finish there`;
    case "undrain":
      return `${name} takes requests again`;
    case "probe":
      if (probe === undefined) return `${name} is being probed`;
      return `${name} ${probe.reason}, in ${latency(probe.ms)}`;
    case "failback":
      return `New requests go to ${name} again`;
  }
}

/**
 * Has the demo do something to the machine itself.
 * @param {string} act
 * @param {UpstreamStatus} upstream
 */
export async function play(act, { name }) {
  await call(`api/stage/${encodeURIComponent(name)}/${encodeURIComponent(act)}`, {
    method: "POST",
  });
  return `${act} ${name}: done`;
}
