/**
 * One pool: the sentence that says who answers and why, its upstreams in order of preference, and
 * what changed lately.
 *
 * @typedef {import("../../status.ts").PoolStatus} PoolStatus
 * @typedef {import("../../status.ts").RouteStatus} RouteStatus
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {import("../../status.ts").Transition} Transition
 * @typedef {import("./actions.js").Asked} Asked
 */
import { h, idOf } from "./dom.js";
import { upstreamCard } from "./view_upstream.js";
import { changeInWords, count, headline, moment, routeName, spaced } from "./words.js";

/** Changes listed at most. */
const CHANGES_MAX = 30;

/**
 * @param {RouteStatus} route
 * @param {PoolStatus} pool
 * @param {{ status: Status, asked: Asked | undefined }} page
 */
export function poolSection(route, pool, { status, asked }) {
  const transitions = status.transitions.filter(({ poolId }) => poolId === pool.id);
  const { tone, who, verb, whom, why } = headline(pool, transitions, status.now);
  const id = idOf("pool", pool.id);
  const scene = { status, pool, transitions, asked };
  return h(
    "section",
    { class: "pool", "data-key": id, "data-tone": tone, "aria-labelledby": id },
    h(
      "header",
      {},
      h(
        "h2",
        { id },
        h("span", { class: "route" }, routeName(route), pool.id !== route.id && ` · ${pool.id}`),
        " ",
        h(
          "span",
          { class: "says" },
          h("em", {}, who),
          ` ${verb}`,
          whom !== "" && " ",
          whom !== "" && h("i", {}, whom),
        ),
      ),
      h("p", { class: "why" }, why),
    ),
    h(
      "ol",
      { class: "cards" },
      ...pool.upstreams.map((one, at) => upstreamCard(one, at + 1, scene)),
    ),
    h(
      "div",
      { class: "under" },
      h(
        "p",
        { class: "rules" },
        `Policy ${spaced(pool.policy)}`,
        h("span", {}, `Failback ${pool.failback}`),
      ),
      transitions.length > 0 && changes(transitions, status.now),
    ),
  );
}

/**
 * @param {readonly Transition[]} transitions
 * @param {number} now
 */
function changes(transitions, now) {
  return h(
    "details",
    {},
    h("summary", {}, count(transitions.length, "change")),
    h(
      "ol",
      { class: "changes" },
      ...transitions.slice(0, CHANGES_MAX).map((one) =>
        h(
          "li",
          { "data-kind": one.kind === "phase" ? one.to : one.kind },
          h("time", { datetime: new Date(one.at).toISOString() }, moment(one.at, now)),
          h(
            "span",
            {},
            one.upstream !== "" && h("b", {}, one.upstream),
            one.upstream === "" && h("b", {}, "nobody"),
            ` ${changeInWords(one)}`,
          ),
        )
      ),
    ),
  );
}
