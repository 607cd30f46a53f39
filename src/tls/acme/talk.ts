/**
 * One conversation with an authority: its directory is read, the library is put on the line, and what fails
 * by chance is said again. Knows nothing of what is talked about.
 */
import type { Clock } from "../../platform/platform.ts";
import { type Client, type Library, library } from "./library.ts";
import { Line, type LineDeps, type LineOptions } from "./line.ts";
import { AcmeFailure, BAD_NONCE } from "./problem.ts";

/** Good nonces that an authority may refuse in a row; one that refuses six of ten gets here once in 4 million. */
const BAD_NONCES_MAX = 30;
/** Before what failed for the moment is tried again, in milliseconds; there is one more try than pauses. */
const PAUSES_MS: readonly number[] = [1_000, 4_000];
/** An authority that wants to be left alone for longer has ended the talk, in milliseconds. */
const WAIT_MAX_MS = 30_000;

export class Talk {
  readonly line: Line;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly acme: Library["acme"];
  /** URL that stands for the authority's directory. */
  readonly #directory: string;

  constructor(
    { acme }: Library,
    { line, directory, clock, signal }: {
      readonly line: Line;
      readonly directory: string;
      readonly clock: Clock;
      readonly signal: AbortSignal;
    },
  ) {
    this.acme = acme;
    this.line = line;
    this.clock = clock;
    this.signal = signal;
    this.#directory = directory;
  }

  /** A client of the library's for this account. */
  client(
    { key, url, binding }: {
      /** PEM. */
      readonly key: string;
      /** Undefined before there is an account. */
      readonly url?: string | undefined;
      readonly binding?: { readonly keyId: string; readonly secretKey: string } | undefined;
    },
  ): Client {
    return new this.acme.Client({
      directoryUrl: this.#directory,
      accountKey: key,
      ...(url === undefined ? {} : { accountUrl: url }),
      ...(binding && {
        externalAccountBinding: { kid: binding.keyId, hmacKey: binding.secretKey },
      }),
    });
  }

  /** Does what may be done twice, and does it again where only chance was against it. Rejects with `AcmeFailure`. */
  async ask<T>(work: () => Promise<T>): Promise<T> {
    let badNonces = 0;
    for (let pauses = 0;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof AcmeFailure)) throw failureIn(error);
        if (error.type === BAD_NONCE && badNonces++ < BAD_NONCES_MAX) continue;
        const pauseMs = error.retryAfterMs ?? PAUSES_MS[pauses];
        const again = error.passing && pauses++ < PAUSES_MS.length && !this.signal.aborted;
        if (!again || pauseMs === undefined || pauseMs > WAIT_MAX_MS) throw error;
        await this.clock.sleep(pauseMs, this.signal);
      }
    }
  }
}

/** What the library itself objects to, such as an order without an address. */
function failureIn(error: unknown): AcmeFailure {
  const words = error instanceof Error ? error.message : String(error);
  const options = { status: 200, cause: error };
  return new AcmeFailure(`its answer makes no sense (${words})`, options);
}

/** Opens a line, has `about` use it, and closes it. */
export async function talked<T>(
  deps: LineDeps,
  options: LineOptions,
  about: (talk: Talk) => Promise<T>,
): Promise<T> {
  const line = await Line.open(deps, options);
  const loaded = await library();
  const { url, close } = loaded.switchboard.open(line);
  try {
    const { signal } = options;
    return await about(new Talk(loaded, { line, directory: url, clock: deps.clock, signal }));
  } finally {
    close();
  }
}
