/**
 * Makes news of certificates: that a new one does not come although the old one ends before long, and that
 * it came. An attempt that fails early is nobody's worry, and one that goes on failing is told once a day.
 */
import type { CertificateStatus, CertificateTurn } from "../model.ts";
import { joinedNames } from "./certificate_words.ts";

/** Something that happened to a certificate, by the name that `notify.on` has for it. */
export interface CertificateItem {
  readonly event: "certificate_failed" | "certificate_renewed";
  readonly turn: CertificateTurn;
}

/** With less than this part of its life left, a certificate ought to have been renewed. */
const LATE = 1 / 3;
const DAY_MS = 86_400_000;

export class CertificateReporter {
  /** Wall clock of the last word on each that fails. */
  readonly #told = new Map<string, number>();

  /** Another configuration is in force: what fails there is told anew. */
  forget(): void {
    this.#told.clear();
  }

  /** Undefined where it is no news. */
  newsOf(turn: CertificateTurn): CertificateItem | undefined {
    const { kind, at, certificate } = turn;
    const key = subjectOf(certificate);
    switch (kind) {
      case "issued":
      case "renewed":
      case "reloaded":
        this.#told.delete(key);
        return { event: "certificate_renewed", turn };
      case "failed":
      case "refused":
        if (!isLate(certificate, at) || at - (this.#told.get(key) ?? -Infinity) < DAY_MS) {
          return undefined;
        }
        this.#told.set(key, at);
        return { event: "certificate_failed", turn };
      case "loaded":
      case "unsaved":
      case "expiring":
        return undefined;
    }
  }
}

function isLate({ validFrom, validTo }: CertificateStatus, now: number): boolean {
  if (validFrom === undefined || validTo === undefined) return true;
  return validTo - now < (validTo - validFrom) * LATE;
}

/** What is summed up together. */
export function subjectOf({ names, source }: CertificateStatus): string {
  return `${source} ${names.join(" ")}`;
}

/** In one line, fit for a phone. */
export function certificateHeadline({ event, turn: { certificate } }: CertificateItem): string {
  const names = joinedNames(certificate.names, 1);
  const isOne = certificate.names.length < 2;
  const have = isOne ? "has" : "have";
  if (event === "certificate_renewed") return `${names} ${have} a new certificate`;
  return certificate.validTo === undefined
    ? `${names} ${have} no certificate`
    : `${names} ${isOne ? "gets" : "get"} no new certificate`;
}

/** The whole of it: the headline, why, how long the one that is shown will do. */
export function certificateSentence(item: CertificateItem): string {
  const { event, turn: { certificate: { validTo, problem }, at } } = item;
  const why = event === "certificate_failed" && problem !== undefined ? `: ${problem}` : "";
  const left = validTo === undefined ? undefined : daysUntil(validTo, at);
  const until = left === undefined
    ? ""
    : left < 0
    ? " (the old one has ended)"
    : ` (good for ${left === 0 ? "less than a day" : left === 1 ? "a day" : `${left} days`})`;
  return `${certificateHeadline(item)}${until}${why}`;
}

/** Whole days; negative once it has ended. */
function daysUntil(validTo: number, now: number): number {
  return Math.floor((validTo - now) / DAY_MS);
}
