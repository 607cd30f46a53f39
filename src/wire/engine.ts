/** The engine of our own HTTP/1.1 and HTTP/2: heads as sent, lengths kept, dialling apart from waiting. */
import type { Engine, Exchange, Listener, ListenOptions } from "../model.ts";
import type { Address } from "../rules.ts";
import type { Connection, Platform } from "../platform/platform.ts";
import { latin1Bytes } from "./bytes.ts";
import { wireTransport } from "./client.ts";
import { Deadlines } from "../deadlines.ts";
import { FirstBytes } from "./first_bytes.ts";
import { CODE } from "./h2_frames.ts";
import { goawayFrame, settingsFrame, together } from "./h2_make.ts";
import type { H2Deps } from "./h2_reception.ts";
import { H2Server } from "./h2_server.ts";
import { StreamShare } from "./h2_share.ts";
import { SERVER_LIMITS, type ServerLimits } from "./limits.ts";
import { type ClientSide, ServerConnection } from "./server.ts";

type Net = Pick<Platform, "clock" | "listen" | "dial">;

/** Connections from clients at most. More would run the process out of descriptors, upstreams' included. */
export const CONNECTIONS_MAX = 16_384;
const FULL = latin1Bytes(
  "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);
/** A server's settings come first. No stream was looked at, so that all may be asked again elsewhere. */
const FULL_H2 = together([settingsFrame([]), goawayFrame(CODE.enhanceYourCalm, 0)]);

export function wireEngine(net: Net, limits: ServerLimits = SERVER_LIMITS): Engine {
  const deadlines = new Deadlines(net.clock);
  const share = new StreamShare(CONNECTIONS_MAX);
  return {
    transport: wireTransport({ clock: net.clock, dial: net.dial, deadlines }),
    listen: (address, serve, options = {}) =>
      listen(address, { ...options, serve }, { net, deadlines, limits, share }),
  };
}

function ignore(): void {}
function throwAgain(error: unknown): void {
  throw error;
}

interface Wishes extends ListenOptions {
  readonly serve: (exchange: Exchange) => Promise<void>;
}

/** What all listeners have in common. */
interface Common {
  readonly net: Net;
  readonly deadlines: Deadlines;
  readonly limits: ServerLimits;
  readonly share: StreamShare;
}

/**
 * Decides which version of HTTP a connection speaks. Over TLS the client has chosen by ALPN; in the clear its
 * first bytes tell, where they are asked.
 */
function sideFor(connection: Connection, terms: ListenOptions["terms"], deps: H2Deps): ClientSide {
  const { tls } = connection;
  if (tls?.protocol === "h2") return new H2Server(connection, deps);
  if (tls !== undefined) return new ServerConnection(connection, deps);
  const { securedOnly = false, h2c = false } = terms?.() ?? {};
  return h2c
    ? new FirstBytes(connection, deps, securedOnly)
    : new ServerConnection(connection, deps, securedOnly);
}

async function listen(
  address: Address,
  { serve, terms, refused = ignore, bug = throwAgain }: Wishes,
  { net, deadlines, limits, share }: Common,
): Promise<Listener> {
  const open = new Set<ClientSide>();
  let closing = false;
  let emptied: (() => void) | undefined;
  const deps: { -readonly [Name in keyof H2Deps]: H2Deps[Name] } = {
    clock: net.clock,
    deadlines,
    limits,
    share,
    serve,
    refused,
    bug,
    localPort: undefined,
    gone(side) {
      open.delete(side);
      if (open.size === 0) emptied?.();
    },
  };
  const accept = (connection: Connection): void => {
    if (open.size < CONNECTIONS_MAX) {
      const accepted = sideFor(connection, terms, deps);
      open.add(accepted);
      // One that was on its way when listening ended.
      if (closing) accepted.drain();
      return;
    }
    connection.write(connection.tls?.protocol === "h2" ? FULL_H2 : FULL);
    connection.close();
  };
  const listener = await net.listen(address, accept, terms && (() => terms().door));
  if (listener.address.kind === "tcp") deps.localPort = listener.address.port;
  return {
    address: listener.address,
    close() {
      closing = true;
      listener.close();
      for (const side of open) side.drain();
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
