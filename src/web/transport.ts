/**
 * Sends attempts by `fetch`. As `fetch` dials and waits in one breath, a request that must not be
 * repeated knocks first: what cannot be reached has certainly seen nothing of it.
 */
import { Fields } from "../fields.ts";
import type { Attempt, FailureReason, Outcome, Transport } from "../model.ts";
import type { Upstream } from "../rules.ts";
import type { FetchFailure, Platform } from "../platform/platform.ts";
import { sourceOf, streamOf } from "./bytes.ts";
import { headersOf } from "./exchange.ts";
import { beyondFetch } from "./reach.ts";
import { WebTunnel } from "./tunnel.ts";

type Net = Pick<Platform, "fetch" | "explain" | "knock" | "openSocket" | "clock">;

/** After this long without an answer a request that skipped the knock has it done beside it. */
const LATE_KNOCK_MS = 250;

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

export function webTransport(net: Net): Transport {
  return {
    // Bun and Deno drop dead connections of their pools by themselves, or retry.
    distrust: () => {},
    async reachable({ address }, { timeoutMs, signal }) {
      return (await net.knock(address, timeoutMs, signal)).kind !== "failed";
    },
    async send(attempt) {
      const detail = beyondFetch(attempt.upstream);
      if (detail !== undefined) return { kind: "failed", reason: "protocol", sent: false, detail };
      return await (attempt.upgrade === undefined ? request(attempt, net) : upgrade(attempt, net));
    },
  };
}

async function request(attempt: Attempt, net: Net): Promise<Outcome> {
  const { upstream, signal, progress, fresh } = attempt;
  if (!isFetchable(attempt.method)) return substitute(400);
  if (fresh) {
    const refusal = await knock(attempt, net);
    if (refusal !== undefined) return refusal;
  }
  progress.sent = true;
  const watch = fresh ? watchHeaders(attempt, net) : watchHeadersAndDial(attempt, net);
  try {
    const response = await net.fetch(urlOf(upstream, attempt.target), {
      method: attempt.method,
      headers: headersOf(attempt.fields),
      body: attempt.body && streamOf(attempt.body),
      signal: watch.signal,
      fresh,
      unixPath: upstream.address.kind === "unix" ? upstream.address.path : undefined,
    });
    return answered(response, attempt, watch.cut);
  } catch (error) {
    if (signal.aborted) return { kind: "abandoned" };
    return watch.gaveUp() ?? failed(net.explain(error), attempt);
  } finally {
    watch.stop();
  }
}

function answered(response: Response, { method }: Attempt, cut: () => void): Outcome {
  // An upgrade that nobody asked for, or a status that no `Response` can hand on to the client.
  if (response.status < 200 || response.status > 599) {
    cut();
    const detail = `status ${response.status}`;
    return { kind: "failed", reason: "protocol", sent: true, detail };
  }
  const fields = Fields.from(response.headers);
  const declared = response.headers.get("content-length");
  const lengthBytes = declared === null ? undefined : Number(declared);
  const body = response.body === null || method === "HEAD"
    ? undefined
    : sourceOf(response.body, lengthBytes, cut);
  const reason = response.statusText;
  return {
    kind: "answered",
    response: { status: response.status, reason, fields, body, tunnel: undefined },
  };
}

async function upgrade(attempt: Attempt, net: Net): Promise<Outcome> {
  const { upstream, signal, progress, fields } = attempt;
  const refusal = await knock(attempt, net);
  if (refusal !== undefined) return refusal;

  progress.sent = true;
  const tunnel = new WebTunnel();
  const watch = watchHeaders(attempt, net);
  try {
    const { socket, protocol } = await net.openSocket(
      urlOf(upstream, attempt.target).replace(/^http/, "ws"),
      {
        headers: socketHeaders(fields),
        protocols: protocolsOf(fields),
        signal: watch.signal,
      },
      tunnel.fromUpstream,
    );
    tunnel.attach(socket);
    const chosen = protocol === "" ? [] : [["Sec-WebSocket-Protocol", protocol] as const];
    const response = {
      status: 101,
      reason: "",
      fields: Fields.from(chosen),
      body: undefined,
      tunnel,
    };
    return { kind: "answered", response };
  } catch (error) {
    if (signal.aborted) return { kind: "abandoned" };
    const why = net.explain(error);
    if (why.code === "protocol") return substitute(502);
    return watch.gaveUp() ?? failed(why, attempt);
  } finally {
    watch.stop();
  }
}

