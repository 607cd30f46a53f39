/**
 * The whole proxy in this process, on real sockets and a clock that a test moves. Upstreams answer
 * with their names and can be stopped and started. Closing it checks that nothing is left behind.
 */
import assert from "node:assert/strict";
import { platform } from "#platform";
import { Proxy, type ProxyDeps } from "../../src/app.ts";
import type { Account, Engine, Phase } from "../../src/model.ts";
import type { Config } from "../../src/rules.ts";
import { Logger } from "../../src/ops/log.ts";
import { webEngine } from "../../src/web/engine.ts";
import { config, health, route, type RouteChanges, upstream } from "./fake_route.ts";
import { FakeUpstream, within } from "./fake_upstream.ts";
import { WORLD } from "./fake_world.ts";
import { ManualClock, settled } from "./manual_clock.ts";

export interface LabOptions {
  /** Names, in order of preference. */
  readonly upstreams?: readonly string[];
  readonly route?: RouteChanges;
  readonly config?: Partial<Config>;
  readonly engine?: Engine;
  /** Who else hears what the proxy tells. */
  readonly ears?: (clock: ManualClock, log: Logger) => Partial<ProxyDeps>;
}

/** Real time that a probe may keep the clock from moving on, in milliseconds. */
const PROBE_PATIENCE_MS = 500;

export class Lab implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly upstreams: ReadonlyMap<string, FakeUpstream>;
  readonly accounts: Account[] = [];
  /** What was logged, access lines included. */
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #engine: Engine;
  readonly #route: RouteChanges;
  readonly #config: Partial<Config>;
  #proxy: Proxy | undefined;
  #probing = 0;

  private constructor(upstreams: ReadonlyMap<string, FakeUpstream>, options: LabOptions) {
    this.upstreams = upstreams;
    this.clock = new ManualClock(() => this.#settle());
    this.#engine = this.#watched(options.engine ?? webEngine(platform));
    this.#route = { health: health(), ...options.route };
    this.#config = options.config ?? {};
  }

  /** Opens it, and waits for the first verdict on each upstream where they are probed. */
  static async open(options: LabOptions = {}): Promise<Lab> {
    const names = options.upstreams ?? ["main", "spare"];
    const upstreams = new Map<string, FakeUpstream>();
    for (const name of names) upstreams.set(name, await FakeUpstream.open(name));
    const lab = new Lab(upstreams, options);
    const log = new Logger({ format: "json", level: "debug" }, {
      now: () => lab.clock.now(),
      write: (text) => lab.#heard(text),
      later: (callback) => callback(),
      colours: false,
    });
    const ears = options.ears?.(lab.clock, log);
    lab.#proxy = await Proxy.open(lab.config(), {
      ...ears,
      engine: lab.#engine,
      log,
      clock: lab.clock,
      names: platform.names,
      ...WORLD,
      account: (account) => {
        lab.accounts.push(account);
        ears?.account?.(account);
        lab.#wake();
      },
    });
    if (lab.#route.health !== undefined) {
      await lab.#until(
        "first verdicts",
        () => names.every((name) => lab.phase(name) !== "unknown"),
      );
    }
    return lab;
  }

  get proxy(): Proxy {
    assert.ok(this.#proxy);
    return this.#proxy;
  }

  get port(): number {
    const [address] = this.proxy.addresses;
    return address?.kind === "tcp" ? address.port : 0;
  }

  /** The configuration it runs, with changes. */
  config(changes: Partial<Config> = {}, routeChanges: RouteChanges = {}): Config {
    const upstreams = [...this.upstreams].map(([name, { port }]) =>
      upstream(name, { address: { kind: "tcp", host: "127.0.0.1", port } })
    );
    const routes = [route({ upstreams, ...this.#route, ...routeChanges })];
    return config({ log: { format: "json", level: "debug" }, routes, ...this.#config, ...changes });
  }

  upstream(name: string): FakeUpstream {
    const found = this.upstreams.get(name);
    assert.ok(found, `No upstream "${name}"`);
    return found;
  }

  async stop(name: string): Promise<void> {
    await this.upstream(name).stop();
  }

  async start(name: string): Promise<void> {
    await this.upstream(name).start();
  }

  /** Sends a request on a connection of its own. */
  fetch(path = "/", { method = "GET", body, signal }: {
    method?: string;
    body?: string;
    signal?: AbortSignal;
  } = {}): Promise<Response> {
    return platform.fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: new Headers(),
      body: body === undefined ? undefined : new Response(body).body ?? undefined,
      signal: signal ?? new AbortController().signal,
      fresh: true,
      unixPath: undefined,
    });
  }

  /** Who answers. */
  async get(path = "/"): Promise<string> {
    return await (await this.fetch(path)).text();
  }

  phase(name: string): Phase {
    return this.proxy.board.entry(`r/${name}`)?.phase ?? "unknown";
  }

  /** Waits in real time, at most 5 s, until an upstream is in that phase. */
  until(name: string, phase: Phase): Promise<void> {
    return this.#until(`${name} to be ${phase}`, () => this.phase(name) === phase);
  }

  /** Waits until so many exchanges are accounted for. */
  async accounted(count: number): Promise<readonly Account[]> {
    await this.#until(`${count} accounts`, () => this.accounts.length >= count);
    return this.accounts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { proxy, port } = this;
    await within("the drain", proxy.drain(1_000));
    await settled();
    for (const one of this.upstreams.values()) await one.stop();

    const { signal } = new AbortController();
    const knocked = await platform.knock({ kind: "tcp", host: "127.0.0.1", port }, 1_000, signal);
    assert.equal(knocked.kind, "failed", "A listener is still open");
    assert.equal(proxy.running, 0, "Exchanges still run");
    assert.equal(this.clock.pending, 0, "Timers are still set");
    for (const name of this.upstreams.keys()) {
      assert.equal(
        proxy.board.entry(`r/${name}`)?.inFlight ?? 0,
        0,
        `${name} has requests in flight`,
      );
    }
  }

  /** The engine with its probes counted: while one runs, no time may pass that could end it. */
  #watched(engine: Engine): Engine {
    const { transport } = engine;
    return {
      listen: (address, serve) => engine.listen(address, serve),
      transport: {
        ...transport,
        send: async (attempt) => {
          if (attempt.fields.get("user-agent") !== "understudy") {
            return await transport.send(attempt);
          }
          this.#probing++;
          return await transport.send(attempt).finally(() => {
            this.#probing--;
            this.#wake();
          });
        },
      },
    };
  }

  async #settle(): Promise<void> {
    await settled();
    if (this.#probing === 0) return;
    await this.#until("probes", () => this.#probing === 0, PROBE_PATIENCE_MS).catch(() => {});
    await settled();
  }

  #heard(text: string): void {
    for (const line of text.trimEnd().split("\n")) this.lines.push(JSON.parse(line));
    this.#wake();
  }

  #wake(): void {
    for (const look of [...this.#watchers]) look();
  }

  async #until(what: string, holds: () => boolean, capMs?: number): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => holds() && resolve();
    this.#watchers.add(look);
    try {
      await within(what, promise, capMs);
    } finally {
      this.#watchers.delete(look);
    }
  }
}
