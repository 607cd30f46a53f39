/**
 * What WebSockets need on both runtimes and both sides: close codes that may be sent, a wait for
 * a socket to drain where the runtime tells nothing, and handlers that hear of the end once.
 */
import type { EndSignal } from "../end.ts";
import { clearInterval, setInterval } from "node:timers";
import type { MessageHandlers } from "./platform.ts";

/** Bytes on their way to a slow peer above which `send` asks its caller to wait. */
const BUFFERED_LIMIT_BYTES = 1024 * 1024;
const DRAIN_POLL_MS = 5;

/** Codes that stand for the lack of a close frame or of a code in it; never sent (RFC 6455 section 7.4.1). */
export const NO_CODE = 1005;
export const VANISHED = 1006;

/** Whether a close frame may carry the code. */
export function isSendable(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== NO_CODE && code !== VANISHED;
}

/** A close frame has room for 123 bytes of reason; a longer one makes `close` throw. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= 123) return reason;
  // Cut in the middle of a character, the decoder puts U+FFFD (three bytes) at the end: leave it out.
  return new TextDecoder().decode(bytes.subarray(0, 123)).replace(/\ufffd+$/, "");
}

/** Code as the port spells it: undefined when the peer gave none. Deno says 0 where others say 1006. */
export function heardCode(code: number): number | undefined {
  if (code === NO_CODE) return undefined;
  return code === 0 ? VANISHED : code;
}

/** The same handlers, deaf after the first close. */
export function hearingOnce(handlers: MessageHandlers): MessageHandlers {
  let closed = false;
  return {
    message: (message) => closed ? undefined : handlers.message(message),
    ping: (data) => closed ? undefined : handlers.ping(data),
    pong: (data) => closed ? undefined : handlers.pong(data),
    close(code, reason) {
      if (closed) return;
      closed = true;
      handlers.close(code, reason);
    },
  };
}

/** A `WebSocket` tells how much it holds back but not when that shrinks: looks again and again. */
export function drained(socket: WebSocket): Promise<void> | undefined {
  if (socket.bufferedAmount <= BUFFERED_LIMIT_BYTES) return undefined;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const open = socket.readyState === WebSocket.OPEN;
      if (open && socket.bufferedAmount > BUFFERED_LIMIT_BYTES) return;
      clearInterval(timer);
      resolve();
    }, DRAIN_POLL_MS);
    timer.unref();
  });
}

/** Bytes of a binary message; empty for anything else. */
export function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0);
}

/** Settles when the socket is open; rejects when it is refused or the signal aborts. */
export function opening(socket: WebSocket, signal: EndSignal, giveUp: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = (): void =>
      settle(() => {
        giveUp();
        reject(new Error("gave up"));
      });
    if (signal.aborted) return onAbort();

    signal.addEventListener("abort", onAbort, { once: true });
    socket.addEventListener("open", () => settle(resolve), { once: true });
    socket.addEventListener("error", (event) => settle(() => reject(errorOf(event))), {
      once: true,
    });
    socket.addEventListener("close", () => settle(() => reject(new Error("socket closed"))), {
      once: true,
    });
  });
}

function errorOf(event: Event): unknown {
  const error: unknown = Reflect.get(event, "error");
  return error ?? new Error(String(Reflect.get(event, "message") ?? "handshake failed"));
}
