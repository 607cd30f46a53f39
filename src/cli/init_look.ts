/** Looks at a machine that shall become an upstream: whether it answers, what it is, how to probe it. */
import type { Platform } from "../platform/platform.ts";

export interface Look {
  /** In words that go on from the machine's address. */
  readonly found: string;
  /** For a comment in the file; undefined where there is nothing to say. */
  readonly remark: string | undefined;
  /** Where to probe it; undefined where it did not answer. */
  readonly uri: string | undefined;
  /** Codes that shall count as a pass there. */
  readonly status: readonly string[];
}

/** Where servers tell how they are, in the order in which they are asked. */
const PLACES = ["/", "/health", "/healthz"];
const LIMIT_MS = 2000;
const BODY_MAX_CHARS = 64;

type LookPlatform = Pick<Platform, "clock" | "explain" | "fetch">;

/** Any answer below 500 shows that somebody is there. */
const ANY_STATUS = ["2xx", "3xx", "4xx"];

export async function lookAt(url: string, platform: LookPlatform): Promise<Look> {
  let first: Answer | undefined;
  for (const uri of PLACES) {
    const answer = await ask(`${url.replace(/\/+$/, "")}${uri}`, platform);
    if (answer.kind === "failed") return unreachable(answer.why);
    if (answer.text.startsWith("Ollama is running")) {
      return { found: "Ollama, and it answers", remark: "Ollama", uri, status: ["200"] };
    }
    if (answer.status >= 200 && answer.status < 300) {
      const found = `answers ${answer.status} at ${uri}`;
      return { found, remark: undefined, uri, status: ["2xx"] };
    }
    first ??= answer;
  }
  const status = first?.kind === "answered" ? first.status : 0;
  return { found: `answers ${status} at /`, remark: undefined, uri: "/", status: ANY_STATUS };
}

function unreachable(why: string): Look {
  return {
    found: `does not answer now (${why}); it may come later`,
    remark: undefined,
    uri: undefined,
    status: [],
  };
}

type Answer =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  | { readonly kind: "failed"; readonly why: string };

async function ask(url: string, platform: LookPlatform): Promise<Answer> {
  const limit = new AbortController();
  const stopTimer = platform.clock.after(LIMIT_MS, () => limit.abort());
  try {
    const response = await platform.fetch(url, {
      method: "GET",
      headers: new Headers(),
      body: undefined,
      signal: limit.signal,
      fresh: true,
      unixPath: undefined,
    });
    const text = await beginning(response);
    return { kind: "answered", status: response.status, text };
  } catch (error) {
    if (limit.signal.aborted) return { kind: "failed", why: "silence" };
    return { kind: "failed", why: WHY[platform.explain(error).code] };
  } finally {
    stopTimer();
  }
}

const WHY: Readonly<Record<ReturnType<Platform["explain"]>["code"], string>> = {
  refused: "connection refused",
  unreachable: "unreachable",
  unknown_host: "unknown host",
  dial_timeout: "silence",
  tls: "its TLS certificate is not accepted",
  closed: "connection closed",
  protocol: "it speaks no HTTP",
};

async function beginning({ body }: Response): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < BODY_MAX_CHARS) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    return text;
  } finally {
    await reader.cancel().catch(() => {});
  }
}
