/**
 * How an upstream stood as time went by, in coloured stretches, and beneath them when new requests
 * went there.
 *
 * @typedef {import("../../status.ts").PoolStatus} PoolStatus
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {import("../../status.ts").Transition} Transition
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {import("./actions.js").Asked} Asked
 */
import { h } from "./dom.js";
import { DAY_MS, reigns, span, stretches, uptime } from "./shapes.js";
import { count, duration, moment } from "./words.js";

/**
 * @typedef {object} Scene what a card is drawn from
 * @property {Status} status
 * @property {PoolStatus} pool
 * @property {readonly Transition[]} transitions of the pool, newest first
 * @property {Asked | undefined} asked the question that is open somewhere on the page
 */

const BAND = 1000;
/** Shorter stretches are drawn this long, as what is not seen did not happen. */
const STRETCH_MIN = 4;

/**
 * @param {UpstreamStatus} upstream
 * @param {Scene} scene
 */
export function history(upstream, { status, pool, transitions }) {
  const { startedAt, now } = status;
  const long = span(startedAt, now);
  const view = { from: now - long, startedAt, now };
  const all = stretches(upstream, transitions, view);
  const x = (/** @type {number} */ at) => Math.round(((at - view.from) / long) * BAND * 10) / 10;
  const share = uptime(all);
  const changes = all.filter(({ colour }) => colour !== "none").length - 1;
  const spoken = `The last ${duration(long)} of ${upstream.name}: ${
    share === undefined ? "not known to be up or down" : `${percent(share)} up`
  }, ${count(Math.max(0, changes), "change")}`;
  return h(
    "div",
    { class: "history" },
    h(
      "svg",
      { viewBox: `0 0 ${BAND} 16`, preserveAspectRatio: "none", role: "img", "aria-label": spoken },
      ...all.map(({ from, to, colour, reason }) =>
        h(
          "rect",
          {
            class: `is-${colour}`,
            x: Math.min(x(from), BAND - STRETCH_MIN),
            width: Math.max(x(to) - x(from), STRETCH_MIN),
            y: 0,
            height: 11,
          },
          h(
            "title",
            {},
            `${colour}, ${moment(from, now)} to ${to === now ? "now" : moment(to, now)}: ${reason}`,
          ),
        )
      ),
      ...reigns(upstream, pool.chosen, transitions, view).map(({ from, to }) =>
        h("rect", {
          class: "reign",
          x: Math.min(x(from), BAND - STRETCH_MIN),
          width: Math.max(x(to) - x(from), STRETCH_MIN),
          y: 13,
          height: 3,
        })
      ),
    ),
    h(
      "p",
      { class: "axis", "aria-hidden": "true" },
      h("span", {}, long === DAY_MS ? "24 h ago" : `${duration(long)} ago`),
      h("span", {}, share === undefined ? "" : `${percent(share)} up`),
      h("span", {}, "now"),
    ),
  );
}

/** @param {number} share */
function percent(share) {
  // 99.97 % is not 100 %.
  return `${Math.floor(share * 1000) / 10} %`;
}
