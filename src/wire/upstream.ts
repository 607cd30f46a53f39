/**
 * One connection to an upstream and the request on it. From the first byte it writes the request
 * counts as sent; what comes back is read strictly, and what breaks is told as broken.
 * Longer than usual, as the states of one connection are best read on one page.
 */
import type { EndHearer } from "../end.ts";
import type { Attempt, FailureReason, Outcome, UpstreamResponse } from "../model.ts";
import type { Clock, Connection, ConnectionEvents } from "../platform/platform.ts";
import { BODY_LIMITS } from "./body.ts";
import { bodyDecoder, responseFraming } from "./framing.ts";
import { type Heads, type ResponseHead, responseHeads } from "./head.ts";
import { Inflow, type InflowEvents } from "./inflow.ts";
import { declareLength, Outflow, type Sent } from "./outflow.ts";
import { type Kept, type Pool, promised } from "./pool.ts";
import { WireTunnel } from "./tunnel.ts";
import { restOf } from "./bytes.ts";
import { WRITER } from "./writer.ts";

/** Interim answers passed on for one request at most; more is an upstream that never comes to the point. */
const INTERIMS_MAX = 32;
const ONCE = { once: true };
const ABANDONED: Outcome = { kind: "abandoned" };

type Resolve = (outcome: Outcome | Promise<Outcome>) => void;

export class UpstreamConnection implements ConnectionEvents, EndHearer, InflowEvents, Kept {
  usedAt = 0;
  promisedMs: number | undefined;
  dedicated = false;
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #heads: Heads<ResponseHead>;
  #connection: Connection | undefined;
  #outflow: Outflow | undefined;
  /** The request whose head is waited for, and who is told of it. */
  #attempt: Attempt | undefined;
  #resolve: Resolve | undefined;
  #stopTimer: (() => void) | undefined;
  /** It has carried a request before, so it may be dead without a sign. */
  #used = false;
  /** Not a byte has come since the request was sent. */
  #silent = true;
  #inflow: Inflow | undefined;
  #interims = 0;
  #requestSent = true;
  #responseCame = true;
  #reusable = true;
  #over = false;

  constructor(pool: Pool, { clock }: { clock: Clock }) {
    this.#pool = pool;
    this.#clock = clock;
    this.#heads = responseHeads(pool.headLimits);
  }

  /** Takes the connection that was dialled with this as its events. */
  open(connection: Connection): void {
    this.#connection = connection;
    this.#outflow = new Outflow(connection);
  }

  /** Sends the request and settles with its answer's head. Never rejects. */
  run(attempt: Attempt): Promise<Outcome> {
    this.#silent = true;
    this.dedicated = attempt.fresh || attempt.body !== undefined;
    // It ended between being dialled, or taken from the pool, and now.
    if (this.#over) return Promise.resolve(failed("closed", "connection ended early", false));
    if (attempt.headersTimeoutMs !== undefined) this.#limitWait(attempt.headersTimeoutMs);
    attempt.signal.addEventListener("abort", this, ONCE);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#resolve = resolve;
    this.#attempt = attempt;
    this.#interims = 0;
    this.#requestSent = false;
    this.#responseCame = false;
    this.#send(attempt);
    return promise;
  }

  #limitWait(headersTimeoutMs: number): void {
    const late = () => this.#giveUp(failed("headers_timeout", ""));
    this.#stopTimer = this.#clock.after(headersTimeoutMs, late);
  }

  /** The attempt was given up. */
  handleEvent(): void {
    this.#giveUp(ABANDONED);
  }

  close(): void {
    this.#reusable = false;
    this.#connection?.close();
  }

  data(bytes: Uint8Array): void {
    this.#silent = false;
    const inflow = this.#inflow;
    if (inflow !== undefined) {
      const left = inflow.feed(bytes);
      if (left > 0) this.#surplus();
      return;
    }
    // Nobody asked: what an upstream says between requests cannot belong to the next one.
    if (this.#attempt === undefined) return this.#surplus();
    this.#read(bytes);
  }

  drained(): void {
    this.#outflow?.drained();
  }

  closed(clean: boolean): void {
    this.#over = true;
    this.#reusable = false;
    this.#pool.drop(this);
    this.#outflow?.gone();
    this.#inflow?.connectionEnded(clean);
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    // It died while it lay in the pool, unseen. Nothing came back, so a request that does no harm twice
    // gets the connection that it would have had without a pool.
    const stale = this.#used && this.#silent && !attempt.fresh;
    this.#settle(
      stale ? this.#pool.dial(attempt) : failed("closed", "connection ended before an answer"),
    );
  }

  #send(attempt: Attempt): void {
    const { method, target, fields, body, upgrade, progress } = attempt;
    if (body !== undefined || fields.has("content-length")) {
      declareLength(fields, body === undefined ? 0 : body.lengthBytes);
    }
    const head = WRITER.begin().text(method).text(" ").text(target).text(" HTTP/1.1\r\n");
    head.fields(fields);
    if (upgrade !== undefined) head.field("Connection", "Upgrade").field("Upgrade", upgrade);
    const framing = body?.lengthBytes === undefined ? "chunked" : "length";
    if (body !== undefined && framing === "chunked") head.field("Transfer-Encoding", "chunked");
    head.lineEnd();

