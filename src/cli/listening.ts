/**
 * Listens to what the running understudy tells as it happens, until a signal ends it. One that goes
 * away is asked for again: whoever watches wants to see it come back.
 */
import type { Platform } from "../platform/platform.ts";
import type { AdminClient } from "./admin_client.ts";
import { AdminError } from "./admin_place.ts";
import type { ServerEvent } from "./event_stream.ts";

export interface Listening {
  readonly path: string;
  /** Ends it too. */
  readonly signal: AbortSignal;
  readonly heard: (event: ServerEvent) => void | Promise<void>;
  /** It is asked for again after this; told once until it answers. */
  readonly lost: (why: string) => void;
}

/** Until the next try where nothing answers, in milliseconds. */
const RETRY_MS = 1000;

export async function listen(
  { client, platform }: { readonly client: AdminClient; readonly platform: Platform },
  { path, signal, heard, lost }: Listening,
): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  const stops = (["SIGINT", "SIGTERM"] as const).map((name) => platform.onSignal(name, end));
  signal.addEventListener("abort", end);
  const stopWaking = platform.stayAwake();
  let isLost = false;
  try {
    while (!ending.signal.aborted) {
      let why = `${client.place.url} ended`;
      try {
        for await (const event of client.events(path, ending.signal)) {
          isLost = false;
          await heard(event);
        }
      } catch (error) {
        if (ending.signal.aborted) return;
        if (!(error instanceof AdminError)) throw error;
        why = error.message;
      }
      if (!isLost && !ending.signal.aborted) lost(`${why}; trying again`);
      isLost = true;
      await platform.clock.sleep(RETRY_MS, ending.signal).catch(() => {});
    }
  } finally {
    stopWaking();
    signal.removeEventListener("abort", end);
    for (const stop of stops) stop();
  }
}
