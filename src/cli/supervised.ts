/**
 * Tells systemd how we are: when the listeners are open, that we still turn, and that we end. Where
 * no service manager asked for it, nothing is told.
 */
import type { Platform } from "../platform/platform.ts";

export type SupervisedPlatform = Pick<Platform, "clock" | "env" | "tellSupervisor">;

/** Says that we serve, and goes on saying that we live. */
export function tellReady(platform: SupervisedPlatform, listening: readonly string[]): void {
  const where = listening.join(", ");
  platform.tellSupervisor(`READY=1\nSTATUS=Serving ${where}`);
  const watchdogMs = Number(platform.env("WATCHDOG_USEC") ?? 0) / 1000;
  if (watchdogMs > 0) pat(platform, watchdogMs / 2);
}

/** Until the process ends: a timer that no longer fires is what a watchdog is there to see. */
function pat(platform: SupervisedPlatform, everyMs: number): void {
  platform.clock.after(everyMs, () => {
    platform.tellSupervisor("WATCHDOG=1");
    pat(platform, everyMs);
  });
}

/** Says that no more requests are taken, while those that run end. */
export function tellStopping(platform: SupervisedPlatform, running: number): void {
  platform.tellSupervisor(`STOPPING=1\nSTATUS=Waiting for ${running} running requests`);
}
