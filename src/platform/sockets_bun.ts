/// <reference types="bun" />
/**
 * WebSockets on Bun, both sides made alike: pings, pongs, close codes and pausing pass. Back-pressure
 * is told by the client's side and looked for on the upstream's.
 */
import type { MessageHandlers, MessageSocket, Platform } from "./platform.ts";
import {
  bytesOf,
  closeReason,
  drained,
  heardCode,
  hearingOnce,
  isSendable,
  NO_CODE,
  opening,
  VANISHED,
} from "./sockets.ts";
import { handshakeFields } from "./web.ts";

/** What hangs on a client's socket from the upgrade on. */
export interface SocketData {
  readonly handlers: MessageHandlers;
  readonly opened: (socket: MessageSocket) => void;
  /** Sends that wait for the client to take more. */
  readonly waiting: (() => void)[];
}

export function socketData(
  handlers: MessageHandlers,
  opened: (socket: MessageSocket) => void,
): SocketData {
  return { handlers: hearingOnce(handlers), opened, waiting: [] };
}

type ClientSocket = Bun.ServerWebSocket<SocketData>;

export const socketHandlers: Bun.WebSocketHandler<SocketData> = {
  idleTimeout: 0,
  // As large as Bun takes: a proxy has no opinion on the size of a message.
  maxPayloadLength: 0xffff_ffff,
  // 0 is no limit. With one Bun drops messages silently; `send` asks callers to wait instead.
  backpressureLimit: 0,
  open(ws) {
    ws.binaryType = "uint8array";
    ws.data.opened(clientSide(ws));
  },
  message: (ws, message) =>
    ws.data.handlers.message(typeof message === "string" ? message : bytesOf(message)),
  ping: (ws, data) => ws.data.handlers.ping(bytesOf(data)),
  pong: (ws, data) => ws.data.handlers.pong(bytesOf(data)),
  drain: (ws) => release(ws),
  close(ws, code, reason) {
    release(ws);
    ws.data.handlers.close(heardCode(code), reason);
  },
};

function release(ws: ClientSocket): void {
  for (const resume of ws.data.waiting.splice(0)) resume();
}

function clientSide(ws: ClientSocket): MessageSocket {
  return {
    send(message) {
      // -1: taken, but queued behind a slow reader.
      const full = ws.send(message as string | Uint8Array<ArrayBuffer>) === -1;
      return full ? new Promise((resolve) => ws.data.waiting.push(resolve)) : undefined;
    },
    ping: (data) => void ws.ping(data as Uint8Array<ArrayBuffer>),
    pong: (data) => void ws.pong(data as Uint8Array<ArrayBuffer>),
    close(code, reason) {
      if (code === VANISHED) ws.terminate();
      else if (code !== undefined && isSendable(code)) ws.close(code, closeReason(reason));
      // Without an argument Bun says 1000; with this one the frame carries no code.
      else ws.close(NO_CODE);
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
  };
}

export const openSocket: Platform["openSocket"] = async (url, options, handlers) => {
  const init = { headers: handshakeFields(options.headers), protocols: [...options.protocols] };
  const socket = new WebSocket(url, init as unknown as string[]);
  socket.binaryType = "arraybuffer";
  const heard = hearingOnce(handlers);
  listen(socket, heard);
  await opening(socket, options.signal, () => socket.terminate());
  return { socket: upstreamSide(socket), protocol: socket.protocol };
};

function listen(socket: WebSocket, heard: MessageHandlers): void {
  socket.addEventListener("message", ({ data }) => {
    heard.message(typeof data === "string" ? data : bytesOf(data));
  });
  const onControl = (name: "ping" | "pong"): void =>
    socket.addEventListener(name, (event) => heard[name](bytesOf(Reflect.get(event, "data"))));
  onControl("ping");
  onControl("pong");
  socket.addEventListener("close", ({ code, reason }) => heard.close(heardCode(code), reason));
}

function upstreamSide(socket: WebSocket): MessageSocket {
  return {
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(message as string | Uint8Array<ArrayBuffer>);
      return drained(socket);
    },
    ping: (data) => socket.ping(data),
    pong: (data) => socket.pong(data),
    close(code, reason) {
      if (code === VANISHED) socket.terminate();
      else if (code !== undefined && isSendable(code)) socket.close(code, closeReason(reason));
      else socket.close();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}
