/** Reads the addresses of a site: scheme, host, port and path. Pure. */
import type { Token } from "./directive.ts";

export interface SiteAddress {
  readonly token: Token;
  readonly scheme: "http" | "https" | undefined;
  /** Empty for any. */
  readonly host: string;
  readonly port: number | undefined;
  /** Empty for all. */
  readonly path: string;
}

export type ReadAddress =
  | { readonly kind: "address"; readonly address: SiteAddress }
  | { readonly kind: "wrong"; readonly message: string };

const FORM = /^(?:(https?):\/\/)?(\[[0-9A-Fa-f:.%]+\]|[^:/[\]]*)(?::([^/]*))?(\/.*)?$/s;

export function readAddress(token: Token): ReadAddress {
  // A comma stands between addresses, mostly with a space behind it.
  const text = token.text.replace(/,$/, "");
  const wrong = (message: string): ReadAddress => ({ kind: "wrong", message });
  if (text.includes(",")) return wrong("Expected a space behind each comma between addresses");
  if (/[{}]/.test(text)) {
    return wrong(`Expected an address without placeholders; use {$NAME} for the environment`);
  }
  const unknown = /^([A-Za-z][\w+.-]*):\/\//.exec(text)?.[1];
  const found = FORM.exec(text);
  if (found === null || text === "") {
    const what = unknown === undefined ? text : `${unknown}://`;
    return wrong(`Expected a site address such as "http://example.com" but received "${what}"`);
  }

  const [, written, host = "", portText, path = ""] = found;
  const scheme = written === "http" || written === "https" ? written : undefined;
  if (portText !== undefined && !/^\d{1,5}$/.test(portText)) {
    return wrong(`Expected one port behind the colon but received "${portText}"`);
  }
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) {
    return wrong(`Expected a port from 1 to 65535 but received "${portText}"`);
  }
  if (path !== "" && path.slice(0, -1).includes("*")) {
    return wrong(`Expected "*" only at the end of the path`);
  }
  // "*" alone is every host, as none is.
  return {
    kind: "address",
    address: { token, scheme, host: host === "*" ? "" : host, port, path },
  };
}
