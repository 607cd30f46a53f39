/**
 * A client of HTTP/2 over TLS that says frames by hand and reads what comes, or does not: for what no decent client
 * does.
 */
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { FRAME, type Frame, FrameReader, uint } from "../../src/wire/h2_frames.ts";
import { frame, headerFrames, PREFACE, settingsFrame } from "../../src/wire/h2_make.ts";
import type { Packed } from "../../src/wire/h2_hpack.ts";
import { pack } from "../../src/wire/h2_pack.ts";

type Settings = readonly (readonly [id: number, value: number])[];

export class RawH2 implements Disposable {
  readonly #socket: TLSSocket;
  readonly #reader = new FrameReader();
  readonly #watchers = new Set<() => void>();
  /** Code of the farewell. */
  goaway: number | undefined;
  closed = false;
  /** Codes of streams that were reset. */
  readonly resets = new Map<number, number>();
  /** Streams that came to a clean end. */
  readonly ended = new Set<number>();
  /** Bytes of DATA by stream. */
  readonly received = new Map<number, number>();
  /** Frames of each type. */
  readonly counts = new Map<number, number>();

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("data", (bytes: Uint8Array) => {
      this.#reader.take(bytes);
      for (let one = this.#reader.next(); one; one = this.#reader.next()) this.#take(one);
      this.#wake();
    });
    // It is reset while it still writes.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Greets with these settings. Rejects where HTTP/2 is not agreed on. */
  static async open(port: number, ca: string, settings: Settings = []): Promise<RawH2> {
    const options = { host: "127.0.0.1", servername: "a.example", ALPNProtocols: ["h2"] };
    const socket = connect({ ...options, port, ca });
    await once(socket, "secureConnect");
    if (socket.alpnProtocol !== "h2") throw new Error(`Agreed on ${String(socket.alpnProtocol)}`);
    const peer = new RawH2(socket);
    peer.says(PREFACE, settingsFrame(settings));
    return peer;
  }

  says(...parts: readonly Uint8Array[]): this {
    if (!this.closed) this.#socket.write(Buffer.concat(parts));
    return this;
  }

  asks(stream: number, what: string): this {
    return this.says(headerFrames(stream, pack(asking(what)), true));
  }

  /** As `says`, and waits until the system has taken it or the connection is over. */
  async pours(bytes: Uint8Array): Promise<void> {
    if (this.closed || this.#socket.write(bytes)) return;
    let stop = () => {};
    await Promise.race([
      this.until(() => this.closed || this.goaway !== undefined, Infinity),
      new Promise<void>((resolve) => {
        stop = resolve;
        this.#socket.once("drain", resolve);
      }),
    ]);
    this.#socket.off("drain", stop);
  }

  /** Reads no more, so that its windows in the system fill up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Settles once `holds`, asked whenever something comes. */
  async until(holds: () => boolean, capMs = 10_000): Promise<void> {
    if (holds()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => holds() && resolve();
    this.#watchers.add(look);
    const timer = capMs === Infinity
      ? undefined
      : setTimeout(() => reject(new Error(`${capMs} ms passed: ${String(holds)}`)), capMs);
    await promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(look);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take({ type, flags, stream, payload }: Frame): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    if (type === FRAME.goaway) this.goaway = uint(payload, 4, 4);
    else if (type === FRAME.rst) this.resets.set(stream, uint(payload, 0, 4));
    else if (type === FRAME.data) {
      this.received.set(stream, (this.received.get(stream) ?? 0) + payload.length);
    }
    if ((type === FRAME.data || type === FRAME.headers) && (flags & 1) !== 0) {
      this.ended.add(stream);
    }
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }
}

/** The fields of a request; what is asked for begins with its host where that is another than `a.example`. */
export function asking(what: string, ...more: readonly Packed[]): Packed[] {
  const [, host = "", path = ""] = /^([^/]*)(.*)$/.exec(what) ?? [];
  const pseudo: Packed[] = [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", host || "a.example"],
    [":path", path],
  ];
  return [...pseudo, ...more];
}

/** The head of a request whose body is to come. */
export function posting(stream: number, what: string): Uint8Array {
  const [, ...rest] = asking(what);
  return headerFrames(stream, pack([[":method", "POST"], ...rest]), false);
}

export const ping = frame(FRAME.ping, 0, 0, new Uint8Array(8));
