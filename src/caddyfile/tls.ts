/** The one place that knows which sites Caddy serves with TLS, and on which port. Pure. */
import type { SiteAddress } from "./address.ts";
import type { Globals } from "./globals.ts";

/** What is spoken there; `either` is what others on that port speak, and nothing of TLS without any. */
export type Speech = "tls" | "plain" | "either";

/** Where a site is served, or why it cannot be. */
export type Served =
  | { readonly kind: "served"; readonly port: number; readonly speech: Speech }
  | { readonly kind: "refused"; readonly message: string };

/** `asksForTls`: the site has the directive `tls`. */
export function servedAt(
  { scheme, host, port }: SiteAddress,
  { httpPort, httpsPort, autoHttps }: Globals,
  asksForTls: boolean,
): Served {
  if (scheme === "http" && port === httpsPort || scheme === "https" && port === httpPort) {
    const message = `Expected a port that goes with ${scheme}:// but received ${port}`;
    return { kind: "refused", message };
  }
  const own = port ?? (scheme === "http" ? httpPort : httpsPort);
  const served = (speech: Speech): Served => ({ kind: "served", port: own, speech });
  if (scheme === "http" || own === httpPort) return served("plain");
  // A port alone is no name that anybody could get a certificate for.
  const isOfTls = scheme === "https" || host !== "" || asksForTls ||
    own === httpsPort && !autoHttps.has("off");
  return served(isOfTls ? "tls" : "either");
}

/** Whether requests in the clear are sent on to where TLS is spoken. */
export function sendsOn({ autoHttps }: Globals): boolean {
  return !autoHttps.has("off") && !autoHttps.has("disable_redirects");
}

/** The word of `auto_https` that leaves sites without certificates of their own. */
export function withoutCertificates({ autoHttps }: Globals): string | undefined {
  return (["off", "disable_certs"] as const).find((word) => autoHttps.has(word));
}
