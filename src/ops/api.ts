/**
 * What the admin listener answers: the page, the API, metrics and whether we are well. A table of
 * paths over a desk that knows and does; who may ask is the guard's business.
 */
import { type Context, Hono } from "hono";
import { type Revocation, REVOCATIONS } from "../model.ts";
import type { AdminRules } from "../rules.ts";
import type { CaddyUpstream } from "./caddy_view.ts";
import { eventText, type Feed } from "./feed.ts";
import { refusal, type SameSecret } from "./guard.ts";
import { type Named, resolve } from "./naming.ts";
import { openApi } from "./openapi.ts";
import { policyFor, shield } from "./shield.ts";
import type {
  ActionResult,
  ApiError,
  CertificateResult,
  ConfigStatus,
  Status,
  Summary,
} from "./status.ts";

export const ACTIONS = ["drain", "undrain", "probe", "failback"] as const;
export type Action = typeof ACTIONS[number];

/** Why something was not done, with the status that says so. */
export interface Denied {
  readonly denied: ApiError;
  readonly status: 404 | 409 | 422 | 503;
}

/** Who knows how things stand, and does what an operator asks. */
export interface Desk {
  /** Undefined refuses everyone. */
  readonly rules: AdminRules | undefined;
  readonly version: string;
  readonly events: Feed;
  /** A line of the access log a request. */
  readonly requests: Feed;
  status(): Status;
  summary(): Summary;
  caddyUpstreams(): readonly CaddyUpstream[];
  /** Without secrets. */
  config(): unknown;
  /** PEM of the root of the authority of our own. */
  root(): Promise<string | Denied>;
  metrics(): string | undefined;
  page(): string | undefined;
  ready(): boolean;
  upstreams(): readonly Named[];
  act(upstreamId: string, action: Action): Promise<ActionResult | Denied>;
  reload(): Promise<ConfigStatus | Denied>;
  /** Has the certificate for that name issued anew, and the old one called back where a reason is given. */
  renew(name: string, reason: Revocation | undefined): Promise<CertificateResult | Denied>;
  /** What only the demo can do. */
  play(upstream: string, act: string): Promise<Denied | undefined>;
  bug(error: unknown): void;
}

export interface ApiDeps {
  readonly desk: Desk;
  readonly same: SameSecret;
}

/** Paths that anyone may ask for: what they tell is no secret. */
const OPEN = new Set(["/", "/healthz", "/readyz"]);

export type Answer = (request: Request) => Promise<Response>;

/** Makes the function that answers a request of an operator. */
export function adminApi({ desk, same }: ApiDeps): Answer {
  const app = routes(desk);
  return async (request) => {
    // Before anything reads the path: what an unfit `Host` makes of the URL is anybody's guess.
    const refused = desk.rules === undefined
      ? { status: 503 as const, error: "Cannot answer yet" }
      : refusal(askedBy(request), desk.rules, same);
    const response = refused === undefined
      ? await app.fetch(request)
      : Response.json({ error: refused.error }, { status: refused.status });
    if (response.status === 401) response.headers.set("WWW-Authenticate", "Bearer");
    shield(response.headers);
    return response;
  };
}

function askedBy({ headers, url, method }: Request) {
  const path = URL.canParse(url) ? new URL(url).pathname : "";
  return {
    isOpen: OPEN.has(path) && (method === "GET" || method === "HEAD"),
    host: headers.get("host"),
    origin: headers.get("origin"),
    site: headers.get("sec-fetch-site"),
    authorization: headers.get("authorization"),
  };
}

