/**
 * The last requests that someone may ask about, as a table that becomes a list on a phone.
 *
 * @typedef {import("../../status.ts").Notable} Notable
 */
import { h } from "./dom.js";
import { failureInWords } from "./failures.js";
import { latency, moment } from "./words.js";

/** @type {Readonly<Record<Notable["kind"], string>>} */
const KINDS = { failed_over: "Failed over", cut: "Cut", failed: "Failed", slow: "Slow" };
const COLUMNS = ["When", "What", "Request", "Answer", "Upstream", "Took", "Why"];

/**
 * @param {readonly Notable[]} notable newest first
 * @param {number} now
 */
export function notableSection(notable, now) {
  return h(
    "section",
    { class: "notable", "data-key": "notable", "aria-labelledby": "notable" },
    h("h2", { id: "notable" }, "Notable requests"),
    notable.length === 0
      ? h(
        "p",
        { class: "none", "data-key": "none" },
        "None: nothing failed over, was cut, failed or was slow.",
      )
      : table(notable, now),
  );
}

/**
 * Roles are spelled out, as a table laid out as a grid is none to a screen reader.
 * @param {readonly Notable[]} notable
 * @param {number} now
 */
function table(notable, now) {
  return h(
    "table",
    { role: "table", "data-key": "table", "aria-labelledby": "notable" },
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        ...COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)),
      ),
    ),
    h("tbody", { role: "rowgroup" }, ...notable.map((one) => row(one, now))),
  );
}

/**
 * @param {Notable} notable
 * @param {number} now
 */
function row(notable, now) {
  const { at, requestId, kind, method, host, uri, status, upstream, attempts, durationMs } =
    notable;
  const cell = (
    /** @type {string} */ name,
    /** @type {(Node | string | number | false)[]} */ ...children
  ) => h("td", { role: "cell", class: name }, ...children);
  return h(
    "tr",
    { role: "row", "data-key": requestId, title: `Request ${requestId}` },
    cell("when", h("time", { datetime: new Date(at).toISOString() }, moment(at, now))),
    cell("what", h("span", { class: "chip", "data-kind": kind }, KINDS[kind])),
    cell("request", h("b", {}, method), ` ${uri}`, h("small", {}, host)),
    cell("answer", status),
    cell("upstream", upstream ?? "nobody", attempts > 1 && h("small", {}, `${attempts} attempts`)),
    cell("took", latency(durationMs)),
    cell("reason", reasonOf(notable)),
  );
}

/** @param {Notable} notable */
function reasonOf({ kind, failures, firstByteMs, upstream }) {
  const told = failures.map(failureInWords);
  if (kind === "cut" && upstream !== undefined) told.push(`${upstream} died mid-response`);
  if (kind === "slow" && firstByteMs !== undefined) {
    told.unshift(`first byte after ${latency(firstByteMs)}`);
  }
  return told.join("; ");
}