/**
 * Stands for an answer that the runtime hides, or for a request that it would not make. Not a failure:
 * else any client could bar an upstream by asking for a WebSocket where there is none.
 */
function substitute(status: number): Outcome {
  const response = {
    status,
    reason: "",
    fields: Fields.empty(),
    body: undefined,
    tunnel: undefined,
  };
  return { kind: "answered", response };
}

async function knock(
  { upstream, dialTimeoutMs, signal }: Attempt,
  net: Net,
): Promise<Outcome | undefined> {
  const result = await net.knock(upstream.address, dialTimeoutMs, signal);
  switch (result.kind) {
    case "connected":
      return undefined;
    case "aborted":
      return { kind: "abandoned" };
    case "failed":
      return { kind: "failed", reason: result.code, sent: false, detail: result.detail };
  }
}

/** What ends a fetch besides its own errors. */
interface Watch {
  readonly signal: AbortSignal;
  /** Ends the exchange below, also after its head has come. */
  readonly cut: () => void;
  readonly gaveUp: () => Outcome | undefined;
  /** The head has come, or never will: no timer matters any more. */
  readonly stop: () => void;
}

function watchHeaders({ signal, headersTimeoutMs }: Attempt, { clock }: Net): Watch {
  const controller = new AbortController();
  const cut = () => controller.abort();
  let late = false;
  signal.addEventListener("abort", cut, { once: true });
  if (signal.aborted) cut();
  const stopTimer = headersTimeoutMs === undefined
    ? () => {}
    : clock.after(headersTimeoutMs, () => {
      late = true;
      cut();
    });
  return {
    signal: controller.signal,
    cut,
    gaveUp: () => late ? failure("headers_timeout", true) : undefined,
    stop() {
      stopTimer();
      signal.removeEventListener("abort", cut);
    },
  };
}

/** For requests that may ride on a pooled connection: bounds the dial by a knock beside them. */
function watchHeadersAndDial(attempt: Attempt, net: Net): Watch {
  const watch = watchHeaders(attempt, net);
  const { upstream, dialTimeoutMs } = attempt;
  const knocking = new AbortController();
  let refusal: Outcome | undefined;
  const stopTimer = net.clock.after(Math.min(LATE_KNOCK_MS, dialTimeoutMs), async () => {
    const restMs = Math.max(1, dialTimeoutMs - LATE_KNOCK_MS);
    const result = await net.knock(upstream.address, restMs, knocking.signal);
    if (result.kind !== "failed" || knocking.signal.aborted) return;
    // It may have ridden on a connection from better days, so nobody can say that it was not sent.
    refusal = { kind: "failed", reason: result.code, sent: true, detail: result.detail };
    watch.cut();
  });
  return {
    ...watch,
    gaveUp: () => refusal ?? watch.gaveUp(),
    stop() {
      stopTimer();
      knocking.abort();
      watch.stop();
    },
  };
}

function failed({ dialFailed, code, detail }: FetchFailure, { progress }: Attempt): Outcome {
  progress.sent = !dialFailed;
  return { kind: "failed", reason: code, sent: !dialFailed, detail };
}

function failure(reason: FailureReason, sent: boolean): Outcome {
  return { kind: "failed", reason, sent, detail: "" };
}

function urlOf({ scheme, authority, address }: Upstream, target: string): string {
  return `${scheme}://${address.kind === "unix" ? "localhost" : authority}${target}`;
}

/** Fetch makes no request with the first three, and writes the others in capitals, which is another method. */
function isFetchable(method: string): boolean {
  return !/^(?:CONNECT|TRACE|TRACK)$/i.test(method) &&
    (!/^(?:DELETE|GET|HEAD|OPTIONS|POST|PUT)$/i.test(method) || method === method.toUpperCase());
}

/** Subprotocols offered, without those that runtimes refuse to offer: no tokens, or said before. */
function protocolsOf(fields: Fields): string[] {
  const names = (fields.joined("sec-websocket-protocol") ?? "").split(",");
  return [...new Set(names.map((name) => name.trim()).filter((name) => TOKEN.test(name)))];
}

/** The handshake's own fields are made anew by the runtime's client. */
function socketHeaders(fields: Fields): Headers {
  const handshake = fields.clone();
  handshake.deleteWhere((name) => /^sec-websocket-/i.test(name));
  return headersOf(handshake);
}
