/** The engine of our own HTTP/1.1: heads as sent, lengths kept, dialling apart from waiting. */
import type { Engine, Exchange, Listener, ListenOptions } from "../model.ts";
import type { Address } from "../rules.ts";
import type { Connection, Platform } from "../platform/platform.ts";
import { latin1Bytes } from "./bytes.ts";
import { wireTransport } from "./client.ts";
import { Deadlines } from "../deadlines.ts";
import { SERVER_LIMITS, type ServerLimits } from "./limits.ts";
import { ServerConnection, type ServerDeps } from "./server.ts";

type Net = Pick<Platform, "clock" | "listen" | "dial">;

/** Connections from clients at most. More would run the process out of descriptors, upstreams' included. */
export const CONNECTIONS_MAX = 16_384;
const FULL = latin1Bytes(
  "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);

export function wireEngine(net: Net, limits: ServerLimits = SERVER_LIMITS): Engine {
  const deadlines = new Deadlines(net.clock);
  return {
    transport: wireTransport({ clock: net.clock, dial: net.dial, deadlines }),
    listen: (address, serve, options = {}) =>
      listen(address, { ...options, serve }, { net, deadlines, limits }),
  };
}

function ignore(): void {}

interface Wishes extends ListenOptions {
  readonly serve: (exchange: Exchange) => Promise<void>;
}

async function listen(
  address: Address,
  { serve, terms, refused = ignore }: Wishes,
  { net, deadlines, limits }: { net: Net; deadlines: Deadlines; limits: ServerLimits },
): Promise<Listener> {
  const open = new Set<ServerConnection>();
  let closing = false;
  let emptied: (() => void) | undefined;
  const deps: { -readonly [Name in keyof ServerDeps]: ServerDeps[Name] } = {
    clock: net.clock,
    deadlines,
    limits,
    serve,
    refused,
    localPort: undefined,
    gone(connection) {
      open.delete(connection);
      if (open.size === 0) emptied?.();
    },
  };
  const accept = (connection: Connection): void => {
    if (open.size < CONNECTIONS_MAX) {
      const misplaced = connection.tls === undefined && terms?.().securedOnly === true;
      const accepted = new ServerConnection(connection, deps, misplaced);
      open.add(accepted);
      // One that was on its way when listening ended.
      if (closing) accepted.drain();
      return;
    }
    connection.write(FULL);
    connection.close();
  };
  const listener = await net.listen(address, accept, terms && (() => terms().door));
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
