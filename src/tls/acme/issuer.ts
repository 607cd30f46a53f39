/**
 * An authority that speaks ACME (RFC 8555) as an issuer: what is asked of it, within which time, and what is
 * told when nothing comes of it. When it is asked, and who is asked instead, is decided elsewhere.
 */
import type { AcmeRules } from "../../tls_rules.ts";
import { type DnsDeps, DnsProver } from "../dns/prover.ts";
import { type Advice, IssueError, type Issuer, type Revocation, type Store } from "../issuer.ts";
import { limited } from "../limit.ts";
import type { ProofBoard } from "../proofs.ts";
import { Accounts } from "./account.ts";
import { certificateId } from "./certificate.ts";
import { nameOf } from "./directory.ts";
import { obtained } from "./order.ts";
import { AcmeFailure } from "./problem.ts";
import { advised } from "./renewal.ts";
import { Stage } from "./stage.ts";
import { type Talk, talked } from "./talk.ts";

export interface AcmeDeps extends DnsDeps {
  /** Rejects where it cannot be opened for now. */
  readonly store: () => Promise<Store>;
  /** Where proofs by HTTP and by TLS are shown. */
  readonly proofs: ProofBoard;
  /** Whether those by TLS can be; they are not tried otherwise. */
  readonly showsTlsProofs: boolean;
  /** One line of the log. */
  readonly tell: (
    level: "info" | "warn",
    event: string,
    fields: Readonly<Record<string, string | number>>,
  ) => void;
}

/** For one certificate, in milliseconds. */
const ISSUE_MAX_MS = 5 * 60_000;
/** Where records of names have to be written, which some keep one at a time. */
const ISSUE_BY_RECORDS_MAX_MS = 30 * 60_000;
/** For a question about renewal, or a revocation, in milliseconds. */
const QUESTION_MAX_MS = 60_000;

export function acmeIssuer(written: AcmeRules, deps: AcmeDeps): Issuer {
  const rules = deps.showsTlsProofs ? written : withoutTls(written);
  const name = nameOf(rules.directory);
  const accounts = new Accounts(rules, deps.store);
  const dns = rules.dns && new DnsProver(rules.dns, deps);
  const left = (reason: string) => deps.tell("warn", "acme.record_left", { issuer: name, reason });
  const issueMaxMs = dns !== undefined && rules.challenges.includes("dns-01")
    ? ISSUE_BY_RECORDS_MAX_MS
    : ISSUE_MAX_MS;

  return {
    name,

    async issue(names, { replaced, signal }) {
      const what = `Cannot get a certificate for ${spelled(names)} from ${name}`;
      return await conversation({ what, maxMs: issueMaxMs, signal }, rules, deps, async (talk) => {
        const replaces = replaced && await certificateId(replaced);
        const stage = new Stage({ clock: deps.clock, board: deps.proofs, dns, left });
        return await accounts.use(
          talk,
          (client) => obtained({ names, rules, replaces }, { talk, client, stage, dns }),
        );
      });
    },

    async renewal(chain, signal): Promise<Advice | undefined> {
      const limit = limited(QUESTION_MAX_MS, deps.clock, signal);
      try {
        return await advised(chain, deps, { ...rules, signal: limit.signal });
      } finally {
        limit.end();
      }
    },

    async revoke(chain, reason, signal) {
      const what = `Cannot revoke the certificate at ${name}`;
      await conversation({ what, maxMs: QUESTION_MAX_MS, signal }, rules, deps, async (talk) => {
        await accounts.use(
          talk,
          (client) => talk.ask(() => client.revokeCertificate(chain, { reason: REASONS[reason] })),
        );
      });
    },
  };
}

function withoutTls(rules: AcmeRules): AcmeRules {
  return { ...rules, challenges: rules.challenges.filter((one) => one !== "tls-alpn-01") };
}

/** As RFC 5280 section 5.3.1 numbers them. */
const REASONS: Readonly<Record<Revocation, number>> = {
  unspecified: 0,
  key_compromise: 1,
  superseded: 4,
  cessation: 5,
};

async function conversation<T>(
  { what, maxMs, signal }: {
    readonly what: string;
    readonly maxMs: number;
    readonly signal: AbortSignal;
  },
  rules: AcmeRules,
  deps: AcmeDeps,
  about: (talk: Talk) => Promise<T>,
): Promise<T> {
  const limit = limited(maxMs, deps.clock, signal);
  try {
    return await talked(deps, { ...rules, signal: limit.signal }, about);
  } catch (error) {
    // What fails because nobody waits any more says so in many ways.
    const cause: unknown = limit.signal.aborted ? limit.signal.reason : error;
    throw new IssueError(`${what}: ${signal.aborted ? "nobody waits any more" : words(cause)}`, {
      cause: error,
      retryAfterMs: error instanceof AcmeFailure ? error.retryAfterMs : undefined,
    });
  } finally {
    limit.end();
  }
}

function words(error: unknown): string {
  const { message } = error instanceof Error ? error : { message: String(error) };
  return message.replace(/^Cannot /, "cannot ");
}

/** The first of them, and how many there are besides. */
function spelled([first, ...more]: readonly string[]): string {
  const name = `"${first}"`;
  if (more.length === 0) return name;
  return more.length === 1 ? `${name} and "${more[0]}"` : `${name} and ${more.length} more`;
}
