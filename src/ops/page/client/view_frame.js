/**
 * What stands around the pools: the head with the vital numbers, banners for what is wrong, the form
 * for the token, the foot.
 *
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {"connecting" | "live" | "lost" | "token"} LinkState
 * @typedef {{ state: LinkState, lostAt: number }} Link
 */
import { h } from "./dom.js";
import { duration, headline, moment } from "./words.js";

/** @type {Readonly<Record<LinkState, string>>} */
const LINKS = { connecting: "Connecting", live: "Live", lost: "Connection lost", token: "Locked" };

/**
 * @param {Status | undefined} status
 * @param {Link} link
 */
export function head(status, { state }) {
  /** @type {[string, string][]} */
  const numbers = status === undefined ? [] : [
    ["In flight", status.inFlight.toLocaleString("en")],
    ["Uptime", duration(status.now - status.startedAt)],
    ["Version", status.version],
  ];
  return h(
    "div",
    { class: "head" },
    h("h1", {}, h("span", { class: "mark", "aria-hidden": "true" }), "understudy"),
    h("p", { class: "link", "data-link": state }, LINKS[state]),
    h(
      "dl",
      { class: "vital" },
      ...numbers.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
  );
}

/**
 * @param {Status | undefined} status
 * @param {Link} link
 */
export function banners(status, { state, lostAt }) {
  const problems = status?.config.problems ?? [];
  return h(
    "div",
    { class: "banners" },
    state === "lost" && h(
      "div",
      { class: "banner", role: "alert", "data-key": "lost", "data-tone": "bad" },
      h("strong", {}, "Connection lost"),
      h("p", {}, `What you see is as of ${moment(lostAt, lostAt)}. Trying again by itself.`),
    ),
    status?.draining === true && h(
      "div",
      { class: "banner", role: "alert", "data-key": "draining" },
      h("strong", {}, "Ending"),
      h("p", {}, "Nothing new is accepted, running requests finish."),
    ),
    status !== undefined && problems.length > 0 && h(
      "div",
      { class: "banner", role: "alert", "data-key": "problems" },
      h("strong", {}, "The configuration on disk is refused"),
      h("p", {}, `In force is the one of ${moment(status.config.loadedAt, status.now)}.`),
      h("ul", {}, ...problems.map((problem) => h("li", {}, problem))),
    ),
  );
}

/** @param {boolean} refused a token was given and did not fit */
export function tokenForm(refused) {
  return h(
    "form",
    { class: "token", "data-key": "token" },
    h("h2", {}, "This page is locked"),
    h("p", {}, "Its listener asks for the token of ", h("code", {}, "admin.token"), "."),
    h("label", { for: "token" }, "Token"),
    h("input", {
      id: "token",
      type: "password",
      autocomplete: "off",
      required: true,
      "aria-describedby": refused ? "refused" : undefined,
    }),
    h("button", { type: "submit", class: "yes" }, "Open"),
    refused && h("p", { id: "refused", role: "alert" }, "That token does not fit."),
  );
}

/** @param {Status} status */
export function foot({ runtime, listen, config, now }) {
  return h(
    "div",
    { class: "foot" },
    h("p", {}, `Listening on ${listen.join(", ")}`),
    h(
      "p",
      {},
      config.path === undefined ? "Configured by the command line" : config.path,
      `, loaded ${moment(config.loadedAt, now)}`,
    ),
    h("p", {}, runtime),
  );
}

/**
 * The tab's picture, as a URL.
 * @param {string} colour
 */
export function icon(colour) {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3.5" fill="${colour}"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/**
 * The tab's own words and colour: what one wants to know without opening it.
 * @param {Status} status
 */
export function tab(status) {
  const says = status.routes.flatMap(({ pools }) => pools).map((pool) =>
    headline(pool, status.transitions.filter(({ poolId }) => poolId === pool.id), status.now)
  );
  const worst = says.find(({ tone }) => tone === "bad") ??
    says.find(({ tone }) => tone === "standin") ?? says[0];
  if (worst === undefined) return { title: "understudy", colour: "#888" };
  const { tone, who, verb, whom } = worst;
  const colour = { good: "#2e9e63", standin: "#d99a1c", bad: "#d0453a" }[tone];
  return { title: `${who} ${verb} ${whom}`.trim(), colour };
}
