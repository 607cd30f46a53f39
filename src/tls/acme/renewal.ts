/** When an authority wants a certificate renewed (RFC 9773). Asks without an account, and takes no answer for no advice. */
import type { Advice } from "../issuer.ts";
import { member, parsed, textIn } from "../json.ts";
import { retryAfterMs } from "../retry_after.ts";
import { certificateId } from "./certificate.ts";
import { Line, type LineDeps, type LineOptions } from "./line.ts";

/** Between two questions (RFC 9773 section 4.3), in milliseconds. */
const AGAIN_MIN_MS = 3_600_000;
const AGAIN_MAX_MS = 24 * AGAIN_MIN_MS;
/** Where the authority says nothing of it. */
const AGAIN_MS = 6 * AGAIN_MIN_MS;

/** Undefined where the authority gives no such advice, or nothing came of asking. Never rejects. */
export async function advised(
  chain: string,
  deps: LineDeps,
  options: LineOptions,
): Promise<Advice | undefined> {
  try {
    const line = await Line.open(deps, options);
    const { renewalInfo } = line.directory;
    const id = renewalInfo && await certificateId(chain);
    if (!id) return undefined;
    const { text, headers } = await line.get(`${renewalInfo.replace(/\/$/, "")}/${id}`);
    return readAdvice(text, retryAfterMs(headers, deps.clock.now()));
  } catch {
    return undefined;
  }
}

export function readAdvice(text: string, afterMs: number | undefined): Advice | undefined {
  const span = member(parsed(text), "suggestedWindow");
  const from = Date.parse(textIn(span, "start"));
  const to = Date.parse(textIn(span, "end"));
  // A window that ends before it begins is none (section 4.2).
  if (!(from < to)) return undefined;
  const againMs = Math.min(Math.max(afterMs ?? AGAIN_MS, AGAIN_MIN_MS), AGAIN_MAX_MS);
  return { from, to, againMs };
}
