/**
 * Errands of this machine's own by a runtime's `fetch`: small, whole in memory, bounded in time and size,
 * and in words when they come to nothing. What the runtimes do each in their way, they hand in.
 */
import {
  type ErrandAnswer,
  ErrandError,
  type ErrandOptions,
  type FetchFailure,
  type Platform,
} from "./platform.ts";
import { clock } from "./web.ts";

const ANSWER_LIMIT_BYTES = 1024 * 1024;

/** One request by a runtime's `fetch`, read by `read` before whatever carried it is let go. */
export type Sender = (
  url: string,
  init: RequestInit,
  authorities: readonly string[],
  read: (response: Response) => Promise<ErrandAnswer>,
) => Promise<ErrandAnswer>;

const WORDS: Readonly<Record<FetchFailure["code"], string | undefined>> = {
  refused: "connection refused",
  unreachable: "no way there",
  unknown_host: "no such host",
  dial_timeout: "no answer",
  closed: "connection broke",
  // What exactly is wrong matters here.
  tls: undefined,
  protocol: undefined,
};

export function errandBy(send: Sender, explain: Platform["explain"]): Platform["errand"] {
  return async (url, options) => {
    const limit = new AbortController();
    let late = false;
    const leave = (): void => limit.abort();
    const stopTimer = clock.after(options.timeoutMs, () => {
      late = true;
      limit.abort();
    });
    if (options.signal.aborted) leave();
    options.signal.addEventListener("abort", leave, { once: true });
    try {
      return await send(url, initOf(options, limit.signal), options.authorities, whole);
    } catch (error) {
      throw new ErrandError(`Cannot reach ${originOf(url)}: ${words(error)}`, { cause: error });
    } finally {
      stopTimer();
      options.signal.removeEventListener("abort", leave);
    }

    function words(error: unknown): string {
      if (late) return `no answer in ${options.timeoutMs} ms`;
      if (options.signal.aborted) return "nobody waits any more";
      if (error instanceof TooLong) return error.message;
      const { code, detail } = explain(error);
      return WORDS[code] ?? detail;
    }
  };
}

function initOf({ method, headers, body }: ErrandOptions, signal: AbortSignal): RequestInit {
  return {
    ...{ method, headers, signal, redirect: "manual" },
    ...(body === undefined ? {} : { body }),
  };
}

/** Paths and queries of such requests hold secrets. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "an address that is none";
}

class TooLong extends Error {}

async function whole(response: Response): Promise<ErrandAnswer> {
  const { status, headers } = response;
  const decoder = new TextDecoder();
  let [text, left] = ["", ANSWER_LIMIT_BYTES];
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      left -= part.value.length;
      if (left < 0) throw new TooLong(`its answer is longer than ${ANSWER_LIMIT_BYTES} bytes`);
      text += decoder.decode(part.value, { stream: true });
    }
  } finally {
    // What is left unread would pin its connection; what was read whole has nothing to cancel.
    await reader?.cancel().catch(() => {});
  }
  return { status, headers, text: text + decoder.decode() };
}
