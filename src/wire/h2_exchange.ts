/**
 * An exchange on a stream of HTTP/2: the request as it was told, and the frames of its answer, no faster than
 * the client takes them. What breaks is reset, so that nobody takes a fragment for the whole.
 */
import { End, type EndSignal } from "../end.ts";
import { Fields } from "../fields.ts";
import type { ByteSource, Delivery, Exchange, Reply } from "../model.ts";
import type { Connection } from "../platform/platform.ts";
import { answerFrames, type AnswerHead, type Following } from "./h2_answer.ts";
import { CODE, FRAME_LIMIT_BYTES } from "./h2_frames.ts";
import type { Packed } from "./h2_hpack.ts";
import { Intake, type IntakeSite } from "./h2_intake.ts";
import { readAhead, type Road, Upload } from "./h2_outflow.ts";
import type { H2Head } from "./h2_request.ts";
import { declareLength } from "./outflow.ts";

/** What a stream needs of its connection. */
export interface H2Site extends Road, IntakeSite {
  readonly connection: Connection;
  readonly misplaced: boolean;
  readonly localPort: number | undefined;
  /** What the client takes on a new stream, in bytes. */
  readonly initialWindow: number;
  /** Wall clock, in milliseconds. */
  now(): number;
  /** Takes no more streams once those that run have ended. */
  retire(): void;
  /** Breaks a stream off. `breach`: it was the client who made us. */
  reset(id: number, code: number, breach: boolean): void;
  /** Nothing more will be said on its stream; `answered` in full, or not. */
  ended(exchange: H2Exchange, answered: boolean): void;
}

/** A request and whether its head is all of it. */
export interface Asked {
  readonly head: H2Head;
  readonly ends: boolean;
}

export class H2Exchange implements Exchange {
  readonly id: number;
  readonly method: string;
  readonly target: string;
  readonly proto = "HTTP/2.0";
  readonly scheme: "http" | "https";
  readonly tls: Exchange["tls"];
  readonly misplaced: boolean;
  readonly fields: Fields;
  readonly upgrade = undefined;
  readonly peer: Exchange["peer"];
  readonly localPort: number | undefined;
  /** The answer's body, and what the client takes of it. */
  readonly upload: Upload;
  readonly #site: H2Site;
  /** Undefined when the head was all of the request. */
  readonly #intake: Intake | undefined;
  /** What the answer is made of. */
  #source: ByteSource | undefined;
  /** Sends the answer that waits for its client to take something. */
  #held: (() => void) | undefined;
  #leaving: End | undefined;
  #left = false;
  #over = false;
  /** The answer was given. */
  answered = false;
  /** Serving it has come to its end. */
  rested = false;

  constructor(id: number, { head, ends }: Asked, site: H2Site) {
    this.id = id;
    this.method = head.method;
    this.target = head.path;
    this.fields = head.fields;
    this.tls = site.connection.tls;
    this.scheme = this.tls === undefined ? "http" : "https";
    this.misplaced = site.misplaced;
    this.peer = site.connection.peer;
    this.localPort = site.localPort;
    this.upload = new Upload(id, site.initialWindow, site);
    this.#site = site;
    if (ends) return;
    const wanted = () => {
      // A client may hold its body back until somebody upstream wants it (RFC 9110 section 10.1.1).
      if (head.expectContinue) this.interim(100, Fields.empty());
    };
    this.#intake = new Intake(id, head.lengthBytes, { site, wanted });
  }

  get body(): ByteSource | undefined {
    return this.#intake?.body;
  }

