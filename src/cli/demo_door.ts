/**
 * The demo's proxy, with its admin listener where someone is there to look: opened by the same means
 * as a file's, so that the demo shows nothing which a file could not have.
 */
import { stringify } from "yaml";
import { urlOf } from "../address.ts";
import { Proxy, type ProxyDeps } from "../app.ts";
import type { StagedUpstream } from "../demo/stage.ts";
import { ACTS, playAct } from "../demo/stage_acts.ts";
import { Operator } from "../operate.ts";
import { ListenError, type Platform } from "../platform/platform.ts";
import type { Config } from "../rules.ts";
import { wireEngine } from "../wire/engine.ts";
import { createLogger } from "./serving.ts";
import { sinksOf } from "./sinks.ts";
import { checkConfig } from "./source.ts";
import { VERSION } from "./version.ts";
import { worldOf } from "./world.ts";

export interface Cast {
  readonly platform: Platform;
  /** In order of preference. */
  readonly upstreams: readonly StagedUpstream[];
  /** With the page. */
  readonly watched: boolean;
  readonly account: NonNullable<ProxyDeps["account"]>;
  readonly changed: NonNullable<ProxyDeps["changed"]>;
}

export interface Door {
  readonly url: string;
  /** Where the page is, when it is. */
  readonly pageUrl: string | undefined;
  close(): Promise<void>;
}

/** Where the demo listens when that is free and nobody asks for another port. */
const USUAL_PORT = 8080;
const USUAL_ADMIN = "127.0.0.1:2020";

/** Rejects with `ListenError`. */
export async function openDoor(cast: Cast, port: number | undefined): Promise<Door> {
  if (port !== undefined) return await openAt(port, cast);
  try {
    return await openAt(USUAL_PORT, cast);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return await openAt(0, cast);
  }
}

async function openAt(port: number, cast: Cast): Promise<Door> {
  const { platform, upstreams, watched } = cast;
  const config = await configured(port, cast);
  const log = createLogger(config, platform);
  const stage = {
    acts: ACTS,
    play: (name: string, act: string) => playAct(upstreams, name, act),
  };
  const sinks = { ...sinksOf(platform, log), stage };
  const operator = new Operator({ platform, log, version: VERSION, sinks });
  const proxy = await Proxy.open(config, {
    engine: wireEngine(platform),
    log,
    ...worldOf(platform),
    account: (account) => {
      operator.account(account);
      cast.account(account);
    },
    changed: (upstream, change, poolId) => {
      operator.changed(upstream, change, poolId);
      cast.changed(upstream, change, poolId);
    },
    laid: operator.laid,
    probed: operator.probed,
  });
  const close = async () => {
    operator.close();
    await proxy.drain(0);
  };
  try {
    if (watched) await attend(operator, proxy, config);
  } catch (error) {
    await close();
    throw error;
  }

  const [address] = proxy.addresses;
  const url = address === undefined ? "" : urlOf(address);
  return { url, pageUrl: operator.address && urlOf(operator.address), close };
}

/** On any free port when the usual one is taken, by an understudy in earnest perhaps. */
async function attend(operator: Operator, proxy: Proxy, config: Config): Promise<void> {
  const attended = { proxy, config, path: undefined, reload: undefined };
  try {
    await operator.attend(attended);
  } catch (error) {
    const { admin } = config;
    if (!(error instanceof ListenError) || admin?.address.kind !== "tcp") throw error;
    const address = { ...admin.address, port: 0 };
    await operator.attend({ ...attended, config: { ...config, admin: { ...admin, address } } });
  }
}

async function configured(port: number, { platform, upstreams, watched }: Cast): Promise<Config> {
  const text = stringify({
    listen: `127.0.0.1:${port}`,
    admin: watched ? USUAL_ADMIN : "off",
    log: { format: "off" },
    routes: [{
      upstreams: upstreams.map(({ name, url }) => ({ name, url })),
      // Quicker than in earnest, so that a viewer need not wait.
      health: { uri: "/", interval: "500ms", timeout: "300ms" },
      passive: { fail_duration: "30s" },
      retry: { for: "5s" },
    }],
  });
  const source = await checkConfig(text, "(demo)", platform);
  if (source.kind === "refused") throw new Error(source.problems.join("\n"));
  return source.config;
}
