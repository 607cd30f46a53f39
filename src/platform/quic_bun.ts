/// <reference types="bun" />
/**
 * HTTP/3 by `Bun.serve`, on UDP alone: what comes over TCP on the same port is somebody else's. Bun takes
 * certificates at the start and never again, and ends a stream that fails as if it were whole.
 */
import type { HttpServer, Platform } from "./platform.ts";
import { hostsOf, lacksFamily, listenError, plainIp } from "./web.ts";

type ServeQuic = NonNullable<Platform["serveQuic"]>;

export const serveQuic: ServeQuic = (address, identities, handler) => {
  if (address.kind === "unix") {
    return Promise.reject(listenError(address, new Error("no UDP there")));
  }
  const { host, port } = address;
  const at = (hostname: string): HttpServer => {
    const server = Bun.serve({
      hostname,
      port,
      http3: true,
      http1: false,
      idleTimeout: 0,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      tls: identities.flatMap(({ names, chain, key }) =>
        names.map((serverName) => ({ serverName, cert: chain, key }))
      ),
      error: () => new Response(null, { status: 500 }),
      async fetch(request, self) {
        const from = self.requestIP(request);
        return await handler(request, {
          peer: { ip: plainIp(from?.address ?? ""), port: from?.port ?? 0 },
          scheme: "https",
          // WebSockets stay on HTTP/1.1.
          upgrade: () => undefined,
        });
      },
    });
    return {
      address: { ...address, port: server.port ?? port },
      close: () => server.stop(false),
      abort: () => void server.stop(true),
    };
  };
  const [first = "", second] = hostsOf(host);
  try {
    try {
      return Promise.resolve(at(first));
    } catch (error) {
      if (second === undefined || !lacksFamily(error)) throw error;
      return Promise.resolve(at(second));
    }
  } catch (error) {
    return Promise.reject(listenError(address, error));
  }
};
