/** A client of TLS that takes any certificate, speaks HTTP/1.1 over it by hand, and says why it got none. */
import { connect, type TLSSocket } from "node:tls";
import type { Pair } from "./certificates.ts";
import { RawClient } from "./raw_client.ts";

export interface Secure {
  readonly port: number;
  /** The name to ask for; none where it is undefined. */
  readonly name: string | undefined;
  /** What to show where a certificate is asked for. */
  readonly shows?: Pair | undefined;
}

/** A connection that came about, or not. */
export type Opened =
  | { readonly kind: "open"; readonly client: RawClient; readonly certificate: string }
  | { readonly kind: "refused" };

export function openSecure({ port, name, shows }: Secure): Promise<Opened> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      ...{ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] },
      servername: name ?? "",
      ...(shows !== undefined && { cert: shows.chain, key: shows.key }),
    });
    const client = RawClient.over(socket);
    socket.once("secureConnect", () => {
      const { subject } = socket.getPeerCertificate();
      resolve({ kind: "open", client, certificate: String(subject?.CN ?? "") });
    });
    socket.once("close", () => resolve({ kind: "refused" }));
  });
}
