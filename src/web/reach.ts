/**
 * What the rules of an upstream ask for that `fetch` cannot do. Such an upstream is not asked at all: a
 * certificate that goes unchecked, say, is worse than an answer that does not come.
 */
import type { Upstream } from "../rules.ts";

/** In words, what the wire engine is needed for; undefined when `fetch` will do. */
export function beyondFetch({ scheme, tls, connections }: Upstream): string | undefined {
  const { localAddress, proxyProtocol, connectionsMax, readTimeoutMs, writeTimeoutMs } =
    connections;
  const asked = scheme === "h2c"
    ? "h2c upstreams"
    : localAddress !== undefined
    ? "local_address"
    : proxyProtocol !== undefined
    ? "proxy_protocol"
    : connectionsMax !== Infinity
    ? "max_conns"
    : readTimeoutMs !== undefined || writeTimeoutMs !== undefined
    ? "read_timeout and write_timeout"
    : scheme === "https" && isOwn(tls)
    ? "tls settings of upstreams"
    : undefined;
  return asked === undefined ? undefined : `the web engine knows no ${asked}; use --engine wire`;
}

function isOwn({ name, authorities, certificate, insecure }: Upstream["tls"]): boolean {
  return name !== undefined || authorities.length > 0 || certificate !== undefined || insecure;
}
