/**
 * WebSockets on Deno, both sides made alike. Deno's sockets know no pausing and show no pings or
 * pongs (it answers pings itself); back-pressure is looked for.
 */
import type { MessageHandlers, MessageSocket, Platform } from "./platform.ts";
import {
  bytesOf,
  closeReason,
  drained,
  heardCode,
  hearingOnce,
  isSendable,
  opening,
} from "./sockets.ts";
import { handshakeFields } from "./web.ts";

/** Upgrades a request that `Deno.serve` handed in. Undefined when it asks for no WebSocket. */
export function upgrade(
  request: Request,
  protocol: string | undefined,
  handlers: MessageHandlers,
  opened: (socket: MessageSocket) => void,
): Response | undefined {
  try {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    // The `protocol` option fails on lists that are spelt without a space after the comma.
    if (protocol !== undefined) response.headers.set("sec-websocket-protocol", protocol);
    socket.binaryType = "arraybuffer";
    listen(socket, hearingOnce(handlers));
    socket.addEventListener("open", () => opened(side(socket)), { once: true });
    return response;
  } catch {
    // Not a handshake, or the client has left.
    return undefined;
  }
}

/** Connects with the given client, whose `allowHost` lets `Host` through. */
export function socketOpener(client: () => Deno.HttpClient): Platform["openSocket"] {
  return async (url, options, handlers) => {
    const socket = new WebSocket(url, {
      headers: handshakeFields(options.headers),
      protocols: [...options.protocols],
      client: client(),
    });
    socket.binaryType = "arraybuffer";
    const heard = hearingOnce(handlers);
    listen(socket, heard);
    await opening(socket, options.signal, () => socket.close());
    return { socket: side(socket), protocol: socket.protocol };
  };
}

function listen(socket: WebSocket, heard: MessageHandlers): void {
  socket.addEventListener("message", ({ data }) => {
    heard.message(typeof data === "string" ? data : bytesOf(data));
  });
  socket.addEventListener("close", ({ code, reason }) => heard.close(heardCode(code), reason));
}

function side(socket: WebSocket): MessageSocket {
  return {
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(message as string | Uint8Array<ArrayBuffer>);
      return drained(socket);
    },
    ping: () => {},
    pong: () => {},
    close(code, reason) {
      try {
        if (code === undefined || !isSendable(code)) socket.close();
        else socket.close(code, closeReason(reason));
      } catch {
        // Towards an upstream Deno takes 1000 and 3000 to 4999 only, as a browser does. No code
        // says less than, say, 1011 would, but calling an error "normal" would say something false.
        socket.close();
      }
    },
    pause: () => {},
    resume: () => {},
  };
}
