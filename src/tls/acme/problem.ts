/**
 * What an authority says went wrong (RFC 7807, RFC 8555 section 6.7), in words, and as an error that goes
 * through the library untouched. Pure.
 */
import { listOf, member, parsed, tamed, textIn } from "../json.ts";

/** Prefix of the types that RFC 8555 defines. */
export const URN = "urn:ietf:params:acme:error:";
export const BAD_NONCE = `${URN}badNonce`;
export const NO_SUCH_ACCOUNT = `${URN}accountDoesNotExist`;
export const ORDER_NOT_READY = `${URN}orderNotReady`;

/** Subproblems that are told, at most: an order may have one for each of its names. */
const SUBPROBLEMS_MAX = 5;

export interface Problem {
  /** A URN; empty where none was given. */
  readonly type: string;
  readonly detail: string;
  readonly subproblems: readonly (Problem & { readonly name: string })[];
}

/** An exchange with an authority that did not end well. Its message is for people. */
export class AcmeFailure extends Error {
  override readonly name = "AcmeFailure";
  /** Of the problem; empty where the authority did not answer. */
  readonly type: string;
  /** Of the answer; 0 where none came. */
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    { type = "", status = 0, retryAfterMs, cause }: {
      readonly type?: string;
      readonly status?: number;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause });
    this.type = type;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same may well go better in a moment. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The failure that an answer tells of. */
export function failureOf(
  { status, text, retryAfterMs }: {
    readonly status: number;
    readonly text: string;
    readonly retryAfterMs: number | undefined;
  },
): AcmeFailure {
  const problem = readProblem(parsed(text));
  const { type } = problem;
  // A proxy in between, say, speaks HTML.
  const words = type === "" && problem.detail === "" ? `status ${status}` : spellProblem(problem);
  return new AcmeFailure(words, { type, status, retryAfterMs });
}

export function readProblem(value: unknown): Problem {
  return {
    type: textIn(value, "type"),
    detail: textIn(value, "detail"),
    subproblems: listOf(member(value, "subproblems")).map((one) => ({
      ...readProblem(one),
      name: textIn(member(one, "identifier"), "value"),
    })),
  };
}

/** `urn:…:dns: DNS problem: NXDOMAIN …`, then what it says of single names. */
export function spellProblem({ type, detail, subproblems }: Problem): string {
  const words = tamed([type, detail].filter((part) => part !== "").join(": "));
  const told = subproblems.slice(0, SUBPROBLEMS_MAX).map((one) => {
    const about = one.name === "" ? "" : `"${tamed(one.name)}": `;
    return about + tamed([one.type, one.detail].filter((part) => part !== "").join(": "));
  });
  const more = subproblems.length - told.length;
  if (more > 0) told.push(`${more} more`);
  return told.length === 0 ? words : `${words} (${told.join("; ")})`;
}
