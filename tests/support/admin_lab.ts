/** The lab with an operator: a proxy on a clock that a test moves, and its admin listener on a real socket. */
import assert from "node:assert/strict";
import { platform } from "#platform";
import { Operator } from "../../src/operate.ts";
import type { Sinks } from "../../src/ops/sinks.ts";
import type { Events, Status } from "../../src/ops/status.ts";
import type { AdminRules, Config } from "../../src/rules.ts";
import { FakeEdge } from "./fake_edge.ts";
import { within } from "./fake_upstream.ts";
import { Lab, type LabOptions } from "./lab.ts";

export const ADMIN: AdminRules = {
  address: { kind: "tcp", host: "127.0.0.1", port: 0 },
  written: true,
  token: undefined,
  origins: [],
  slowMs: 10_000,
};

export interface AdminLabOptions extends LabOptions {
  readonly admin?: Partial<AdminRules>;
  readonly sinks?: Sinks;
  /** What a reload finds wrong. */
  readonly reload?: (lab: AdminLab) => Promise<readonly string[]>;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export class AdminLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly operator: Operator;
  /** Keeps the certificates that the configuration's `tls` asks for. */
  readonly keeping: FakeEdge;

  private constructor(lab: Lab, operator: Operator, keeping: FakeEdge) {
    this.lab = lab;
    this.operator = operator;
    this.keeping = keeping;
  }

  static async open({ admin, sinks = {}, reload, ...options }: AdminLabOptions = {}) {
    let made: Operator | undefined;
    let keeping: FakeEdge | undefined;
    const lab = await Lab.open({
      ...options,
      config: { ...options.config, admin: { ...ADMIN, ...admin } },
      ears: (clock, log) => {
        const { runtime } = platform;
        const world = {
          clock,
          runtime,
          serve: platform.serve,
          hmacSha256: platform.hmacSha256,
        };
        made = new Operator({ platform: world, log, version: "1.2.3", sinks });
        keeping = new FakeEdge(clock, log, made);
        const { account, changed, laid, probed } = made;
        return { account, changed, laid, probed, tls: keeping.edge };
      },
    });
    assert.ok(made && keeping);
    const self = new AdminLab(lab, made, keeping);
    const again = reload;
    await made.attend({
      proxy: lab.proxy,
      config: lab.config(),
      path: again && "config.yaml",
      reload: again && (() => again(self)),
    });
    return self;
  }

  get port(): number {
    const { address } = this.operator;
    return address?.kind === "tcp" ? address.port : 0;
  }

  ask(path: string, { method = "GET", headers = {}, signal }: Asking = {}): Promise<Response> {
    return platform.fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: new Headers(headers),
      body: undefined,
      signal: signal ?? new AbortController().signal,
      fresh: true,
      unixPath: undefined,
    });
  }

  /** What a path tells, as JSON. */
  async told(path: string, asking: Asking = {}) {
    const response = await within(path, this.ask(path, asking));
    return { status: response.status, body: await response.json() };
  }

  post(path: string) {
    return this.told(path, { method: "POST" });
  }

  async status(): Promise<Status> {
    return (await this.told("/api/status")).body;
  }

  /** Takes another configuration over as `serving` does. */
  async replace(config: Config): Promise<void> {
    const prepared = await this.operator.prepare(config);
    await this.lab.proxy.replace(config);
    prepared.take();
    this.operator.taken(config);
  }

  /** Listens to a stream of events. */
  async listen(path = "/api/events", headers: Asking["headers"] = {}): Promise<Listening> {
    const leaving = new AbortController();
    const response = await within(path, this.ask(path, { headers, signal: leaving.signal }));
    assert.equal(response.status, 200);
    assert.ok(response.body);
    return new Listening(response.body, leaving);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.operator.close();
    await this.lab[Symbol.asyncDispose]();
  }
}

/** Events as they come. */
export class Listening implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #leaving: AbortController;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(body: ReadableStream<Uint8Array>, leaving: AbortController) {
    this.#reader = body.getReader();
    this.#leaving = leaving;
  }

  /** The next event of that name that fits; others before it are passed over. */
  async next<Name extends keyof Events>(
    name: Name,
    fits: (data: Events[Name]) => boolean = () => true,
  ): Promise<Events[Name]> {
    while (true) {
      const event = await within(`the event ${name}`, this.#event());
      assert.ok(event, `The stream ended before ${name}`);
      if (event.name === name && fits(event.data)) return event.data;
    }
  }

  /** The next event of any name; undefined at the end. */
  async any(): Promise<{ readonly name: string; readonly data: unknown } | undefined> {
    return await within("an event", this.#event());
  }

  async #event() {
    while (true) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined && data !== undefined) return { name, data: JSON.parse(data) };
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#reader.cancel().catch(() => {});
  }
}
