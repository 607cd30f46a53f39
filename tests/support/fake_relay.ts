/**
 * The request path between a scripted transport and clients made by hand, on a clock that stands
 * still: everything of `request/` and `health/board` is real, nothing else is.
 */
import { Board } from "../../src/health/board.ts";
import { Deadlines } from "../../src/deadlines.ts";
import type { Change, Entry } from "../../src/health/entry.ts";
import type { Account, Pool } from "../../src/model.ts";
import type { Route } from "../../src/rules.ts";
import type { RunningTunnel, Snapshot } from "../../src/request/deps.ts";
import { createRelay, type Relay } from "../../src/request/handler.ts";
import { buildRouter } from "../../src/request/route.ts";
import { type Asked, FakeExchange } from "./fake_exchange.ts";
import { poolsOf } from "../../src/steps.ts";
import { FakeTransport } from "./fake_transport.ts";
import { WORLD } from "./fake_world.ts";
import { ManualClock, settled } from "./manual_clock.ts";

export interface Asking {
  readonly exchange: FakeExchange;
  /** Settles once the exchange is accounted for. */
  readonly done: Promise<Account>;
}

export class RelayBench {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();
  readonly changes: Change[] = [];
  readonly board = new Board(this.clock, (_route, _upstream, change) => this.changes.push(change));
  readonly deadlines = new Deadlines(this.clock);
  readonly tunnels = new Set<RunningTunnel>();
  readonly accounts: Account[] = [];
  readonly bugs: unknown[] = [];
  readonly live: { current: Snapshot };
  readonly relay: Relay;
  draining = false;
  pools: readonly Pool[] = [];

  constructor(...routes: Route[]) {
    this.live = {
      current: {
        router: buildRouter([]),
        trustedProxies: [],
        edge: undefined,
        pool: () => undefined,
      },
    };
    this.relay = createRelay({
      live: this.live,
      transport: this.transport,
      clock: this.clock,
      deadlines: this.deadlines,
      world: WORLD,
      newId: () => `id-${this.accounts.length + 1}`,
      tunnels: this.tunnels,
      draining: () => this.draining,
      account: (account) => void this.accounts.push(account),
      bug: (error) => void this.bugs.push(error),
    });
    this.reload(...routes);
  }

  reload(...routes: Route[]): void {
    this.pools = this.board.adopt(poolsOf(routes), new Set());
    this.live.current = {
      ...this.live.current,
      router: buildRouter(routes),
      pool: (id) => this.pools.find(({ rules }) => rules.id === id),
    };
  }

  entry(name: string): Entry {
    const entry = this.board.entry(`r/${name}`);
    if (entry === undefined) throw new Error(`No upstream "${name}"`);
    return entry;
  }

  /** Plays a probe of that upstream. */
  probed(name: string, passed: boolean, silent = !passed): void {
    const startedAt = this.clock.now();
    const reason = passed ? "answered 200" : "refused the connection";
    const entry = this.entry(name);
    entry.judge(
      { passed, silent, reason, startedAt, durationMs: 1, status: undefined },
      this.clock.elapsed(),
    );
  }

  /** Timers that would still go off when everything has ended. */
  get timersLeft(): number {
    this.deadlines.close();
    return this.clock.pending;
  }

  /** Requests in flight anywhere. */
  get inFlight(): number {
    const members = this.pools.flatMap((pool) => pool.members);
    return members.reduce((sum, { standing }) => sum + standing.inFlight, 0);
  }

  /** Sends a request in and leaves it running. */
  start(asked: Asked = {}): Asking {
    const exchange = new FakeExchange(asked);
    const done = this.relay(exchange).then(() => {
      const account = this.accounts.find((one) => one.exchange === exchange);
      if (account === undefined) throw new Error("Exchange was not accounted for");
      return account;
    });
    return { exchange, done };
  }

  /** Sends a request in and waits for its end. */
  async ask(asked: Asked = {}): Promise<{ exchange: FakeExchange; account: Account }> {
    const { exchange, done } = this.start(asked);
    await settled();
    return { exchange, account: await done };
  }
}
