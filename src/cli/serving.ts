/**
 * The life of a running proxy from the operator's side: signals, reloads, the orderly end. Shared by
 * the commands that serve.
 */
import { spellAddress } from "../address.ts";
import { Proxy } from "../app.ts";
import { watchFile } from "../config/watch.ts";
import type { Account } from "../model.ts";
import type { Address, Config } from "../rules.ts";
import { Logger } from "../ops/log.ts";
import { ListenError, type Platform } from "../platform/platform.ts";
import { webEngine } from "../web/engine.ts";
import { wireEngine } from "../wire/engine.ts";
import { isCaddyfile } from "./caddyfile_source.ts";
import { EXIT, UsageError } from "./command.ts";
import { followCaddyfile } from "./follow_caddyfile.ts";
import { checkConfig, readConfig, type Source } from "./source.ts";

/** How long a log line waits for company, in milliseconds. */
const LOG_DELAY_MS = 20;

/** What carries the bytes; docs/limits.md compares them. */
export type EngineName = "web" | "wire";

/** Reads `--engine`. Throws `UsageError`. */
export function engineNamed(name: string | undefined): EngineName {
  if (name === undefined) return "wire";
  if (name === "web" || name === "wire") return name;
  throw new UsageError(`Expected --engine to be web or wire but received "${name}"`);
}

export interface Serving {
  /** The file to follow; undefined for a configuration that came from the command line. */
  readonly path: string | undefined;
  /** What it held when `config` was read from it. */
  readonly text?: string;
  /** "wire" by default. */
  readonly engine?: EngineName;
  readonly account?: (account: Account) => void;
  /** Called once all listeners are open. */
  readonly opened?: (proxy: Proxy) => void;
}

/** Serves until a signal ends it. Resolves with the exit code. */
export async function serve(config: Config, serving: Serving, platform: Platform): Promise<number> {
  const log = createLogger(config, platform);
  const proxy = await open(config, serving, { platform, log });
  if (proxy === undefined) return EXIT.failed;

  // Before anyone hears of the start and sends a signal, which would kill by default.
  const drained = untilDrained(proxy, { platform, log });
  const stopFollowing = follow(proxy, serving, { platform, log });
  const stopRelease = platform.onSignal("SIGUSR2", () => {
    proxy.board.release();
    log.info("failback.released");
  });
  const listening = proxy.addresses.map(urlOf);
  log.info("proxy.started", { listening, routes: config.routes.length, config: serving.path });
  log.flush();
  serving.opened?.(proxy);
  const code = await drained;
  stopFollowing();
  stopRelease();
  log.flush();
  return code;
}

export function createLogger(config: Config, platform: Platform): Logger {
  return new Logger(config.log, {
    now: () => platform.clock.now(),
    write: (text) => platform.stdout.write(text),
    later: (callback) => void platform.clock.after(LOG_DELAY_MS, callback),
    colours: platform.stdout.isTerminal && platform.env("NO_COLOR") === undefined,
  });
}

export function urlOf(address: Address): string {
  if (address.kind === "unix") return spellAddress(address);
  const host = address.host === "" ? "0.0.0.0" : address.host;
  return `http://${spellAddress({ ...address, host })}`;
}

interface Tools {
  readonly platform: Platform;
  readonly log: Logger;
}

async function open(
  config: Config,
  { account, engine }: Serving,
  { platform, log }: Tools,
): Promise<Proxy | undefined> {
  try {
    return await Proxy.open(config, {
      engine: engine === "web" ? webEngine(platform) : wireEngine(platform),
      log,
      clock: platform.clock,
      names: platform.names,
      random: () => platform.random(),
      hmacSha256: (key, text) => platform.hmacSha256(key, text),
      passwordMatches: (password, hash) => platform.passwordMatches(password, hash),
      compressor: (format) => platform.compressor(format),
      ...(account && { account }),
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    platform.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

/** Reloads on a change of the file and on SIGHUP or SIGUSR1, one reload at a time. */
function follow(proxy: Proxy, { path, text }: Serving, { platform, log }: Tools): () => void {
  if (path === undefined) return () => {};
  let queue = Promise.resolve();
  const reload = (read: () => Promise<Source>) => {
    queue = queue.then(async () => takeOver(proxy, await read(), log)).catch((error: unknown) => {
      log.error("bug.caught", { error: String(error) });
    });
  };

  const unreadable = (problem: string) => log.warn("config.unreadable", { problem });
  const stops = [
    isCaddyfile(path)
      ? followCaddyfile(platform, path, {
        changed: () => reload(() => readConfig(path, platform)),
        unreadable,
      }, text)
      : watchFile(platform, path, {
        changed: (now) => reload(() => checkConfig(now, path, platform)),
        unreadable,
      }, text),
    platform.onSignal("SIGHUP", () => reload(() => readConfig(path, platform))),
    platform.onSignal("SIGUSR1", () => reload(() => readConfig(path, platform))),
  ];
  return () => stops.forEach((stop) => stop());
}

async function takeOver(proxy: Proxy, source: Source, log: Logger): Promise<void> {
  if (proxy.draining) return;
  if (source.kind === "refused") {
    log.error("config.refused", { problems: source.problems });
    return;
  }
  try {
    await proxy.replace(source.config);
    log.info("config.reloaded", { routes: source.config.routes.length });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    log.error("config.refused", { problems: [error.message] });
  }
}

/** Waits for SIGTERM or SIGINT, then for running exchanges; a second signal ends it at once. */
function untilDrained(proxy: Proxy, { platform, log }: Tools): Promise<number> {
  return new Promise((resolve) => {
    let draining = false;
    const end = (code: number) => {
      for (const stop of stops) stop();
      resolve(code);
    };
    const signalled = (signal: string) => {
      if (draining) return end(EXIT.failed);
      draining = true;
      const graceMs = proxy.config?.graceMs ?? 0;
      log.info("drain.began", { signal, running: proxy.running, seconds: graceMs / 1000 });
      log.flush();
      void proxy.drain(graceMs).then((cut) => {
        log.info("drain.ended", { cut });
        end(EXIT.fine);
      });
    };
    const stops = (["SIGTERM", "SIGINT"] as const).map((name) =>
      platform.onSignal(name, () => signalled(name))
    );
  });
}
