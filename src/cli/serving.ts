/**
 * The life of a running proxy from the operator's side: signals, reloads, the orderly end. Shared by
 * the commands that serve.
 */
import { urlOf } from "../address.ts";
import { Proxy } from "../app.ts";
import type { Attended } from "../desk.ts";
import type { Account } from "../model.ts";
import type { Config } from "../rules.ts";
import { Operator } from "../operate.ts";
import { logBug, Logger } from "../ops/log.ts";
import { ListenError, type Platform } from "../platform/platform.ts";
import { webEngine } from "../web/engine.ts";
import { webQuic } from "../web/quic.ts";
import { wireEngine } from "../wire/engine.ts";
import { EXIT, UsageError } from "./command.ts";
import { follow, type Following } from "./following.ts";
import { edgeOf } from "./edge.ts";
import { sinksOf } from "./sinks.ts";
import { tellReady, tellStopping } from "./supervised.ts";
import { VERSION } from "./version.ts";
import { worldOf } from "./world.ts";

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

const STARTING = Promise.resolve(["Cannot reload as the process is starting"]);

/** Serves until a signal ends it. Resolves with the exit code. */
export async function serve(config: Config, serving: Serving, platform: Platform): Promise<number> {
  const log = createLogger(config, platform);
  const sinks = sinksOf(platform, log);
  const operator = new Operator({ platform, log, version: VERSION, sinks });
  const tools = { platform, log, operator };
  const proxy = await open(config, serving, tools);
  if (proxy === undefined) return EXIT.failed;

  // Before anyone hears of the start and sends a signal, which would kill by default.
  const drained = untilDrained(proxy, tools);
  let following: Following | undefined;
  const reload = serving.path === undefined ? undefined : () => following?.reload() ?? STARTING;
  if (!await attend(proxy, { ...serving, config, reload }, tools)) {
    await proxy.drain(0);
    return EXIT.failed;
  }
  following = follow(serving, { ...tools, proxy });
  // Whatever slips through, nobody else's streams end with it.
  const stopCatching = platform.onUncaught((error) => logBug(log, error));
  const stopRelease = platform.onSignal("SIGUSR2", () => {
    proxy.board.release();
    log.info("failback.released");
  });
  const listening = proxy.urls;
  const admin = operator.address && urlOf(operator.address);
  log.info("proxy.started", {
    ...{ listening, admin, routes: config.routes.length, config: serving.path },
  });
  log.flush();
  tellReady(platform, listening);
  serving.opened?.(proxy);
  const code = await drained;
  following?.stop();
  stopRelease();
  operator.close();
  stopCatching();
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

interface Tools {
  readonly platform: Platform;
  readonly log: Logger;
  readonly operator: Operator;
}

async function open(
  config: Config,
  { account, engine }: Serving,
  { platform, log, operator }: Tools,
): Promise<Proxy | undefined> {
  try {
    return await Proxy.open(config, {
      engine: engine === "web"
        ? webEngine(platform)
        : { ...wireEngine(platform), quic: webQuic(platform) },
      log,
      tls: edgeOf(platform, log, operator),
      ...worldOf(platform),
      changed: operator.changed,
      laid: operator.laid,
      probed: operator.probed,
      account: account === undefined ? operator.account : (told) => {
        operator.account(told);
        account(told);
      },
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    platform.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

/** Opens the admin listener; false where the operator's own address is taken. */
async function attend(
  proxy: Proxy,
  { path, config, reload }: Omit<Attended, "proxy">,
  { platform, operator }: Tools,
): Promise<boolean> {
  try {
    await operator.attend({ proxy, config, path, reload });
    return true;
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    platform.stderr.write(`${error.message}\n`);
    return false;
  }
}

/** Waits for SIGTERM or SIGINT, then for running exchanges; a second signal ends it at once. */
function untilDrained(proxy: Proxy, { platform, log }: Omit<Tools, "operator">): Promise<number> {
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
      tellStopping(platform, proxy.running);
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
