/**
 * Follows a Caddyfile and all that it imports. Watches the directories they are in, also for files that
 * a pattern would find, and compares what was read, as most events are no change.
 */
import { type Clock, FileError, type Platform } from "../platform/platform.ts";
import { type CaddyfilePlatform, readCaddyfile } from "./caddyfile_source.ts";

// Editors write, rename and touch within some tens of milliseconds.
const SETTLE_MS = 150;
/** Imports can name any number of directories; a watch is not free. */
const DIRECTORIES_MAX = 100;

/** The part of the platform that following takes. */
export interface FollowPlatform extends CaddyfilePlatform, Pick<Platform, "watchDirectory"> {
  readonly clock: Pick<Clock, "after">;
}

export interface CaddyfileEvents {
  changed(): void;
  /** The file itself cannot be read; told once until it can be read again. */
  unreadable(reason: string): void;
}

/** Watches until the returned function is called. `known` is the fingerprint its caller works with. */
export function followCaddyfile(
  platform: FollowPlatform,
  path: string,
  events: CaddyfileEvents,
  known: string | undefined,
): () => void {
  const watches = new Map<string, () => void>();
  let fingerprint = known;
  let isLost = false;
  let isStopped = false;
  let cancelTimer = (): void => {};
  let reading = look();

  async function look(): Promise<void> {
    try {
      const read = await readCaddyfile(path, platform);
      if (isStopped) return;
      isLost = false;
      watch(read.directories);
      const isNew = fingerprint !== undefined && fingerprint !== read.fingerprint;
      fingerprint = read.fingerprint;
      if (isNew) events.changed();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (isStopped || isLost) return;
      isLost = true;
      events.unreadable(error.message);
    }
  }

  function watch(directories: readonly string[]): void {
    for (const directory of directories.slice(0, DIRECTORIES_MAX)) {
      if (watches.has(directory)) continue;
      try {
        watches.set(directory, platform.watchDirectory(directory, stir));
      } catch (error) {
        // One that is not there yet is told of by the import that names it.
        if (!(error instanceof FileError)) throw error;
      }
    }
  }

  function stir(): void {
    cancelTimer();
    if (isStopped) return;
    cancelTimer = platform.clock.after(SETTLE_MS, () => {
      reading = reading.then(look);
    });
  }

  return () => {
    isStopped = true;
    cancelTimer();
    for (const stop of watches.values()) stop();
  };
}
