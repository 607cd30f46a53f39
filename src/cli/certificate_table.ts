/** The certificates of a running understudy as a table for people. Pure. */
import type { CertificateStatus } from "../model.ts";
import { joinedNames } from "../ops/certificate_words.ts";
import type { Status } from "../ops/status.ts";
import { spelledSpan } from "./moments.ts";
import { type Cell, type Colour, type Column, type Layout, tableLines } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { head: "CERTIFICATE", rank: 0, least: 8 },
  { head: "STATE", rank: 0 },
  { head: "GOOD FOR", rank: 1 },
  { head: "ISSUER", rank: 3, least: 8 },
  { head: "WHY", rank: 2, least: 10 },
];
/** Names of one that are told; `--json` has the others. */
const NAMES_MAX = 2;

/** Lines without line ends; none where there are no certificates. */
export function certificateLines(
  { certificates, now }: Pick<Status, "certificates" | "now">,
  layout: Layout,
): readonly string[] {
  if (certificates.length === 0) return [];
  return ["", ...tableLines(COLUMNS, certificates.map((one) => rowOf(one, now)), layout)];
}

function rowOf(certificate: CertificateStatus, now: number): readonly Cell[] {
  const { names, validTo, issuer, source } = certificate;
  const [state, colour] = standingOf(certificate);
  return [
    { text: joinedNames(names, NAMES_MAX) },
    { text: state, colour },
    { text: validTo === undefined || validTo <= now ? "–" : spelledSpan(validTo - now) },
    { text: source === "files" ? `files (${issuer})` : issuer },
    { text: whyOf(certificate, now), colour: "dim" },
  ];
}

/** One word for it: what ends comes first, then what does not come. */
function standingOf({ state, problem }: CertificateStatus): readonly [string, Colour] {
  switch (state) {
    case "missing":
      return problem === undefined ? ["awaited", "dim"] : ["missing", "red"];
    case "expired":
      return ["expired", "red"];
    case "expiring":
      return ["expiring", "yellow"];
    case "good":
      return problem === undefined ? ["good", "green"] : ["failing", "yellow"];
  }
}

function whyOf({ problem, nextAt, validTo }: CertificateStatus, now: number): string {
  const ended = validTo !== undefined && validTo <= now
    ? `ended ${spelledSpan(now - validTo)} ago`
    : "";
  const next = nextAt === undefined || nextAt <= now
    ? ""
    : `${problem === undefined ? "renewed" : "tried again"} in ${spelledSpan(nextAt - now)}`;
  return [ended, problem ?? "", next].filter((part) => part !== "").join("; ");
}
