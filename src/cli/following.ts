/**
 * Follows the configuration file of a proxy that runs: what it says next is taken over whole, and a
 * mistake in it changes nothing.
 */
import type { Proxy } from "../app.ts";
import { watchFile } from "../watch.ts";
import type { Operator } from "../operate.ts";
import { logBug, type Logger } from "../ops/log.ts";
import { ListenError, type Platform } from "../platform/platform.ts";
import { isCaddyfile } from "./caddyfile_source.ts";
import { followCaddyfile } from "./follow_caddyfile.ts";
import { checkConfig, readConfig, type Source } from "./source.ts";

export interface Followed {
  /** Undefined for a configuration that came from the command line. */
  readonly path: string | undefined;
  /** What it held when it was read. */
  readonly text?: string;
}

export interface FollowTools {
  readonly proxy: Proxy;
  readonly platform: Platform;
  readonly log: Logger;
  readonly operator: Operator;
}

export interface Following {
  readonly stop: () => void;
  /** Reads the file again; settles with what is wrong with it. */
  readonly reload: () => Promise<readonly string[]>;
}

/** Reloads on a change of the file, on SIGHUP or SIGUSR1, or when told to; one reload at a time. */
export function follow({ path, text }: Followed, tools: FollowTools): Following | undefined {
  if (path === undefined) return undefined;
  const { platform, log } = tools;
  let queue: Promise<readonly string[]> = Promise.resolve([]);
  const reload = (read: () => Promise<Source>): Promise<readonly string[]> => {
    queue = queue.then(async () => takeOver(await read(), tools)).catch((error: unknown) => {
      logBug(log, error);
      return ["Failed by a bug, which the log tells more of"];
    });
    return queue;
  };
  const again = () => reload(() => readConfig(path, platform));

  const unreadable = (problem: string) => log.warn("config.unreadable", { problem });
  const stops = [
    isCaddyfile(path)
      ? followCaddyfile(platform, path, {
        changed: () => void again(),
        unreadable,
      }, text)
      : watchFile(platform, path, {
        changed: (now) => void reload(() => checkConfig(now, path, platform)),
        unreadable,
      }, text),
    platform.onSignal("SIGHUP", () => void again()),
    platform.onSignal("SIGUSR1", () => void again()),
  ];
  return { reload: again, stop: () => stops.forEach((stop) => stop()) };
}

/** Tells what is wrong with it; nothing where it is in force now. */
async function takeOver(
  source: Source,
  { proxy, log, operator }: FollowTools,
): Promise<readonly string[]> {
  if (proxy.draining) return ["Cannot take a configuration over as the process is ending"];
  const refuse = (problems: readonly string[]) => {
    log.error("config.refused", { problems });
    operator.refused(problems);
    return problems;
  };
  if (source.kind === "refused") return refuse(source.problems);

  const { config } = source;
  try {
    const admin = await operator.prepare(config);
    await proxy.replace(config).catch((error: unknown) => {
      admin.giveUp();
      throw error;
    });
    admin.take();
    operator.taken(config);
    log.info("config.reloaded", { routes: config.routes.length });
    return [];
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return refuse([error.message]);
  }
}
