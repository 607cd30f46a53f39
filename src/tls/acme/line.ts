/**
 * The wire to one authority for as long as a call lasts: every exchange that the library wants made goes
 * through here, a few at a time. Keeps the nonces that come along with answers, and what was said of waiting.
 */
import type { Clock, ErrandAnswer, Platform } from "../../platform/platform.ts";
import { retryAfterMs } from "../retry_after.ts";
import { Turns } from "../turns.ts";
import { tamed } from "../json.ts";
import { type Directory, readDirectory } from "./directory.ts";
import { AcmeFailure, failureOf } from "./problem.ts";

/** Exchanges at once: authorities of the Internet count them. */
const EXCHANGES_MAX = 4;
/** For one exchange, in milliseconds. */
const EXCHANGE_TIMEOUT_MS = 30_000;
/** Nonces that are kept; they grow old. */
const NONCES_MAX = 8;

export interface LineDeps {
  readonly clock: Clock;
  readonly errand: Platform["errand"];
}

export interface LineOptions {
  /** URL of the authority's directory. */
  readonly directory: string;
  /** PEM. */
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
}

export class Line {
  readonly directory: Directory;
  readonly #deps: LineDeps;
  readonly #options: LineOptions;
  readonly #nonces: string[] = [];
  /** By URL; as many as an order has parts. */
  readonly #waits = new Map<string, number>();
  readonly #turns = new Turns(EXCHANGES_MAX);

  private constructor(directory: Directory, deps: LineDeps, options: LineOptions) {
    this.directory = directory;
    this.#deps = deps;
    this.#options = options;
  }

  /** Rejects with `AcmeFailure`. */
  static async open(deps: LineDeps, options: LineOptions): Promise<Line> {
    const { text } = await exchange(deps, options, { method: "GET", url: options.directory });
    return new Line(readDirectory(text), deps, options);
  }

  /** Sends what the library signed. Rejects with `AcmeFailure` for every answer that is a refusal. */
  async post(url: string, body: string): Promise<ErrandAnswer> {
    const { clock } = this.#deps;
    return await this.#turns.take(async () => {
      const answer = await exchange(this.#deps, this.#options, {
        ...{ method: "POST", url, body },
        heard: (headers) => this.#keep(headers),
      });
      const waitMs = retryAfterMs(answer.headers, clock.now());
      if (waitMs === undefined) this.#waits.delete(url);
      else this.#waits.set(url, waitMs);
      return answer;
    }, this.#options.signal);
  }

  /** One that no request has used. */
  async nonce(): Promise<string> {
    const kept = this.#nonces.pop();
    if (kept !== undefined) return kept;
    return await this.#turns.take(async () => {
      const ask = { method: "HEAD", url: this.directory.newNonce };
      const { headers } = await exchange(this.#deps, this.#options, ask);
      const nonce = headers.get("replay-nonce");
      if (nonce === null) throw new AcmeFailure("it gives no nonce");
      return nonce;
    }, this.#options.signal);
  }

  /** A plain question, as renewals are asked for. */
  async get(url: string): Promise<ErrandAnswer> {
    return await exchange(this.#deps, this.#options, { method: "GET", url });
  }

  /** How long its last answer at this URL wanted us to wait. */
  waitMs(url: string): number | undefined {
    return this.#waits.get(url);
  }

  #keep(headers: Headers): void {
    const nonce = headers.get("replay-nonce");
    if (nonce === null) return;
    this.#nonces.push(nonce);
    if (this.#nonces.length > NONCES_MAX) this.#nonces.shift();
  }
}

interface Ask {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  /** Told of the fields of any answer, a refusal too. */
  readonly heard?: (headers: Headers) => void;
}

async function exchange(
  { errand, clock }: LineDeps,
  { directory, authorities, signal }: LineOptions,
  { method, url, body, heard }: Ask,
): Promise<ErrandAnswer> {
  // Its answers are full of addresses. None shall lead out of TLS, or to a file.
  if (schemeOf(url) !== schemeOf(directory)) {
    throw new AcmeFailure(`it points to "${tamed(url)}", which is no ${schemeOf(directory)}`, {
      status: 200,
    });
  }
  const headers = new Headers({ "user-agent": "understudy" });
  // Fixed by RFC 8555 section 6.2.
  if (body !== undefined) headers.set("content-type", "application/jose+json");
  let answer: ErrandAnswer;
  try {
    const options = { method, headers, body, authorities, signal, timeoutMs: EXCHANGE_TIMEOUT_MS };
    answer = await errand(url, options);
  } catch (error) {
    throw new AcmeFailure(error instanceof Error ? error.message : String(error), { cause: error });
  }
  heard?.(answer.headers);
  const { status, text } = answer;
  if (status < 300) return answer;
  throw failureOf({ status, text, retryAfterMs: retryAfterMs(answer.headers, clock.now()) });
}

/** `https:`; empty where it is no URL. */
function schemeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : "";
}
