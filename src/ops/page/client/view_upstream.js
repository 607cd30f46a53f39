/**
 * One upstream of a pool: how it stands and why, how quick it is, how it fared, and what can be done
 * to it. Draws what the pure modules decided.
 *
 * @typedef {import("../../status.ts").PoolStatus} PoolStatus
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {import("../../status.ts").Transition} Transition
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {import("./actions.js").Asked} Asked
 */
import { confirmation } from "./actions.js";
import { h } from "./dom.js";
import { reigns, span, SPARK, sparkline, stretches, uptime } from "./shapes.js";
import { count, duration, latency, moment, standing, STANDINGS, why } from "./words.js";

/**
 * @typedef {object} Scene what a card is drawn from
 * @property {Status} status
 * @property {PoolStatus} pool
 * @property {readonly Transition[]} transitions of the pool, newest first
 * @property {Asked | undefined} asked the question that is open somewhere on the page
 */

/**
 * @param {UpstreamStatus} upstream
 * @param {number} place
 * @param {Scene} scene
 */
export function upstreamCard(upstream, place, scene) {
  const { status, pool, transitions, asked } = scene;
  const kind = standing(upstream);
  const active = pool.chosen === upstream.name;
  return h(
    "li",
    {
      class: "card",
      "data-key": upstream.id,
      "data-upstream": upstream.name,
      "data-standing": kind,
      "data-active": active,
    },
    h("span", { class: "rank", "aria-hidden": "true" }, place),
    h(
      "div",
      { class: "who" },
      h(
        "h3",
        {},
        upstream.name,
        active &&
          h(
            "span",
            { class: "now" },
            h("span", { class: "beam", "aria-hidden": "true" }),
            "Answers now",
          ),
      ),
      h("p", { class: "address" }, upstream.address),
      h(
        "p",
        { class: "state" },
        h("strong", { class: "chip", "data-standing": kind }, STANDINGS[kind]),
        " ",
        why(upstream, transitions, status.now),
      ),
    ),
    quickness(upstream),
    facts(upstream, status.now),
    history(upstream, scene),
    buttons(upstream, pool, status.stage ?? []),
    asked?.id === upstream.id && confirmation(asked, upstream, pool),
  );
}

/** @param {UpstreamStatus} upstream */
function quickness({ name, latencyMs, probeMs }) {
  // Requests say more than probes, where there are some.
  const ofRequests = latencyMs.length > 1;
  const what = ofRequests ? "requests" : "probes";
  const { lines, failures, last, medianMs, highestMs } = sparkline(
    ofRequests ? latencyMs : probeMs,
  );
  const box = { viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, preserveAspectRatio: "none" };
  const path = lines.map((line) => `M${line.map(([x, y]) => `${x} ${y}`).join("L")}`).join("");
  const area = lines.map((line) => {
    const [first] = line[0] ?? [0];
    const [end] = line.at(-1) ?? [0];
    return `M${first} ${SPARK.height}L${
      line.map(([x, y]) => `${x} ${y}`).join("L")
    }L${end} ${SPARK.height}z`;
  }).join("");
  const tip = lines.at(-1)?.at(-1);
  const spoken = medianMs === undefined
    ? `No latencies of ${name} yet`
    : `Latency of the last ${what} to ${name}: median ${latency(medianMs)}, highest ${
      latency(highestMs ?? medianMs)
    }${failures.length > 0 ? `, ${failures.length} failed` : ""}`;
  return h(
    "div",
    { class: "quickness" },
    h(
      "svg",
      { ...box, role: "img", "aria-label": spoken, class: "spark" },
      h("path", { class: "ground", d: `M0 ${SPARK.height - 0.5}H${SPARK.width}` }),
      h("path", { class: "area", d: area }),
      h("path", { class: "curve", d: path }),
      h("path", { class: "misses", d: failures.map((x) => `M${x} ${SPARK.height}v-10`).join("") }),
      tip !== undefined && last !== null &&
        h("path", { class: "tip", d: `M${tip[0]} ${tip[1]}h0` }),
    ),
    h(
      "p",
      { class: "figure" },
      h("b", {}, last === null ? "failed" : last === undefined ? "–" : latency(last)),
      medianMs === undefined
        ? " no latencies yet"
        : ` last of ${what}, median ${latency(medianMs)}`,
    ),
  );
}

/**
 * @param {UpstreamStatus} upstream
 * @param {number} now
 */
function facts({ inFlight, requests, failures, lastProbe, probed }, now) {
  const probe = lastProbe === undefined
    ? (probed ? "not yet" : "off")
    : `${lastProbe.status ?? "no answer"}${lastProbe.passed ? ` in ${latency(lastProbe.ms)}` : ""}`;
  const ago = lastProbe === undefined ? "" : `${duration(now - lastProbe.at)} ago`;
  /** @type {[string, string, string, boolean][]} */
  const rows = [
    ["In flight", inFlight.toLocaleString("en"), "", inFlight > 0],
    [
      "Requests",
      requests.toLocaleString("en"),
      failures > 0 ? `${failures.toLocaleString("en")} failed` : "",
      false,
    ],
    ["Last probe", probe, ago, false],
  ];
  return h(
    "dl",
    { class: "facts" },
    ...rows.map(([name, value, more, lit]) =>
      h(
        "div",
        {},
        h("dt", {}, name),
        h("dd", { "data-lit": lit }, value, more !== "" && h("small", {}, more)),
      )
    ),
  );
}

const BAND = 1000;
/** Shorter stretches are drawn this long, as what is not seen did not happen. */
const STRETCH_MIN = 4;

/**
 * @param {UpstreamStatus} upstream
 * @param {Scene} scene
 */
function history(upstream, { status, pool, transitions }) {
  const { startedAt, now } = status;
  const long = span(startedAt, now);
  const view = { from: now - long, startedAt, now };
  const all = stretches(upstream, transitions, view);
  const x = (/** @type {number} */ at) => Math.round(((at - view.from) / long) * BAND * 10) / 10;
  const share = uptime(all);
  const changes = all.filter(({ colour }) => colour !== "none").length - 1;
  const spoken = `The last ${duration(long)} of ${upstream.name}: ${
    share === undefined ? "not known to be up or down" : `${percent(share)} not down`
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
      h("span", {}, `${duration(long)} ago`),
      h("span", {}, share === undefined ? "" : `${percent(share)} not down`),
      h("span", {}, "now"),
    ),
  );
}

/** @param {number} share */
function percent(share) {
  // 99.97 % is not 100 %.
  return `${Math.floor(share * 1000) / 10} %`;
}

/**
 * @param {UpstreamStatus} upstream
 * @param {PoolStatus} pool
 * @param {readonly string[]} stage
 */
function buttons({ id, name, drained, probed }, { held }, stage) {
  const button = (/** @type {string} */ act, /** @type {string} */ label) =>
    h("button", {
      type: "button",
      "data-act": act,
      "data-id": id,
      "data-key": act,
      "aria-label": `${label} ${name}`,
    }, label);
  return h(
    "div",
    { class: "acts" },
    drained ? button("undrain", "Undrain") : button("drain", "Drain"),
    probed && button("probe", "Probe now"),
    held !== undefined && held !== name && button("failback", "Fail back"),
    stage.length > 0 && h(
      "span",
      {
        class: "stage",
        role: "group",
        "aria-label": `The machine of ${name}`,
        "data-key": "stage",
      },
      ...stage.map((act) =>
        h("button", {
          type: "button",
          "data-act": "stage",
          "data-play": act,
          "data-id": id,
          "data-key": act,
          "aria-label": `${act} ${name}`,
        }, act)
      ),
    ),
  );
}
