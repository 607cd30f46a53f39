/**
 * The certificates that are shown to clients, and the way to the root that signs those of our own.
 *
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {import("../../../model.ts").CertificateStatus} CertificateStatus
 */
import {
  CERTIFICATE_LOOKS,
  CERTIFICATE_STANDINGS,
  certificateStanding,
  certificateWhy,
  issuerInWords,
} from "./certificates.js";
import { h } from "./dom.js";
import { call } from "./link.js";

/** Names told at once; the others are folded away. */
const NAMES_MAX = 3;
const ROOT_FILE = "understudy-root.crt";
/** The browser has its copy long before, in milliseconds. */
const ROOT_KEPT_MS = 60_000;

/**
 * False where there is nothing to show.
 * @param {Status} status
 */
export function certificateSection({ certificates, root, now }) {
  if (certificates.length === 0 && !root) return false;
  return h(
    "section",
    { class: "certificates", "data-key": "certificates", "aria-labelledby": "certificates" },
    h("h2", { id: "certificates" }, "Certificates"),
    certificates.length > 0 &&
      h("ul", {}, ...certificates.map((one) => certificateItem(one, now))),
    root && h(
      "p",
      { class: "root", "data-key": "root" },
      h(
        "a",
        { href: "api/root.pem", download: ROOT_FILE, "data-act": "root" },
        "Download the root certificate",
      ),
      " for machines that are to trust what the authority here signs.",
    ),
  );
}

/**
 * @param {CertificateStatus} certificate
 * @param {number} now
 */
function certificateItem(certificate, now) {
  const { names, validTo } = certificate;
  const kind = certificateStanding(certificate);
  const more = names.slice(NAMES_MAX);
  return h(
    "li",
    { "data-standing": kind },
    h(
      "div",
      { class: "names" },
      h("b", {}, names.length === 0 ? "Any name" : names.slice(0, NAMES_MAX).join(", ")),
      more.length > 0 &&
        h("details", {}, h("summary", {}, `and ${more.length} more`), h("p", {}, more.join(", "))),
    ),
    h(
      "p",
      { class: "state" },
      h(
        "strong",
        { class: "chip", "data-standing": CERTIFICATE_LOOKS[kind] },
        CERTIFICATE_STANDINGS[kind],
      ),
      " ",
      validTo === undefined ? certificateWhy(certificate, now) : h(
        "time",
        { datetime: new Date(validTo).toISOString() },
        certificateWhy(certificate, now),
      ),
    ),
    h("p", { class: "issuer" }, issuerInWords(certificate)),
  );
}

/** Fetched and not followed as a link, which could not carry the token. Throws as `call` does. */
export async function downloadRoot() {
  const response = await call("api/root.pem");
  const url = URL.createObjectURL(await response.blob());
  const link = h("a", { href: url, download: ROOT_FILE });
  if (link instanceof HTMLElement) link.click();
  setTimeout(() => URL.revokeObjectURL(url), ROOT_KEPT_MS);
  return `${ROOT_FILE} is downloaded`;
}
