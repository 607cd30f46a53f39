/**
 * An admin listener that only pretends: the real page and policy over a status that a test sets. For
 * what a real process shows too rarely: locked doors, lost connections, refusals, odd names.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { page } from "../../src/ops/page/page.ts";
import { policyFor } from "../../src/ops/shield.ts";
import type { Events, Status, UpstreamStatus } from "../../src/ops/status.ts";

const SUMMARY_MS = 250;

export class StagedServer implements AsyncDisposable {
  status: Status;
  readonly token: string | undefined;
  /** Requests that did something, as "POST /api/…". */
  readonly acts: string[] = [];
  /** Words to refuse actions with. */
  refusal: string | undefined;
  /** PEM, as it were. */
  root: string | undefined;
  port = 0;
  readonly #listeners = new Set<ServerResponse>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(status: Status, token: string | undefined) {
    this.status = status;
    this.token = token;
  }

  static async open(status: Status, token?: string): Promise<StagedServer> {
    const server = new StagedServer(status, token);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** On its old port when it ran before. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    this.#timer = setInterval(() => this.tell("summary", this.#summary()), SUMMARY_MS);
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const listener of this.#listeners) listener.destroy();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Changes one upstream as the process would. */
  change(name: string, change: Partial<UpstreamStatus>): void {
    const routes = this.status.routes.map((route) => ({
      ...route,
      pools: route.pools.map((pool) => ({
        ...pool,
        upstreams: pool.upstreams.map((one) => one.name === name ? { ...one, ...change } : one),
      })),
    }));
    this.status = { ...this.status, routes };
  }

  tell<Name extends keyof Events>(name: Name, data: Events[Name]): void {
    for (const listener of this.#listeners) {
      listener.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    if (path === "/") {
      const html = page();
      const policy = await policyFor(html);
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.setHeader("content-security-policy", policy);
      return void response.end(html);
    }
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      return reply(response, 401, { error: "Expected a bearer token" });
    }
    if (path === "/api/status") return reply(response, 200, this.status);
    if (path === "/api/root.pem") {
      if (this.root === undefined) return reply(response, 404, { error: "Cannot find a root" });
      response.setHeader("content-type", "application/x-pem-file");
      return void response.end(this.root);
    }
    if (path === "/api/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      this.#listeners.add(response);
      return void response.on("close", () => this.#listeners.delete(response));
    }
    if (request.method !== "POST") return reply(response, 404, { error: "No such thing" });

    this.acts.push(`POST ${decodeURIComponent(path)}`);
    if (this.refusal !== undefined) return reply(response, 409, { error: this.refusal });
    const [, id = "", act = ""] = /^\/api\/upstreams\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    const known = this.status.routes.flatMap(({ pools }) => pools).flatMap(({ upstreams }) =>
      upstreams
    );
    const one = known.find((upstream) => upstream.id === decodeURIComponent(id));
    if (one === undefined) return reply(response, 404, { error: "No such upstream" });
    if (act === "drain") this.change(one.name, { drained: true, available: false });
    if (act === "undrain") this.change(one.name, { drained: false, available: true });
    reply(response, 200, { upstream: one, ...(act === "probe" && { probe: one.lastProbe }) });
  }

  #summary(): Events["summary"] {
    const pools = this.status.routes.flatMap((route) => route.pools);
    return {
      now: Date.now(),
      draining: this.status.draining,
      inFlight: this.status.inFlight,
      chosen: Object.fromEntries(
        pools.flatMap(({ id, chosen }) => chosen === undefined ? [] : [[id, chosen]]),
      ),
      upstreams: pools.flatMap(({ upstreams }) => upstreams).map((one) => ({
        ...one,
        latencyMs: one.latencyMs.at(-1),
        probeMs: one.probeMs.at(-1),
      })),
    };
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
