/**
 * The fetch handler that any Web host can serve: a Hono app whose every request becomes an
 * exchange. The host says who the peer is through the environment of the call.
 */
import { Hono } from "hono";
import type { Exchange } from "../model.ts";
import type { ServedConnection } from "../platform/platform.ts";
import { WebExchange } from "./exchange.ts";

// Hono wants a type here, as an interface has no index signature.
// deno-lint-ignore consistent-type-definitions
export type WebHost = { Bindings: { readonly connection: ServedConnection } };

export function webApp(serve: (exchange: Exchange) => Promise<void>): Hono<WebHost> {
  const app = new Hono<WebHost>();
  app.all("*", (c) => {
    const exchange = new WebExchange(c.req.raw, c.env.connection);
    void serve(exchange);
    return exchange.response;
  });
  return app;
}
