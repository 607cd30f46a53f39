/**
 * Two connections joined byte for byte after an upgrade, each stopped while the other is slow.
 * Knows one thing of what passes: how a WebSocket says that it goes away.
 */
import type { Tunnel } from "../model.ts";
import type { Connection, ConnectionEvents } from "../platform/platform.ts";

/** Close frames with code 1001 (RFC 6455 section 7.4.1); a client's frames are masked, here with zeros. */
const GOING_AWAY_TO_CLIENT = new Uint8Array([0x88, 0x02, 0x03, 0xe9]);
const GOING_AWAY_TO_UPSTREAM = new Uint8Array([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

export class WireTunnel implements Tunnel {
  readonly protocol: string;
  /** Settles with the bytes sent to the client once both sides are over. */
  readonly ended: Promise<number>;
  readonly #upstream: Connection;
  /** Bytes that came from the upstream before the client's side was ready. */
  #early: Uint8Array[];
  #client: Connection | undefined;
  #sentBytes = 0;
  #over = false;
  #end: (bytes: number) => void = () => {};

  /** Takes the upstream's connection over; `early` came on it behind the head. */
  constructor(protocol: string, upstream: Connection, early: Uint8Array) {
    this.protocol = protocol;
    this.#upstream = upstream;
    this.#early = early.length > 0 ? [early] : [];
    this.ended = new Promise((resolve) => (this.#end = resolve));
    upstream.events = {
      data: (bytes) => {
        this.#early.push(bytes);
        upstream.pause();
      },
      drained: () => {},
      closed: () => this.#close(),
    };
  }

  /** Takes the client's connection over; `early` came on it behind its head. */
  join(client: Connection, early: Uint8Array | undefined): void {
    if (this.#over) {
      // What it said before it went is still worth hearing.
      for (const bytes of this.#early.splice(0)) client.write(bytes);
      return client.close();
    }
    this.#client = client;
    client.events = this.#pass(client, this.#upstream, () => {});
    this.#upstream.events = this.#pass(this.#upstream, client, (bytes) => {
      this.#sentBytes += bytes.length;
    });
    for (const bytes of this.#early.splice(0)) this.#upstream.events.data(bytes);
    if (early !== undefined) client.events.data(early);
    this.#upstream.resume();
    client.resume();
  }

  goAway(): void {
    if (this.#over) return;
    if (this.protocol === "websocket") {
      this.#upstream.write(GOING_AWAY_TO_UPSTREAM);
      this.#client?.write(GOING_AWAY_TO_CLIENT);
    }
    this.#close();
  }

  /** What one side does with what it hears: hands it to the other. */
  #pass(from: Connection, to: Connection, count: (bytes: Uint8Array) => void): ConnectionEvents {
    return {
      data(bytes) {
        count(bytes);
        if (!to.write(bytes)) from.pause();
      },
      drained: () => to.resume(),
      closed: (clean) => {
        // A vanished peer must look vanished from the other side, too.
        if (!clean && !this.#over) to.reset();
        this.#close();
      },
    };
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#upstream.close();
    this.#client?.close();
    this.#end(this.#sentBytes);
  }
}