function routes(desk: Desk): Hono {
  const app = new Hono();
  app.get("/", (c) => withPage(c, desk.page()));
  app.get("/healthz", (c) => c.text("well\n"));
  app.get("/readyz", (c) => desk.ready() ? c.text("ready\n") : c.text("not ready\n", 503));
  app.get("/metrics", (c) => withMetrics(c, desk.metrics()));
  app.get("/reverse_proxy/upstreams", (c) => c.json(desk.caddyUpstreams()));
  app.get("/api/status", (c) => c.json(desk.status()));
  app.get("/api/config", (c) => c.json(desk.config()));
  app.get("/api/root.pem", async (c) => withRoot(c, await desk.root()));
  app.get("/api/openapi.json", (c) => c.json(openApi(desk.version)));
  app.get("/api/events", (c) => {
    return listened(c, desk.events, eventText("summary", JSON.stringify(desk.summary())));
  });
  app.get("/api/requests", (c) => listened(c, desk.requests, ": requests as they end\n\n"));
  app.post("/api/reload", async (c) => {
    const result = await desk.reload();
    return "denied" in result ? c.json(result.denied, result.status) : c.json({ config: result });
  });
  app.post("/api/upstreams/:name/:action", (c) => acted(c, desk, c.req.param()));
  app.post("/api/certificates/:name/renew", async (c) => {
    const result = await desk.renew(c.req.param("name").toLowerCase(), undefined);
    return "denied" in result ? c.json(result.denied, result.status) : c.json(result);
  });
  app.post("/api/certificates/:name/revoke", async (c) => {
    const asked = c.req.query("reason") ?? "unspecified";
    const reason = REVOCATIONS.find((one) => one === asked);
    if (reason === undefined) {
      const error = `Expected a reason of ${REVOCATIONS.join(", ")} but received "${asked}"`;
      return c.json({ error }, 422);
    }
    const result = await desk.renew(c.req.param("name").toLowerCase(), reason);
    return "denied" in result ? c.json(result.denied, result.status) : c.json(result);
  });
  app.post("/api/stage/:name/:act", async (c) => {
    const denied = await desk.play(c.req.param("name"), c.req.param("act"));
    return denied === undefined ? c.json({ done: true }) : c.json(denied.denied, denied.status);
  });

  for (const { path, method } of [...app.routes]) {
    const allow = method === "GET" ? "GET, HEAD" : method;
    app.all(path, (c) => {
      c.header("Allow", allow);
      return c.json({ error: `Expected ${allow} but received ${c.req.method}` }, 405);
    });
  }
  app.notFound((c) => c.json({ error: "Cannot find anything here; see /api/openapi.json" }, 404));
  app.onError((error, c) => {
    desk.bug(error);
    return c.json({ error: "Failed by a bug, which the log tells more of" }, 500);
  });
  return app;
}

async function withPage(c: Context, html: string | undefined): Promise<Response> {
  if (html === undefined) return c.text("understudy\n");
  return c.html(html, 200, { "Content-Security-Policy": await policyFor(html) });
}

function withMetrics(c: Context, text: string | undefined): Response {
  if (text === undefined) return c.json({ error: "Cannot tell metrics as nobody counts" }, 404);
  return c.body(text, 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
}

function withRoot(c: Context, root: string | Denied): Response {
  if (typeof root !== "string") return c.json(root.denied, root.status);
  return c.body(root, 200, {
    "Content-Type": "application/x-pem-file",
    "Content-Disposition": 'attachment; filename="understudy-root.crt"',
  });
}

function listened(c: Context, feed: Feed, first: string): Response {
  if (!feed.hasRoom) return c.json({ error: "Cannot take more readers" }, 503);
  const headers = { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" };
  // An answer without a body would leave its reader listening for ever.
  if (c.req.method === "HEAD") return c.body(null, 200, headers);
  return c.body(feed.open(first, c.req.raw.signal), 200, headers);
}

async function acted(
  c: Context,
  desk: Desk,
  { name, action }: { name: string; action: string },
): Promise<Response> {
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) return c.json({ error: `Cannot "${action}": no such action` }, 404);

  const meant = resolve(name, desk.upstreams());
  if (meant.kind === "unknown") return c.json({ error: `Cannot find an upstream "${name}"` }, 404);
  if (meant.kind === "ambiguous") {
    const { candidates } = meant;
    return c.json({ error: `Expected one upstream but several are "${name}"`, candidates }, 409);
  }
  const result = await desk.act(meant.one.id, known);
  return "denied" in result ? c.json(result.denied, result.status) : c.json(result);
}
