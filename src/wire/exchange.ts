/**
 * An exchange read off a connection: the request exactly as sent, and the bytes of its answer. Knows
 * how a message is framed (RFC 9112 section 6) and nothing of what it says.
 */
import { End, type EndSignal } from "../end.ts";
import { Fields } from "../fields.ts";
import type { ByteSource, Delivery, Exchange, Reply } from "../model.ts";
import type { Connection } from "../platform/platform.ts";
import { latin1Bytes } from "./bytes.ts";
import { httpDate } from "./date.ts";
import type { RequestHead } from "./head.ts";
import { declareLength, Outflow, type OutFraming, type Sent } from "./outflow.ts";
import { reasonOf } from "../reasons.ts";
import { WireTunnel } from "./tunnel.ts";
import { WRITER, type Writer } from "./writer.ts";

const CONTINUE = latin1Bytes("HTTP/1.1 100 Continue\r\n\r\n");

/** What an exchange needs of the connection it came on. */
export interface ExchangeSite {
  readonly connection: Connection;
  readonly outflow: Outflow;
  readonly misplaced: boolean;
  readonly localPort: number | undefined;
  /** Wall clock, in milliseconds. */
  now(): number;
  /** No further request will be served: the connection drains, or the request's body has not come to its end. */
  readonly ending: boolean;
  /** Says that this answer is the connection's last. */
  lastOne(): void;
  /** Breaks the connection, as the answer broke. */
  cut(): void;
  /** Hands the connection over to a tunnel, with the bytes that came early. */
  handOver(tunnel: WireTunnel): void;
}

export class WireExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly proto: string;
  readonly scheme: "http" | "https";
  readonly tls: Exchange["tls"];
  readonly misplaced: boolean;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  readonly upgrade: string | undefined;
  readonly peer: Exchange["peer"];
  readonly localPort: number | undefined;
  readonly #head: RequestHead;
  readonly #site: ExchangeSite;
  #leaving: End | undefined;
  #left = false;
  /** The head of the answer has gone out. */
  answered = false;

  constructor(head: RequestHead, body: ByteSource | undefined, site: ExchangeSite) {
    this.#head = head;
    this.#site = site;
    this.method = head.method;
    this.target = head.path;
    this.proto = head.minorVersion === 1 ? "HTTP/1.1" : "HTTP/1.0";
    this.tls = site.connection.tls;
    this.scheme = this.tls === undefined ? "http" : "https";
    this.misplaced = site.misplaced;
    this.fields = head.fields;
    this.body = body;
    this.upgrade = allowedUpgrade(head, body);
    this.peer = site.connection.peer;
    this.localPort = site.localPort;
  }

  get signal(): EndSignal {
    this.#leaving ??= new End();
    if (this.#left) this.#leaving.abort();
    return this.#leaving;
  }

  /** The client has left. */
  leave(): void {
    this.#left = true;
    this.#leaving?.abort();
  }

  /** Answers `Expect: 100-continue`, once somebody upstream wants the body (RFC 9110 section 10.1.1). */
  invite(): void {
    if (this.#head.expectContinue && !this.answered) this.#site.outflow.write(CONTINUE);
  }

  interim(status: number, fields: Fields): void {
    if (this.answered || this.#head.minorVersion === 0 || this.#left) return;
    declareLength(fields, undefined);
    const head = WRITER.begin().text(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n`);
    this.#site.outflow.write(head.fields(fields).lineEnd().take());
  }

  answer(reply: Reply): Promise<Delivery> {
    this.answered = true;
    if (this.#left) {
      reply.body?.cancel();
      reply.tunnel?.goAway();
      return Promise.resolve({ end: "left", bodyBytes: 0 });
    }
    if (reply.tunnel !== undefined) return this.#tunnel(reply);

    const framing = this.#framing(reply);
    const isLast = this.#isLast(reply, framing);
    if (isLast) this.#site.lastOne();
    const head = this.#headOf(reply, framing, isLast);
    const sent = this.#site.outflow.send(head, reply.body, framing);
    return sent instanceof Promise
      ? this.#endedLater(sent, reply, framing)
      : Promise.resolve(this.#ended(sent, reply, framing));
  }

  async #endedLater(sent: Promise<Sent>, reply: Reply, framing: OutFraming): Promise<Delivery> {
    return this.#ended(await sent, reply, framing);
  }

  #ended(sent: Sent, { body }: Reply, framing: OutFraming): Delivery {
    if (sent.end !== "whole" || framing === "none") body?.cancel();
    // A clean end would pass a fragment off as the whole; only a broken connection cannot lie.
    if (sent.end === "cut") this.#site.cut();
    return sent;
  }

  #framing({ status, body }: Reply): OutFraming {
    if (this.method === "HEAD" || status < 200 || status === 204 || status === 304) return "none";
    if (body === undefined || body.lengthBytes !== undefined) return "length";
    return this.#head.minorVersion === 1 ? "chunked" : "close";
  }

  #isLast({ fields }: Reply, framing: OutFraming): boolean {
    const asked = fields.get("connection")?.toLowerCase() === "close";
    return asked || framing === "close" || !this.#head.keepAlive || this.#site.ending;
  }

  #headOf({ status, reason, fields, body }: Reply, framing: OutFraming, isLast: boolean): Writer {
    const phrase = reason === "" ? reasonOf(status) : reason;
    const head = WRITER.begin().text("HTTP/1.1 ").text(String(status)).text(" ").text(phrase);
    fields.delete("connection");
    if (framing === "length") declareLength(fields, body?.lengthBytes ?? 0);
    // Answers to HEAD and 304 may tell the length that another answer would have had, a 204 none at all.
    else if (framing !== "none" || status < 200 || status === 204) declareLength(fields, undefined);
    head.lineEnd().fields(fields);
    if (!fields.has("date")) head.field("Date", httpDate(this.#site.now()));
    if (framing === "chunked") head.field("Transfer-Encoding", "chunked");
    if (isLast) head.field("Connection", "close");
    else if (this.#head.minorVersion === 0) head.field("Connection", "keep-alive");
    return head.lineEnd();
  }

  async #tunnel({ tunnel, fields, reason }: Reply): Promise<Delivery> {
    if (!(tunnel instanceof WireTunnel)) throw new TypeError("Tunnel is not of this engine");
    const phrase = reason === "" ? reasonOf(101) : reason;
    const head = WRITER.begin().text(`HTTP/1.1 101 ${phrase}\r\n`).fields(fields);
    head.field("Connection", "Upgrade").field("Upgrade", tunnel.protocol).lineEnd();
    this.#site.outflow.write(head.take());
    this.#site.handOver(tunnel);
    return { end: "whole", bodyBytes: await tunnel.ended };
  }
}

/**
 * The protocol to ask an upstream for. HTTP/2 in the clear is none of them: behind a tunnel its requests would
 * pass unseen, and whoever offers an upgrade must cope with being ignored (RFC 9110 section 7.8).
 */
function allowedUpgrade(
  { upgrade }: RequestHead,
  body: ByteSource | undefined,
): string | undefined {
  if (body !== undefined || upgrade === undefined) return undefined;
  return /^(?:h2c?|tls|http)(?:\/|$)/.test(upgrade) ? undefined : upgrade;
}
