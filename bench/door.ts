/** How the listener of a proxy is spoken to. A row has one, and so have all its proxies. */
export interface Door {
  readonly tls: boolean;
  readonly protocol: "h1" | "h2";
}

export const CLEAR: Door = { tls: false, protocol: "h1" };

export function urlOf({ tls }: Door, port: number): string {
  return `${tls ? "https" : "http"}://127.0.0.1:${port}`;
}
