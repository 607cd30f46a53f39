/**
 * A handshake on one of Bun's own sockets, which began in the clear: TLS of `node:tls` costs more a
 * connection, and a listener that speaks TLS by itself cannot choose by the protocols that are offered.
 */
import { BunConnection, HANDLERS, type Socket } from "./connection_bun.ts";
import type { Connection } from "./platform.ts";
import type { ConnectionTls } from "./tls.ts";
import type { Chosen } from "./tls_accept.ts";
import { clientCertificate, judgesOf, secureOf } from "./tls_context.ts";
import { DEAF } from "./web.ts";

/** What TLS makes of a socket that has begun in the clear; the types do not tell that a server can do it, too. */
interface Upgrading {
  readonly isServer: true;
  /** Bytes that came before. */
  readonly initialData: Uint8Array;
  readonly tls: {
    readonly secureContext: unknown;
    readonly ALPNProtocols: Uint8Array | undefined;
    readonly requestCert: boolean;
    readonly rejectUnauthorized: false;
  };
  readonly socket: Bun.SocketHandler<BunConnection | undefined>;
}

/** The handshake, on the same socket. */
export function secured(plain: Connection, chosen: Chosen): Promise<Connection> {
  if (!(plain instanceof BunConnection)) throw new TypeError("Connection is of another platform");
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const [protocol] = chosen.protocols;
  const upgrading: Upgrading = {
    isServer: true,
    initialData: chosen.early,
    tls: {
      secureContext: (secureOf(chosen.context) as { context?: unknown }).context,
      ALPNProtocols: protocol === undefined ? undefined : protocolList(protocol),
      requestCert: chosen.asksClient,
      rejectUnauthorized: false,
    },
    socket: {
      ...HANDLERS,
      handshake(socket, fine, error) {
        if (!fine) return reject(error ?? new Error("handshake failed"));
        socket.data = new BunConnection(socket, DEAF, tlsOf(socket, chosen));
        resolve(socket.data);
      },
      close(socket, error) {
        if (socket.data === undefined) return reject(new Error("client left"));
        socket.data.gone(error);
      },
    },
  };
  const { socket } = plain;
  // What is left of it below TLS is told all that comes once more, encrypted. Its handlers are the
  // listener's, so that only its data can be taken from them.
  socket.data = undefined;
  socket.resume();
  const [, secure] = socket.upgradeTLS(
    upgrading as unknown as Bun.TLSUpgradeOptions<BunConnection | undefined>,
  );
  // Until the handshake is over, whoever gives it up has the plain connection alone to do so with.
  plain.socket = secure;
  return promise;
}

/** A list of one, each name behind its length (RFC 7301 section 3.1). */
function protocolList(protocol: string): Uint8Array {
  return Buffer.from(`${String.fromCharCode(protocol.length)}${protocol}`, "latin1");
}

function tlsOf(
  socket: Socket,
  { protocols: [protocol], asksClient, name, context }: Chosen,
): ConnectionTls {
  // Without a certificate of the client's there is nothing to be authorized.
  const shown = asksClient && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return {
    version: socket.getTLSVersion(),
    cipher: socket.getCipher().name,
    name,
    protocol,
    client: shown && clientCertificate(shown),
    authorities: asksClient ? judgesOf(context).authorities : [],
  };
}
