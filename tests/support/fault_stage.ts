/**
 * One cell of the fault matrix as it is played: a preferred upstream and a spare, the proxy before
 * them, one kind of traffic, a fault and its end. Tells what was seen, judges nothing.
 */
import { connect, createServer, type Server } from "node:net";
import { type Fault, INTERVAL_MS, TIMEOUT_MS } from "./fault_cells.ts";
import { Faulty } from "./faulty.ts";
import { Cable, FAR, NEAR } from "./netns.ts";
import { type LogLine, subject, Understudy } from "./processes.ts";
import type { Place } from "./raw_client.ts";
import { type Kind, type Moments, type Result, Traffic } from "./verdicts.ts";

/** How long a stage goes on before, in and after the fault, in milliseconds. */
const BEFORE_MS = 400;
const FAULT_MS = 1200;
const AFTER_MS = 300;

export class Stage implements AsyncDisposable {
  unfinished = 0;
  readonly #fault: Fault;
  readonly #kind: Kind;
  readonly #stack = new AsyncDisposableStack();
  readonly #upstreams: Faulty[] = [];
  #cable: Cable | undefined;
  #port = 0;
  #proxy: Understudy | undefined;

  private constructor(fault: Fault, kind: Kind) {
    this.#fault = fault;
    this.#kind = kind;
  }

  static async open(fault: Fault, kind: Kind): Promise<Stage> {
    const stage = new Stage(fault, kind);
    try {
      await stage.#build();
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
    return stage;
  }

  /** Tags of what the upstreams took on, once for each time. */
  get taken(): string[] {
    return this.#upstreams.flatMap(({ taken }) => taken);
  }

  /** The access log's line of a tagged request. */
  async line(tag: string): Promise<LogLine> {
    if (this.#proxy === undefined) throw new Error("Stage has no proxy");
    return await this.#proxy.line((entry) => JSON.stringify(entry).includes(`"${tag}"`));
  }

  async play(): Promise<{ results: readonly Result[]; moments: Moments }> {
    using before = new Traffic(this.#port, this.#kind, "before");
    await before.pass(BEFORE_MS);
    // Who refuses is not there when requests come; what is left of it are connections in a pool.
    if (this.#fault.by === "refuse") await before.stop();
    await this.#fail();
    const faultAt = performance.now();
    await before.stop(0);

    using traffic = new Traffic(this.#port, this.#kind, "during");
    await traffic.first((result) => result.verdict === "ok" && result.answeredBy === "spare");
    await traffic.pass(Math.max(0, faultAt + FAULT_MS - performance.now()));
    await this.#recover();
    const backAt = performance.now();
    await traffic.first(({ verdict, answeredBy, startedAt }) =>
      verdict === "ok" && answeredBy === "primary" && startedAt >= backAt
    );
    await traffic.pass(AFTER_MS);
    await traffic.stop();
    await before.stop();
    this.unfinished = before.running + traffic.running;
    return { results: [...before.results, ...traffic.results], moments: { faultAt, backAt } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #build(): Promise<void> {
    const cable = this.#fault.by === "drop" ? this.#stack.use(Cable.open()) : undefined;
    this.#cable = cable;
    const far = cable === undefined ? {} : { ...cable.on("far"), host: FAR };
    const near = cable === undefined ? {} : { ...cable.on("near"), host: NEAR };
    const primary = await this.#start("primary", far);
    const spare = await this.#start("spare", near);
    const proxy = await Understudy.start(subject, this.#config(primary, spare), {
      ...cable?.on("near"),
      engine: "wire",
    });
    this.#proxy = this.#stack.use(proxy);
    this.#port = proxy.port;
    if (cable === undefined) return;
    const gate = await openGate(await cable.door("near", "127.0.0.1", proxy.port));
    this.#stack.defer(() => void gate.close());
    const address = gate.address();
    this.#port = typeof address === "object" ? address?.port ?? 0 : 0;
  }

  async #start(name: string, options: Parameters<typeof Faulty.start>[1]): Promise<Faulty> {
    const upstream = this.#stack.use(await Faulty.start(name, options));
    this.#upstreams.push(upstream);
    return upstream;
  }

  #config(primary: Faulty, spare: Faulty): string {
    const { rules, probe } = this.#fault;
    return `
listen: "127.0.0.1:0"
routes:
  - upstreams:
      - { url: "${primary.url}", name: primary }
      - { url: "${spare.url}", name: spare }
    health: { uri: /health, interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms${probe} }
    transport: { dial_timeout: 1s }
    ${rules}
`;
  }

  async #fail(): Promise<void> {
    const [primary] = this.#upstreams;
    switch (this.#fault.by) {
      case "refuse":
      case "SIGKILL":
        primary?.kill("SIGKILL");
        await primary?.exited;
        return;
      case "SIGSTOP":
        primary?.kill("SIGSTOP");
        return;
      case "drop":
        this.#cable?.drop(true);
        return;
      default:
        await primary?.turn(this.#fault.by);
    }
  }

  async #recover(): Promise<void> {
    const [primary] = this.#upstreams;
    switch (this.#fault.by) {
      case "refuse":
      case "SIGKILL":
        await this.#start("primary", { port: primary?.port ?? 0 });
        return;
      case "SIGSTOP":
        primary?.kill("SIGCONT");
        return;
      case "drop":
        this.#cable?.drop(false);
        return;
      default:
        await primary?.turn("well");
    }
  }
}

/** A port that leads to a place; WebSocket clients know no unix sockets. */
async function openGate(place: Place): Promise<Server> {
  const gate = createServer((inner) => {
    const outer = connect({ ...place, allowHalfOpen: false });
    for (const [one, other] of [[inner, outer], [outer, inner]] as const) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  return gate;
}
