/** A request that came in, and a client that takes the answer or leaves. */
import { Fields } from "../../src/fields.ts";
import type { ByteSource, Delivery, Exchange, Reply } from "../../src/model.ts";
import { FakeBody } from "./fake_bytes.ts";

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly proto?: string;
  readonly scheme?: "http" | "https";
  readonly tls?: Exchange["tls"];
  readonly misplaced?: boolean;
  readonly host?: string | undefined;
  readonly fields?: Iterable<readonly [string, string]>;
  readonly body?: ByteSource | string;
  readonly upgrade?: string;
  readonly ip?: string;
  readonly localPort?: number;
  readonly signal?: AbortSignal;
}

export class FakeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly proto: string;
  readonly scheme: "http" | "https";
  readonly tls: Exchange["tls"];
  readonly misplaced: boolean;
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  readonly upgrade: string | undefined;
  readonly peer: { readonly ip: string; readonly port: number };
  readonly localPort?: number;
  readonly signal: AbortSignal;
  /** What it was answered with. */
  reply: Reply | undefined;
  /** Body of the answer as far as it came. */
  received = "";
  readonly #leaving = new AbortController();

  constructor(asked: Asked = {}) {
    this.method = asked.method ?? "GET";
    this.target = asked.target ?? "/";
    this.proto = asked.proto ?? "HTTP/1.1";
    this.tls = asked.tls;
    this.scheme = asked.scheme ?? (this.tls === undefined ? "http" : "https");
    this.misplaced = asked.misplaced ?? false;
    const host = "host" in asked ? asked.host : "proxy.test";
    this.fields = Fields.from([
      ...(host === undefined ? [] : [["Host", host] as const]),
      ...(asked.fields ?? []),
    ]);
    this.body = typeof asked.body === "string" ? new FakeBody([asked.body]) : asked.body;
    this.upgrade = asked.upgrade;
    this.peer = { ip: asked.ip ?? "192.0.2.7", port: 40_000 };
    if (asked.localPort !== undefined) this.localPort = asked.localPort;
    this.signal = this.#leaving.signal;
  }

  /** The client goes away. */
  leave(): void {
    this.#leaving.abort();
  }

  async answer(reply: Reply): Promise<Delivery> {
    this.reply = reply;
    let bodyBytes = 0;
    const left = (): Delivery => {
      reply.body?.cancel();
      return { end: "left", bodyBytes };
    };
    const gone = new Promise<"gone">((resolve) => {
      this.signal.addEventListener("abort", () => resolve("gone"), { once: true });
    });
    const decoder = new TextDecoder();
    try {
      while (reply.body !== undefined) {
        if (this.signal.aborted) return left();
        const chunk = await Promise.race([reply.body.read(), gone]);
        if (chunk === "gone") return left();
        if (chunk === undefined) break;
        bodyBytes += chunk.length;
        this.received += decoder.decode(chunk, { stream: true });
      }
    } catch {
      return { end: "cut", bodyBytes };
    }
    return { end: "whole", bodyBytes };
  }
}
