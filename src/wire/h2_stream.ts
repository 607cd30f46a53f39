/**
 * One request on an HTTP/2 connection: its head and body go out as far as the windows let them, its
 * answer comes in no faster than it is read. What breaks is told as broken, what was refused as not sent.
 */
import type { Fields } from "../fields.ts";
import type { Attempt, ByteSource, FailureReason, Outcome } from "../model.ts";
import type { Clock } from "../platform/platform.ts";
import { NOTHING } from "./bytes.ts";
import { StreamBody } from "./h2_body.ts";
import { Credit } from "./h2_credit.ts";
import { CODE, FRAME } from "./h2_frames.ts";
import { requestHead, responseHead, trailersOf } from "./h2_head.ts";
import type { Packed } from "./h2_hpack.ts";
import { dataFrames, headerFrames, numberFrame } from "./h2_make.ts";
import type { Gate } from "./h2_gate.ts";
import { Upload } from "./h2_outflow.ts";
import { pack } from "./h2_pack.ts";
import { Inflow, WINDOWED } from "./inflow.ts";
import { declareLength } from "./outflow.ts";

/** Bytes of a response that its upstream may send ahead of their reader. */
export const STREAM_WINDOW_BYTES = 256 * 1024;
/** Interim answers passed on for one request at most. */
const INTERIMS_MAX = 32;

/** What a stream needs of its connection. */
export interface Link {
  readonly clock: Clock;
  readonly gate: Gate;
  write(bytes: Uint8Array): void;
  /** Nothing more will be said on this stream. */
  forget(id: number): void;
}

export class Stream {
  readonly id: number;
  readonly upload: Upload;
  readonly #link: Link;
  readonly #attempt: Attempt;
  #settle: ((outcome: Outcome) => void) | undefined;
  #decoder: StreamBody | undefined;
  #inflow: Inflow | undefined;
  #interims = 0;
  readonly #credit = new Credit(STREAM_WINDOW_BYTES);
  #requestSent = false;
  #over = false;

  constructor(id: number, attempt: Attempt, { link, window }: { link: Link; window: number }) {
    this.id = id;
    this.#attempt = attempt;
    this.#link = link;
    this.upload = new Upload(id, window, {
      gate: link.gate,
      write: (bytes) => link.write(bytes),
      data: (stream, content) => link.write(dataFrames(stream, content, false)),
      waits: () => this.#waitForRoom(),
    });
  }

