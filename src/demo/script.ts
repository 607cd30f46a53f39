/**
 * The demo without a viewer's hands: both up, the preferred one killed, the preferred one back.
 * Directs and times the acts; whether it went well is for the verdict to say.
 */
import type { Clock } from "../platform/platform.ts";
import type { Moments } from "./script_verdict.ts";
import type { StagedUpstream } from "./stage.ts";
import type { Answer, Beat } from "./stage_load.ts";

export interface Play {
  readonly preferred: StagedUpstream;
  readonly spare: StagedUpstream;
  readonly lists: Beat;
  readonly streams: Beat;
  /** What the client saw so far; grows. */
  readonly answers: readonly Answer[];
  /** Announces an act. */
  readonly heading: (text: string) => void;
}

/** Pace of the script's requests. */
export const SCRIPT_PACE = { listEveryMs: 250, streamEveryMs: 800 } as const;

const BOTH_UP_MS = 2500;
const KILLED_MS = 3000;
const RETURNED_MS = 2000;
/** How long the return of the traffic is waited for; without it the verdict is bad. */
const RETURN_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** Plays it. Rejects when `signal` aborts. */
export async function play(
  { preferred, spare, lists, streams, answers, heading }: Play,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Moments> {
  heading(`Both are up, so ${preferred.name} answers`);
  lists.start();
  streams.start();
  await clock.sleep(BOTH_UP_MS, signal);

  // A stream that loses its upstream halfway is cut, which no proxy can mend; so the kill falls between
  // two. The other requests, which can be asked again, go on meanwhile.
  await streams.rest();
  signal.throwIfAborted();
  heading(`${preferred.name} is killed, so ${spare.name} takes over`);
  const killedAt = clock.elapsed();
  await preferred.kill();
  streams.start();
  await clock.sleep(KILLED_MS, signal);

  heading(`${preferred.name} is started again, so the traffic returns`);
  const backAt = await preferred.start() ? clock.elapsed() : undefined;
  const limit = clock.elapsed() + RETURN_LIMIT_MS;
  const returned = () =>
    answers.some(({ by, startedAt }) => by === preferred.name && startedAt > killedAt);
  while (backAt !== undefined && !returned() && clock.elapsed() < limit) {
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  await clock.sleep(RETURNED_MS, signal);
  await Promise.all([lists.rest(), streams.rest()]);
  signal.throwIfAborted();
  return { killedAt, backAt };
}
