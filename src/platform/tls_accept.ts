/**
 * The door of a listener that speaks TLS, alike on both runtimes: reads what a client says first, has a
 * certificate chosen for it, and lets the runtime do the rest. Bounds how long and how many may stand there.
 */
import { HELLO_LIMIT_BYTES, readGreeting } from "./client_hello.ts";
import type { Connection, ConnectionEvents } from "./platform.ts";
import type { ClientHello, TlsChoice, TlsDoor } from "./tls.ts";
import { clock, messageOf } from "./web.ts";

/** From its first byte to a finished handshake, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections without a finished handshake at once. The oldest goes, so that idle ones shut nobody out. */
const ARRIVALS_MAX = 1024;

/** RFC 8446 section 6. */
const ALERT = {
  decodeError: 50,
  internalError: 80,
  unrecognizedName: 112,
  noProtocol: 120,
} as const;
/** What a client on TLS 1.3 that offers this protocol wants is a proof, not a page (RFC 8737). */
const PROOF_PROTOCOL = "acme-tls/1";

/** A handshake that may go on. */
export interface Chosen extends TlsChoice {
  /** What the client said so far, to be read once more. */
  readonly early: Uint8Array;
  /** The name it asked for. */
  readonly name: string | undefined;
}

/** Makes TLS of a connection. Settles once the handshake is over; rejects with why it failed. */
export type Upgrade = (connection: Connection, chosen: Chosen) => Promise<Connection>;

/** Makes what takes connections in the clear, and hands on those that speak TLS where there is a door. */
export function doorman(
  doorNow: () => TlsDoor | undefined,
  upgrade: Upgrade,
  accept: (connection: Connection) => void,
): (connection: Connection, localIp: string) => void {
  // In the order of their coming.
  const arrivals = new Set<Arrival>();
  return (connection, localIp) => {
    const door = doorNow();
    if (door === undefined) return accept(connection);
    if (arrivals.size >= ARRIVALS_MAX) {
      const [oldest] = arrivals;
      oldest?.giveUp("too many handshakes at once");
    }
    const arrival = new Arrival(connection, localIp, {
      door,
      upgrade,
      accept,
      gone: () => arrivals.delete(arrival),
    });
    arrivals.add(arrival);
  };
}

interface ArrivalDeps {
  readonly door: TlsDoor;
  readonly upgrade: Upgrade;
  readonly accept: (connection: Connection) => void;
  readonly gone: () => void;
}

/** One connection on its way in. */
class Arrival implements ConnectionEvents {
  readonly #connection: Connection;
  readonly #localIp: string;
  readonly #deps: ArrivalDeps;
  readonly #stopTimer: () => void;
  #bytes: Uint8Array = new Uint8Array(0);
  /** reading: its hello is on its way · chosen: the rest is the runtime's · over */
  #state: "reading" | "chosen" | "over" = "reading";

  constructor(connection: Connection, localIp: string, deps: ArrivalDeps) {
    this.#connection = connection;
    this.#localIp = localIp;
    this.#deps = deps;
    this.#stopTimer = clock.after(
      HANDSHAKE_TIMEOUT_MS,
      () => this.giveUp("handshake took too long"),
    );
    connection.events = this;
  }

  data(bytes: Uint8Array): void {
    this.#keep(bytes);
    if (this.#state !== "reading") return;
    const greeting = readGreeting(this.#bytes);
    switch (greeting.kind) {
      case "more":
        return;
      case "plain":
        return this.#handOn();
      case "broken":
        return this.#refuse(ALERT.decodeError, "no hello of TLS");
      case "hello":
        this.#state = "chosen";
        this.#connection.pause();
        void this.#answer(greeting.hello);
    }
  }

  drained(): void {}

  closed(): void {
    if (this.#end()) this.#deps.door.failed(this.#connection.peer, "client left");
  }

  giveUp(reason: string): void {
    if (!this.#end()) return;
    this.#deps.door.failed(this.#connection.peer, reason);
    this.#connection.reset();
  }

  async #answer(hello: ClientHello): Promise<void> {
    const { door, upgrade, accept } = this.#deps;
    try {
      const choice = await door.choose(hello, this.#localIp);
      if (this.#state === "over") return;
      if (choice === undefined) {
        const asked = hello.name === undefined ? "no name" : `"${hello.name}"`;
        return this.#refuse(ALERT.unrecognizedName, `no certificate for ${asked}`);
      }
      const agreed = agreedProtocols(hello, choice);
      if (agreed === undefined) {
        return this.#refuse(ALERT.noProtocol, "none of the client's protocols is spoken here");
      }
      const secure = await upgrade(this.#connection, {
        ...{ ...choice, protocols: agreed },
        early: this.#bytes,
        name: hello.name,
      });
      if (!this.#end()) return secure.reset();
      if (secure.tls?.protocol === PROOF_PROTOCOL) return secure.close();
      accept(secure);
    } catch (error) {
      this.giveUp(messageOf(error));
    }
  }

  /** In the clear: whoever takes it on reads what came first. */
  #handOn(): void {
    if (!this.#end()) return;
    this.#deps.accept(this.#connection);
    this.#connection.events.data(this.#bytes);
  }

  #refuse(alert: number, reason: string): void {
    if (!this.#end()) return;
    this.#deps.door.failed(this.#connection.peer, reason);
    this.#connection.resume();
    this.#connection.write(new Uint8Array([21, 3, 3, 0, 2, 2, alert]));
    this.#connection.close();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#bytes.length > HELLO_LIMIT_BYTES) return;
    const kept = new Uint8Array(this.#bytes.length + bytes.length);
    kept.set(this.#bytes);
    kept.set(bytes, this.#bytes.length);
    this.#bytes = kept;
  }

  /** Says whether this was its end. */
  #end(): boolean {
    if (this.#state === "over") return false;
    this.#state = "over";
    this.#stopTimer();
    this.#deps.gone();
    return true;
  }
}

/** The one protocol to agree on; none where the client offers none; undefined where there is no common one. */
function agreedProtocols(
  { protocols: offered }: ClientHello,
  { protocols }: TlsChoice,
): readonly string[] | undefined {
  if (offered.length === 0) return [];
  const agreed = protocols.find((protocol) => offered.includes(protocol));
  return agreed === undefined ? undefined : [agreed];
}
