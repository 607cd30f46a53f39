/**
 * Asks the API of whoever keeps records of names, by JSON or not, and again where it is too busy for the
 * moment. Its failures are in words, and hold neither token nor query.
 */
import type { Clock, ErrandAnswer, Platform } from "../../platform/platform.ts";
import { retryAfterMs } from "../retry_after.ts";
import { DnsError } from "./writer.ts";

/** For one question, in milliseconds. */
const TIMEOUT_MS = 30_000;
/** Before a busy API is asked again, in milliseconds; there is one more try than pauses. */
const PAUSES_MS: readonly number[] = [1_000, 3_000, 10_000];
/** One that wants to be left alone for longer has refused, in milliseconds. */
const WAIT_MAX_MS = 60_000;

export interface ApiDeps {
  readonly errand: Platform["errand"];
  readonly clock: Clock;
}

export interface ApiAsk {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly url: string;
  /** Value of `Authorization`. */
  readonly authorization?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

export class Api {
  /** As people call it. */
  readonly #name: string;
  readonly #deps: ApiDeps;

  constructor(name: string, deps: ApiDeps) {
    this.#name = name;
    this.#deps = deps;
  }

  /** Resolves with answers of any status but those of a busy server. Rejects with `DnsError`. */
  async ask({ method, url, authorization, body, signal }: ApiAsk): Promise<ErrandAnswer> {
    const { errand, clock } = this.#deps;
    const headers = new Headers({ "user-agent": "understudy" });
    if (authorization !== undefined) headers.set("authorization", authorization);
    if (body !== undefined) headers.set("content-type", "application/json");
    const options = {
      ...{ method, headers, body: body === undefined ? undefined : JSON.stringify(body) },
      ...{ authorities: [], timeoutMs: TIMEOUT_MS, signal },
    };
    for (const pauseMs of [...PAUSES_MS, undefined]) {
      const answer = await errand(url, options).catch((error: unknown) => words(error));
      if (typeof answer !== "string" && answer.status !== 429 && answer.status < 500) return answer;

      const afterMs = typeof answer === "string"
        ? undefined
        : retryAfterMs(answer.headers, clock.now());
      const waitMs = afterMs ?? pauseMs;
      if (pauseMs === undefined || waitMs === undefined || waitMs > WAIT_MAX_MS || signal.aborted) {
        const why = typeof answer === "string" ? answer : `status ${answer.status}`;
        throw new DnsError(`${this.#name}: ${why}`, { retryAfterMs: afterMs });
      }
      await clock.sleep(waitMs, signal);
    }
    throw new DnsError(`${this.#name}: no answer`);
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