  get signal(): EndSignal {
    this.#leaving ??= new End();
    if (this.#left) this.#leaving.abort();
    return this.#leaving;
  }

  /** Takes a piece of the request's body, which was `frameBytes` long with its padding. */
  dataCame(bytes: Uint8Array, frameBytes: number, end: boolean): void {
    if (this.#intake === undefined) {
      this.#site.consumed(frameBytes);
      return this.breach(CODE.streamClosed);
    }
    this.#judge(this.#intake.dataCame(bytes, frameBytes, end));
  }

  /** Takes a second block of fields; undefined for such as are too large. */
  trailersCame(packed: readonly Packed[] | undefined, end: boolean): void {
    this.#judge(this.#intake ? this.#intake.trailersCame(packed, end) : CODE.streamClosed);
  }

  /** The client wants no more of it, or its connection is gone. */
  leave(): void {
    if (this.#over) return;
    this.#left = true;
    this.#end(false);
    this.#leaving?.abort();
    this.#source?.cancel();
    if (this.#held === undefined) return;
    this.#site.gate.forget(this.#held);
    this.#held();
  }

  /** The client has brought what this stream must not bring. */
  breach(code: number): void {
    this.#cut(code, true);
  }

  rest(): void {
    this.rested = true;
    // Without an answer the client would wait for ever.
    if (!this.answered) this.#cut(CODE.internal, false);
  }

  interim(status: number, fields: Fields): void {
    if (this.answered || this.#left || status === 101) return;
    // One that cannot leave now would only be owed, and but for an invitation nobody waits for it.
    if (this.#site.gate.blocked && status !== 100) return;
    declareLength(fields, undefined);
    this.#write({ status, fields, now: undefined }, "more");
  }

  answer(reply: Reply): Promise<Delivery> {
    if (reply.tunnel !== undefined) {
      return Promise.reject(new TypeError("Tunnels are no answer on a stream of HTTP/2"));
    }
    this.answered = true;
    this.#source = reply.body;
    const { gate } = this.#site;
    if (this.#left || !gate.blocked) return this.#send(reply);
    // Answers must not pile up for a client that reads none.
    return new Promise((resolve) => {
      this.#held = () => resolve(this.#send(reply));
      gate.whenOpen(this.#held);
    });
  }

  #send({ status, fields, body }: Reply): Promise<Delivery> {
    if (this.#left) {
      body?.cancel();
      return Promise.resolve({ end: "left", bodyBytes: 0 });
    }
    // HTTP/2 has no such field and says it in its own way, as other servers do.
    if (fields.get("connection")?.toLowerCase() === "close") this.#site.retire();
    const bodiless = this.method === "HEAD" || status < 200 || status === 204 || status === 304;
    if (!bodiless) declareLength(fields, body === undefined ? 0 : body.lengthBytes);
    // Answers to HEAD and 304 may tell the length that another answer would have had, a 204 none at all.
    else if (status < 200 || status === 204) declareLength(fields, undefined);
    const head = { status, fields, now: this.#site.now() };
    if (bodiless || body === undefined) {
      this.#write(head, "nothing");
      body?.cancel();
      return this.#sent(0);
    }

    if (!this.upload.mayRead) {
      this.#write(head, "more");
      return this.#stream(this.upload.send(body));
    }
    const first = body.read();
    const isWhole = first instanceof Uint8Array && first.length === body.lengthBytes &&
      first.length <= Math.min(FRAME_LIMIT_BYTES, this.upload.room);
    const second = isWhole ? body.read() : undefined;
    if (isWhole && second === undefined && (body.trailers?.size ?? 0) === 0) {
      this.upload.count(first.length);
      this.#write(head, first);
      return this.#sent(first.length);
    }
    this.#write(head, "more");
    const rest = second === undefined ? body : readAhead(second, body);
    return this.#stream(this.upload.sendOn(rest, first));
  }

  async #stream(sending: Promise<boolean>): Promise<Delivery> {
    let end: Delivery["end"];
    try {
      end = await sending ? "whole" : "left";
    } catch {
      end = this.#over ? "left" : "cut";
    }
    const { sentBytes } = this.upload;
    if (end === "whole") return this.#sent(sentBytes);
    // A clean end would pass a fragment off as the whole.
    if (end === "cut") this.#cut(CODE.internal, false);
    return { end, bodyBytes: sentBytes };
  }

  #write(head: AnswerHead, following: Following): void {
    this.#site.write(answerFrames(this.id, head, following));
  }

  /** The answer is out, and with it the stream is over. */
  #sent(bodyBytes: number): Promise<Delivery> {
    this.#source = undefined;
    if (this.#over) return Promise.resolve({ end: "left", bodyBytes });
    // Whoever has answered in full wants no more of the request (RFC 9113 section 8.1).
    if (this.#intake?.complete === false) this.#site.reset(this.id, CODE.none, false);
    this.#end(true);
    return Promise.resolve({ end: "whole", bodyBytes });
  }

  #judge(breach: number | undefined): void {
    if (breach !== undefined) this.breach(breach);
  }

  #cut(code: number, breach: boolean): void {
    if (this.#over) return;
    this.#site.reset(this.id, code, breach);
    this.leave();
  }

  #end(answered: boolean): void {
    this.#over = true;
    this.upload.stop();
    this.#intake?.close();
    this.#site.ended(this, answered);
  }
}
