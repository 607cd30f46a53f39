/**
 * The fetch handler that any Web host can serve: a Hono app whose every request becomes an
 * exchange. The host says who the peer is through the environment of the call.
 */
import { Hono } from "hono";
import type { Exchange } from "../model.ts";
import type { ServedConnection } from "../platform/platform.ts";
import { type Over, WebExchange } from "./exchange.ts";

// Hono wants a type here, as an interface has no index signature.
// deno-lint-ignore consistent-type-definitions
export type WebHost = {
  Bindings: {
    readonly connection: ServedConnection;
    /** Port of ours that the request came in on, where the host knows it. */
    readonly localPort?: number | undefined;
    /** What it came over, if not HTTP/1.1. */
    readonly over?: Over | undefined;
  };
};

/** As the access log has it; nobody is there to see it. */
const CLIENT_LEFT = 499;

export function webApp(serve: (exchange: Exchange) => Promise<void>): Hono<WebHost> {
  const app = new Hono<WebHost>();
  app.all("*", (c) => {
    const exchange = new WebExchange(c.req.raw, c.env.connection, c.env);
    // A client that left is answered nothing, but a server that waits for an answer could never end.
    const unanswered = serve(exchange).then(() => new Response(null, { status: CLIENT_LEFT }));
    return Promise.race([exchange.response, unanswered]);
  });
  return app;
}
