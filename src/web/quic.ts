/**
 * Exchanges over HTTP/3, which the runtime's server makes of QUIC. Its limits are those of the web engine,
 * and one of its own: it cannot show that an answer broke off, see `stalling`.
 */
import type { Engine } from "../model.ts";
import type { Platform } from "../platform/platform.ts";
import type { ConnectionTls } from "../platform/tls.ts";
import { webApp } from "./app.ts";

/** What every connection of QUIC has agreed on; the runtime tells no more of it. */
const QUIC_TLS: ConnectionTls = {
  version: "TLSv1.3",
  cipher: "",
  name: undefined,
  protocol: "h3",
  client: undefined,
  authorities: [],
};

/** Undefined where the runtime serves no HTTP/3. */
export function webQuic({ serveQuic }: Pick<Platform, "serveQuic">): Engine["quic"] {
  if (serveQuic === undefined) return undefined;
  return async (address, identities, serve) => {
    const app = webApp(serve);
    const localPort = address.kind === "tcp" ? address.port : undefined;
    const over = { proto: "HTTP/3.0", tls: QUIC_TLS, stalls: true } as const;
    return await serveQuic(
      address,
      identities,
      async (request, connection) => await app.fetch(request, { connection, localPort, over }),
    );
  };
}
