/**
 * What can be plugged into the operator's desk: whoever counts, whoever tells people, and the page.
 * Calls come from the request path and from probes: they return at once and never throw on purpose.
 */
import type { Account, CertificateTurn, Verdict } from "../model.ts";
import type { ConnectionTls, HandshakeFailure } from "../platform/tls.ts";
import type { Config, Route } from "../rules.ts";
import type { Status, Transition } from "./status.ts";

/** Counts what happened, and tells it in the words of Prometheus. */
export interface Metrics {
  /** The routes at work, with the upstreams that were found for them; whenever they change, before anything of them is told. */
  adopt(routes: readonly Route[]): void;
  /** Every exchange, once it has ended. On the request path. */
  account(account: Account): void;
  told(transition: Transition): void;
  /** Every probe. */
  probed(poolId: string, upstream: string, verdict: Verdict): void;
  certified(turn: CertificateTurn): void;
  /** Every handshake that succeeded, and every one that did not. */
  secured(tls: ConnectionTls): void;
  handshakeFailed(kind: HandshakeFailure): void;
  /** A configuration was taken over (true) or refused. */
  reloaded(taken: boolean): void;
  /** The exposition; what is a matter of now is taken from the status. */
  render(status: Status): string;
}

/** Tells people of transitions and certificates, in its own time. */
export interface Notifier {
  /** A configuration is in force: the first one, or another. */
  adopt(config: Config): void;
  told(transition: Transition): void;
  certified(turn: CertificateTurn): void;
}

/** In the demo alone: what can be done to the machines themselves, by `POST /api/stage/{upstream}/{act}`. */
export interface Stage {
  /** "kill", "revive"…; the page shows a button each. */
  readonly acts: readonly string[];
  /** Undefined where it is done, else why it is not. */
  play(upstream: string, act: string): Promise<string | undefined>;
}

export interface Sinks {
  readonly metrics?: Metrics;
  readonly notifier?: Notifier;
  readonly stage?: Stage;
  /** Text of the page at `/`: a whole HTML document. */
  readonly page?: () => string;
}
