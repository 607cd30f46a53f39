/**
 * Talks to the understudy that runs: finds where its admin listener is and what it takes to be let
 * in, and puts what goes wrong there into words. Knows the ways of the API, not what is done with it.
 */
import type { ApiError } from "../ops/status.ts";
import type { Platform } from "../platform/platform.ts";
import { AdminError, type AdminPlace, adminPlace } from "./admin_place.ts";
import { EXIT, type Flags, type Parsed } from "./command.ts";
import { eventsOf, type ServerEvent } from "./event_stream.ts";

/** Flags of every command that asks the one that runs. */
export const ADMIN_FLAGS = {
  admin: { type: "string" },
  "token-file": { type: "string", values: "file" },
  config: { type: "string", short: "c", values: "file" },
} as const satisfies Flags;

/** Their part of a help text. */
export const ADMIN_HELP =
  `      --admin URL        Where understudy's admin listener is. Without it:
                         UNDERSTUDY_ADMIN, else what "admin" says in the
                         configuration, else http://127.0.0.1:2020
      --token-file PATH  File with its token. Without it: UNDERSTUDY_TOKEN, else
                         the configuration's
  -c, --config PATH      The configuration that is meant, found as "run" does`;

/** The time that a plain answer may take, in milliseconds. A probe has its own timeout within. */
const ANSWER_LIMIT_MS = 10_000;
/** `probe` waits for a machine as long as its configuration says. */
const PROBE_LIMIT_MS = 120_000;

export class AdminClient {
  readonly place: AdminPlace;
  readonly #platform: Platform;

  constructor(place: AdminPlace, platform: Platform) {
    this.place = place;
    this.#platform = platform;
  }

  /** Rejects with `AdminError` where the token cannot be read. */
  static async find(args: Parsed, platform: Platform): Promise<AdminClient> {
    return new AdminClient(await adminPlace(args, platform), platform);
  }

  /** What a path of the API tells. Rejects with `AdminError`. */
  async get<Answer>(path: string, limitMs = ANSWER_LIMIT_MS): Promise<Answer> {
    return await this.#answer("GET", path, limitMs);
  }

  /** Has something done. Rejects with `AdminError`. */
  async post<Answer>(path: string, limitMs = PROBE_LIMIT_MS): Promise<Answer> {
    return await this.#answer("POST", path, limitMs);
  }

  /** What happens, as it happens, until the signal aborts or the other side ends. Rejects with `AdminError`. */
  async *events(path: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const response = await this.#ask("GET", path, signal);
    if (!response.ok) throw await this.#refusal(response);
    if (response.body === null) return;
    try {
      yield* eventsOf(chunksOf(response.body));
    } catch (error) {
      if (signal.aborted) return;
      throw new AdminError(`${this.place.url} broke off`, [], { cause: error });
    }
  }

  async #answer<Answer>(method: string, path: string, limitMs: number): Promise<Answer> {
    const limit = new AbortController();
    const stopTimer = this.#platform.clock.after(limitMs, () => limit.abort());
    try {
      const response = await this.#ask(method, path, limit.signal);
      if (!response.ok) throw await this.#refusal(response);
      return await jsonOf(response);
    } catch (error) {
      if (error instanceof AdminError) throw error;
      const { url } = this.place;
      const why = limit.signal.aborted ? "says nothing" : "answers as understudy would not";
      throw new AdminError(`${url} ${why}; name the admin listener with --admin URL`, [], {
        cause: error,
      });
    } finally {
      stopTimer();
    }
  }

  async #ask(method: string, path: string, signal: AbortSignal): Promise<Response> {
    const { url, token, unixPath } = this.place;
    const headers = new Headers({ accept: "application/json, text/event-stream" });
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const base = unixPath === undefined ? url : "http://localhost";
    try {
      return await this.#platform.fetch(`${base}${path}`, {
        ...{ method, headers, signal, unixPath },
        body: undefined,
        fresh: true,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      const { detail } = this.#platform.explain(error);
      throw new AdminError(
        `Nothing answers at ${url}; is understudy running, with "admin" on? --admin URL names another place`,
        detail === "" ? [] : [detail],
        { cause: error },
      );
    }
  }

  async #refusal(response: Response): Promise<AdminError> {
    const { status } = response;
    const { url, token } = this.place;
    const told: Partial<ApiError> = await jsonOf<Partial<ApiError>>(response).catch(() => ({}));
    const problems = told.problems ?? told.candidates ?? [];
    if (status === 401) {
      const why = token === undefined ? "asks for a token" : "does not take this token";
      return new AdminError(`${url} ${why}; give it by --token-file PATH or UNDERSTUDY_TOKEN`);
    }
    if (typeof told.error === "string") return new AdminError(told.error, problems);
    return new AdminError(
      `${url} answers ${status} as understudy would not; name the admin listener with --admin URL`,
    );
  }
}

/** Does what asks the one that runs, and says what goes wrong. Resolves with the exit code. */
export async function withAdmin(
  platform: Platform,
  args: Parsed,
  work: (client: AdminClient) => Promise<number>,
): Promise<number> {
  try {
    return await work(await AdminClient.find(args, platform));
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    tellError(error, platform);
    return EXIT.failed;
  }
}

export function tellError(error: AdminError, { stderr }: Pick<Platform, "stderr">): void {
  stderr.write(`${[error.message, ...error.problems.map((one) => `  ${one}`)].join("\n")}\n`);
}

/** The one place where what came is taken for what the API promises. */
async function jsonOf<Answer>(response: Response): Promise<Answer> {
  return await response.json();
}

/** Chunks of a body. Written out, as not every runtime's streams can be walked. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Breaks the connection off, where whoever listened has heard enough.
    await reader.cancel().catch(() => {});
  }
}
