/** What becomes of a certificate that is kept, and what an attempt at one comes to nothing for. */
import { IssueError } from "./issuer.ts";

export type Gained = "loaded" | "issued" | "renewed";

/** What becomes of a certificate, for the log and for people. */
export type Course =
  | { readonly kind: Gained; readonly issuer: string; readonly validTo: number }
  /** It is shown, and lost when the process ends. */
  | { readonly kind: "unsaved"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string; readonly againAt: number };

export interface Failure {
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
}

export function failureOf(error: unknown): Failure {
  const reason = error instanceof Error ? error.message : String(error);
  return error instanceof IssueError ? { reason, retryAfterMs: error.retryAfterMs } : { reason };
}
