/**
 * One upstream of a pool: how it stands and why, how quick it is, how it fared, and what can be done
 * to it. Draws what the pure modules decided.
 *
 * @typedef {import("../../status.ts").PoolStatus} PoolStatus
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {import("./view_history.js").Scene} Scene
 */
import { confirmation } from "./actions.js";
import { h } from "./dom.js";
import { SPARK, sparkline } from "./shapes.js";
import { history } from "./view_history.js";
import { duration, latency, standing, STANDINGS, why } from "./words.js";

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
