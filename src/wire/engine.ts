/** The engine of our own HTTP/1.1 and HTTP/2: heads as sent, lengths kept, dialling apart from waiting. */
import type { Engine, Exchange, Listener, Refusal } from "../model.ts";
import type { Address } from "../rules.ts";
import type { Connection, Platform } from "../platform/platform.ts";
import { latin1Bytes } from "./bytes.ts";
import { wireTransport } from "./client.ts";
import { Deadlines } from "../deadlines.ts";
import { FirstBytes } from "./first_bytes.ts";
import type { H2Deps } from "./h2_reception.ts";
import { StreamShare } from "./h2_share.ts";
import { SERVER_LIMITS, type ServerLimits } from "./limits.ts";
import { type ClientSide, ServerConnection, type ServerDeps } from "./server.ts";

type Net = Pick<Platform, "clock" | "listen" | "dial">;

/** Connections from clients at most. More would run the process out of descriptors, upstreams' included. */
export const CONNECTIONS_MAX = 16_384;
const FULL = latin1Bytes(
  "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);

/** What a listener allows beside HTTP/1.1. */
export interface ListenRules {
  /** HTTP/2 in the clear, by clients that know before they ask; else its preface is no request. */
  readonly h2c?: boolean;
}

export interface WireEngine extends Engine {
  listen(
    address: Address,
    serve: (exchange: Exchange) => Promise<void>,
    refused?: (refusal: Refusal) => void,
    rules?: ListenRules,
  ): Promise<Listener>;
}

export function wireEngine(net: Net, limits: ServerLimits = SERVER_LIMITS): WireEngine {
  const deadlines = new Deadlines(net.clock);
  const share = new StreamShare(CONNECTIONS_MAX);
  return {
    transport: wireTransport({ clock: net.clock, dial: net.dial, deadlines }),
    listen: (address, serve, refused = ignore, { h2c = false } = {}) =>
      listen(address, { serve, refused, h2c }, { net, deadlines, limits, share }),
  };
}

function ignore(): void {}

/** What all listeners have in common. */
interface Common {
  readonly net: Net;
  readonly deadlines: Deadlines;
  readonly limits: ServerLimits;
  readonly share: StreamShare;
}

interface Serving extends Pick<ServerDeps, "serve" | "refused"> {
  readonly h2c: boolean;
}

/**
 * Decides which version of HTTP a connection speaks. Over TLS the client has chosen by ALPN, which is for
 * `H2Server` at once where it chose "h2"; in the clear its first bytes tell, where they are asked.
 */
function sideFor(connection: Connection, { h2c }: Serving, deps: H2Deps): ClientSide {
  return h2c ? new FirstBytes(connection, deps) : new ServerConnection(connection, deps);
}

async function listen(
  address: Address,
  serving: Serving,
  { net, deadlines, limits, share }: Common,
): Promise<Listener> {
  const open = new Set<ClientSide>();
  let closing = false;
  let emptied: (() => void) | undefined;
  const deps = {
    clock: net.clock,
    deadlines,
    limits,
    share,
    serve: serving.serve,
    refused: serving.refused,
    localPort: undefined as number | undefined,
    gone(side: ClientSide) {
      open.delete(side);
      if (open.size === 0) emptied?.();
    },
  };
  const listener = await net.listen(address, (connection) => {
    if (open.size < CONNECTIONS_MAX) {
      const accepted = sideFor(connection, serving, deps);
      open.add(accepted);
      // One that was on its way when listening ended.
      if (closing) accepted.drain();
      return;
    }
    connection.write(FULL);
    connection.close();
  });
  if (listener.address.kind === "tcp") deps.localPort = listener.address.port;
  return {
    address: listener.address,
    close() {
      closing = true;
      listener.close();
      for (const connection of open) connection.drain();
      if (open.size === 0) return Promise.resolve();
      return new Promise((resolve) => (emptied = resolve));
    },
    abort() {
      closing = true;
      listener.close();
      for (const { connection } of open) connection.reset();
    },
  };
}
