/**
 * Tells when the text of a file has changed. Watches its directory, as a watched file goes deaf after the
 * first atomic rename, and compares contents, as one save is many events and most events are no save.
 */
import type { Clock, Platform } from "./platform/platform.ts";

/** The part of the platform that watching takes. */
export interface WatchPlatform extends Pick<Platform, "readText" | "watchDirectory"> {
  readonly clock: Pick<Clock, "after">;
}

export interface WatchEvents {
  /** The new text, only when it differs from the last one. */
  changed(text: string): void;
  /** The file cannot be read, vanished for instance; told once until it can be read again. */
  unreadable(reason: string): void;
}

// Editors write, rename and touch within some tens of milliseconds.
const SETTLE_MS = 150;

/**
 * Watches until the returned function is called. `loaded` is the text its caller works with; without it,
 * what the file holds now is taken for that.
 */
export function watchFile(
  platform: WatchPlatform,
  path: string,
  events: WatchEvents,
  loaded?: string,
): () => void {
  let known = loaded;
  let isLost = false;
  let isStopped = false;
  let cancelTimer = (): void => {};
  // One reading at a time and in order, so that an older text never comes after a newer one.
  let reading = look(loaded === undefined);

  async function look(isFirst: boolean): Promise<void> {
    let text: string;
    try {
      text = await platform.readText(path);
    } catch (error) {
      if (isStopped || isLost) return;
      isLost = true;
      events.unreadable(error instanceof Error ? error.message : `Cannot read "${path}"`);
      return;
    }
    isLost = false;
    if (isStopped || text === known) return;
    known = text;
    if (!isFirst) events.changed(text);
  }

  const stopWatching = platform.watchDirectory(directoryOf(path), () => {
    cancelTimer();
    if (isStopped) return;
    cancelTimer = platform.clock.after(SETTLE_MS, () => {
      reading = reading.then(() => look(false));
    });
  });

  return () => {
    isStopped = true;
    cancelTimer();
    stopWatching();
  };
}

function directoryOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (end < 0) return ".";
  return path.slice(0, end) || "/";
}