    progress.sent = true;
    if (body === undefined) {
      this.#outflow?.write(head.take());
      this.#requestSent = true;
      return;
    }
    const sent = this.#outflow?.send(head, body, framing);
    if (sent instanceof Promise) void sent.then((result) => this.#bodySent(result));
    else if (sent !== undefined) this.#bodySent(sent);
  }

  #bodySent({ end }: Sent): void {
    if (end === "whole") {
      this.#requestSent = true;
      this.#release();
    }
    // The client's body broke off. An upstream must not take a fragment for the whole.
    if (end === "cut") this.#giveUp(ABANDONED);
  }

  #read(bytes: Uint8Array): void {
    const result = this.#heads.push(bytes);
    switch (result.kind) {
      case "more":
        return;
      case "refused":
        return this.#giveUp(failed("protocol", result.reason));
      case "head":
        return this.#headCame(result.head, restOf(bytes, result.consumed));
    }
  }

  #headCame(head: ResponseHead, rest: Uint8Array): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return this.#surplus();
    if (head.status === 101) return this.#upgraded(head, rest);
    if (head.status < 200) {
      if (++this.#interims > INTERIMS_MAX) {
        return this.#giveUp(failed("protocol", "too many interim answers"));
      }
      if (head.status > 101) attempt.interim?.(head.status, head.fields);
      return rest.length > 0 ? this.#read(rest) : undefined;
    }

    const framing = responseFraming(attempt.method, head.status, head.declared);
    const decoder = bodyDecoder(framing, BODY_LIMITS);
    this.#reusable = head.keepAlive && framing.kind !== "close";
    this.promisedMs = promised(head.fields.get("keep-alive"));
    const { status, reason, fields } = head;
    const empty = decoder === undefined || decoder.state.kind === "done";
    if (empty) {
      this.#settle(answered({ status, reason, fields, body: undefined, tunnel: undefined }));
      if (rest.length > 0) this.#reusable = false;
      return this.#responseEnded();
    }

    const lengthBytes = framing.kind === "length" ? framing.lengthBytes : undefined;
    const body = new Inflow(decoder, lengthBytes, this, this);
    this.#inflow = body;
    this.#settle(answered({ status, reason, fields, body, tunnel: undefined }));
    if (rest.length > 0 && body.feed(rest) > 0) this.#surplus();
  }

  #upgraded(head: ResponseHead, rest: Uint8Array): void {
    const protocol = this.#attempt?.upgrade;
    const connection = this.#connection;
    const changedTo = head.fields.get("upgrade")?.toLowerCase() ?? protocol;
    if (connection === undefined || protocol !== changedTo || !protocol) {
      return this.#giveUp(failed("protocol", "upgrade that nobody asked for"));
    }
    const tunnel = new WireTunnel(protocol, connection, rest);
    const { status, reason, fields } = head;
    this.#settle(answered({ status, reason, fields, body: undefined, tunnel }));
  }

  #responseEnded(): void {
    this.#responseCame = true;
    this.#inflow = undefined;
    // Whoever has answered in full wants no more of the request.
    if (!this.#requestSent) {
      this.#reusable = false;
      this.#outflow?.gone();
    }
    this.#release();
  }

  /** Goes back to the pool once both the request and its answer are through. */
  #release(): void {
    if (!this.#responseCame || this.#attempt !== undefined) return;
    if (!this.#reusable) return this.#connection?.close();
    this.usedAt = this.#clock.elapsed();
    this.#used = true;
    this.#pool.put(this);
  }

  #surplus(): void {
    this.#reusable = false;
    this.#pool.drop(this);
    this.#connection?.close();
  }

  #giveUp(outcome: Outcome): void {
    this.#reusable = false;
    // First of all, as a connection may tell of its end before `reset` returns.
    if (this.#attempt !== undefined) this.#settle(outcome);
    this.#outflow?.gone();
    this.#connection?.reset();
  }

  #settle(outcome: Outcome | Promise<Outcome>): void {
    this.#attempt?.signal.removeEventListener("abort", this);
    this.#attempt = undefined;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#resolve?.(outcome);
    this.#resolve = undefined;
  }

  /** The answer's body is whole, or broken. */
  ended(whole: boolean): void {
    if (whole) this.#responseEnded();
    else this.#connection?.reset();
  }

  /** Nobody wants the rest of the answer. */
  cancelled(): void {
    this.#connection?.reset();
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }
}

function answered(response: UpstreamResponse): Outcome {
  return { kind: "answered", response };
}

function failed(reason: FailureReason, detail: string, sent = true): Outcome {
  return { kind: "failed", reason, sent, detail };
}
