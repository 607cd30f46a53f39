/**
 * The one place that knows which sites Caddy would serve with TLS. As there are no TLS listeners yet,
 * they are refused here, in words that help.
 */
import type { SiteAddress } from "./address.ts";
import type { Globals } from "./globals.ts";

/** The port a site is served on, or why it cannot be. */
export type Served =
  | { readonly kind: "served"; readonly port: number }
  | { readonly kind: "refused"; readonly message: string };

export function servedPort(
  { scheme, host, port, path }: SiteAddress,
  { httpPort, httpsPort, isAutoHttpsOff }: Globals,
): Served {
  const refused = (message: string): Served => ({ kind: "refused", message });
  if (scheme === "http" && port === httpsPort || scheme === "https" && port === httpPort) {
    return refused(`Expected a port that goes with ${scheme}:// but received ${port}`);
  }
  const isPlain = scheme === "http" || scheme === undefined &&
      (port === httpPort || isAutoHttpsOff || host === "" && port !== undefined);
  if (isPlain && port !== httpsPort) return { kind: "served", port: port ?? httpPort };

  const bare = host === "" ? "" : host;
  const at = port === undefined || port === httpsPort ? "" : `:${port}`;
  const nearest = `http://${bare === "" && at === "" ? `:${httpPort}` : `${bare}${at}`}${path}`;
  return refused(
    `Cannot serve this site as Caddy serves it with TLS, which listeners here do not speak yet; ` +
      `use "${nearest}"${bare === "" ? "" : ", or auto_https off for all sites"}`,
  );
}