  /** Sends the request and settles with its answer's head. Never rejects. */
  run(): Promise<Outcome> {
    const { signal, headersTimeoutMs, body, fields, progress } = this.#attempt;
    return new Promise((resolve) => {
      const onAbort = () => this.#giveUp({ kind: "abandoned" });
      const stopTimer = headersTimeoutMs === undefined
        ? undefined
        : this.#link.clock.after(headersTimeoutMs, () => {
          this.#giveUp(failed("headers_timeout", ""));
        });
      signal.addEventListener("abort", onAbort, { once: true });
      this.#settle = (outcome) => {
        this.#settle = undefined;
        signal.removeEventListener("abort", onAbort);
        stopTimer?.();
        resolve(outcome);
      };
      if (body !== undefined || fields.has("content-length")) {
        declareLength(fields, body === undefined ? 0 : body.lengthBytes);
      }
      progress.sent = true;
      this.#requestSent = body === undefined;
      const head = pack(requestHead(this.#attempt));
      this.#link.write(headerFrames(this.id, head, this.#requestSent));
      if (body !== undefined) void this.#send(body);
    });
  }

  /** Takes a head or trailers; undefined for such as are too large. */
  headersCame(packed: readonly Packed[] | undefined, end: boolean): void {
    if (packed === undefined) return this.#refuse("Head is too large");
    if (this.#decoder !== undefined) return this.#trailersCame(packed, end);
    const head = responseHead(packed);
    if (typeof head === "string") return this.#refuse(head);

    const { status, fields, lengthBytes } = head;
    if (status < 200) {
      if (end || status === 101) return this.#refuse(`Head ${status} where an answer was due`);
      if (++this.#interims > INTERIMS_MAX) return this.#refuse("Too many interim answers");
      return this.#attempt.interim?.(status, fields);
    }
    const bodiless = this.#attempt.method === "HEAD" || status === 204 || status === 304;
    const body = bodiless || end ? undefined : this.#bodyOf(lengthBytes);
    this.#decoder ??= new StreamBody(bodiless ? 0 : lengthBytes);
    const response = { status, reason: "", fields, body, tunnel: undefined };
    if (end && !this.#decoder.finish(undefined)) return this.#refuse("Body is shorter than told");
    this.#settle?.({ kind: "answered", response });
    if (end) this.#answerEnded();
  }

  /** Takes a piece of the body, which was `frameBytes` long with its padding. */
  dataCame(bytes: Uint8Array, frameBytes: number, end: boolean): void {
    const decoder = this.#decoder;
    if (decoder === undefined) return this.#refuse("Body without a head");
    if (!this.#credit.spend(frameBytes)) {
      return this.#refuse("More than it was asked for", CODE.flowControl);
    }
    const inflow = this.#inflow;
    this.#taken(frameBytes - bytes.length);
    if (inflow === undefined) {
      if (bytes.length > 0) return this.#refuse("Body where none may be");
    } else if (bytes.length > 0) {
      inflow.feed(bytes);
      // Too long for its declared length.
      if (this.#over) return;
    }
    if (end) this.#bodyEnded(undefined);
  }

  /** The upstream wants no more of it. */
  resetCame(code: number): void {
    this.#end(
      code === CODE.refusedStream
        ? this.#unsent("refused the stream")
        : failed("closed", `stream was reset with code ${code}`),
    );
  }

  /** The connection goes, and the upstream says that it never looked at this. */
  unseen(): void {
    this.#end(this.#unsent("went away"));
  }

  /** The connection is gone, by a breach of the protocol where one is named. */
  connectionGone(breach: string | undefined): void {
    this.#end(
      breach === undefined
        ? failed("closed", "connection ended before an answer")
        : failed("protocol", breach),
    );
  }

  #bodyOf(lengthBytes: number | undefined): ByteSource {
    const decoder = new StreamBody(lengthBytes);
    const inflow = new Inflow(decoder, lengthBytes, WINDOWED, {
      ended: (whole) => whole ? this.#answerEnded() : this.#reset(CODE.protocol),
      cancelled: () => this.#reset(CODE.cancel),
      taken: (bytes) => this.#taken(bytes),
    });
    this.#decoder = decoder;
    this.#inflow = inflow;
    return inflow;
  }

  #trailersCame(packed: readonly Packed[], end: boolean): void {
    const trailers = trailersOf(packed);
    if (!end || typeof trailers === "string") return this.#refuse("Trailers that are none");
    this.#bodyEnded(trailers);
  }

  #bodyEnded(trailers: Fields | undefined): void {
    const whole = this.#decoder?.finish(trailers) ?? false;
    const inflow = this.#inflow;
    // It tells `ended`, of a body that is whole and of one that is not.
    if (inflow !== undefined) inflow.feed(NOTHING);
    else if (whole) this.#answerEnded();
  }

  #answerEnded(): void {
    // Whoever has answered in full wants no more of the request.
    if (!this.#requestSent) return this.#reset(CODE.cancel);
    this.#close();
  }

  /** Lets more come, once that is worth a frame. */
  #taken(bytes: number): void {
    if (this.#over) return;
    const more = this.#credit.earn(bytes);
    if (more > 0) this.#link.write(numberFrame(FRAME.windowUpdate, this.id, more));
  }

  async #send(body: ByteSource): Promise<void> {
    try {
      if (await this.upload.send(body)) this.#requestSent = true;
    } catch {
      // The client's body broke off. An upstream must not take a fragment for the whole.
      this.#giveUp({ kind: "abandoned" });
    }
  }

  /** The upstream takes nothing now, which its rules may bound. */
  #waitForRoom(): () => void {
    const { writeTimeoutMs } = this.#attempt.upstream.connections;
    if (writeTimeoutMs === undefined) return () => {};
    const detail = `took no bytes for ${writeTimeoutMs} ms`;
    return this.#link.clock.after(writeTimeoutMs, () => this.#giveUp(failed("closed", detail)));
  }

  #unsent(detail: string): Outcome {
    this.#attempt.progress.sent = false;
    return { kind: "failed", reason: "closed", sent: false, detail };
  }

  #refuse(detail: string, code: number = CODE.protocol): void {
    this.#giveUp(failed("protocol", detail), code);
  }

  /** Ends the stream from our side. */
  #giveUp(outcome: Outcome, code: number = CODE.cancel): void {
    if (this.#over) return;
    this.#link.write(numberFrame(FRAME.rst, this.id, code));
    this.#end(outcome);
  }

  #reset(code: number): void {
    if (this.#over) return;
    this.#link.write(numberFrame(FRAME.rst, this.id, code));
    this.#close();
  }

  #end(outcome: Outcome): void {
    if (this.#over) return;
    this.#close();
    if (this.#settle !== undefined) this.#settle(outcome);
    else this.#inflow?.connectionEnded(false);
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.forget(this.id);
    if (!this.#requestSent) this.#attempt.body?.cancel();
    this.upload.stop();
  }
}

function failed(reason: FailureReason, detail: string): Outcome {
  return { kind: "failed", reason, sent: true, detail };
}
