/**
 * Puts certificates into words: how they stand and why, who signed them, how long they are still good.
 * Pure, as `words.js` is.
 *
 * @typedef {import("../../../model.ts").CertificateStatus} CertificateStatus
 * @typedef {"good" | "failing" | "expiring" | "expired" | "awaited" | "missing"} CertificateStanding
 */
import { DAY_MS } from "./shapes.js";
import { duration } from "./words.js";

const HOUR_MS = 3_600_000;
/** From here on days are told. */
const DAYS_FROM_MS = 2 * DAY_MS;

/**
 * The one word for it: what ends comes first, then what does not come.
 * @param {CertificateStatus} certificate
 * @returns {CertificateStanding}
 */
export function certificateStanding({ state, problem }) {
  if (state === "missing") return problem === undefined ? "awaited" : "missing";
  return state === "good" && problem !== undefined ? "failing" : state;
}

/** @type {Readonly<Record<CertificateStanding, string>>} */
export const CERTIFICATE_STANDINGS = {
  good: "Good",
  failing: "Renewal fails",
  expiring: "Ends soon",
  expired: "Has ended",
  awaited: "On its way",
  missing: "Missing",
};

/**
 * How it looks, in the looks of upstreams.
 * @type {Readonly<Record<CertificateStanding, "up" | "penalised" | "down" | "unknown">>}
 */
export const CERTIFICATE_LOOKS = {
  good: "up",
  failing: "penalised",
  expiring: "penalised",
  expired: "down",
  awaited: "unknown",
  missing: "down",
};

/**
 * "58 days", "31 hours", "40 min": as precise as one wants it.
 * @param {number} ms
 */
export function lifeLeft(ms) {
  if (ms >= DAYS_FROM_MS) return `${Math.floor(ms / DAY_MS)} days`;
  return ms >= 2 * HOUR_MS ? `${Math.floor(ms / HOUR_MS)} hours` : duration(ms);
}

/**
 * How long it does, what is wrong and what comes next, to go beside the one word.
 * @param {CertificateStatus} certificate
 * @param {number} now
 */
export function certificateWhy({ validTo, problem, nextAt, state }, now) {
  // Beside "Renewal fails" a bare span would be that of the failing.
  const good = state === "good" && problem !== undefined ? "good for" : "for";
  const life = validTo === undefined
    ? ""
    : state === "expired"
    ? `${lifeLeft(now - validTo)} ago`
    : state === "expiring"
    ? `in ${lifeLeft(validTo - now)}`
    : `${good} ${lifeLeft(validTo - now)}`;
  const next = nextAt === undefined || nextAt <= now
    ? ""
    : problem === undefined
    ? `the next one comes in ${lifeLeft(nextAt - now)}`
    : `tried again in ${lifeLeft(nextAt - now)}`;
  return [life, problem ?? "", next].filter((part) => part !== "").join("; ");
}

/**
 * Where it comes from.
 * @param {CertificateStatus} certificate
 */
export function issuerInWords({ source, issuer }) {
  if (source === "internal") return "Signed by the authority here";
  if (source === "acme") return `From ${issuer}`;
  const [, name] = /(?:^|,)(?:CN|O)=((?:\\.|[^,\\])+)/.exec(issuer) ?? [];
  return `From files, signed by ${name ?? (issuer || "nobody known")}`;
}
