/**
 * Stands ahead of pebble, speaks TLS like it, and does what pebble cannot: offers more in its directory,
 * refuses what a test wants refused, and keeps what was asked.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, request as ask, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Pebble } from "./pebble.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  /** What was signed, where anything was. */
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Amended {
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

export class Relay implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Put into the directory besides what pebble offers. */
  offers: Readonly<Record<string, unknown>> = {};
  /** Answers in pebble's place; undefined asks pebble, "broken" breaks the connection. */
  answer: (asked: Asked) => Reply | "broken" | undefined = () => undefined;
  /** Changes pebble's answer; "broken" breaks the connection instead. */
  amend: (asked: Asked, text: string) => Amended | "broken" = () => ({});
  readonly #pebble: Pebble;
  readonly #server: Server;

  private constructor(pebble: Pebble) {
    this.#pebble = pebble;
    const { chain: cert, key } = pebble.authority.issue("IP:127.0.0.1");
    this.#server = createServer({ cert, key }, (request, response) => {
      this.#relay(request, response).catch(() => request.socket.destroy());
    });
  }

  static async open(pebble: Pebble): Promise<Relay> {
    const relay = new Relay(pebble);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get origin(): string {
    const address = this.#server.address();
    return `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  get directory(): string {
    return `${this.origin}/dir`;
  }

  /** What was asked at the resource of this name in pebble's directory. */
  at(path: string): readonly Asked[] {
    return this.asked.filter((one) => one.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = request;
    const body = await bytesOf(request);
    const asked = { method, path, payload: payloadOf(body) };
    this.asked.push(asked);
    const own = this.answer(asked);
    if (own === "broken") return void request.socket.destroy();
    if (own !== undefined) {
      response.writeHead(own.status, {
        "content-type": "application/problem+json",
        ...own.headers,
      });
      return void response.end(JSON.stringify(own.body));
    }

    // Under the name that it was asked by: pebble makes its URLs of that.
    const theirs = ask({
      ...{ host: "127.0.0.1", port: this.#pebble.port, method, path, headers: request.headers },
      ca: this.#pebble.authority.certificate,
      agent: false,
    });
    theirs.end(body);
    const [answer]: IncomingMessage[] = await once(theirs, "response");
    if (answer === undefined) throw new Error("pebble gives no answer");
    const text = String(await bytesOf(answer));
    const amended = this.amend(asked, text);
    if (amended === "broken") return void request.socket.destroy();
    const headers = { ...answer.headers, ...amended.headers };
    delete headers["content-length"];
    response.writeHead(answer.statusCode ?? 502, headers);
    response.end(path === "/dir" ? this.#directory(text) : amended.text ?? text);
  }

  #directory(text: string): string {
    return JSON.stringify({ ...JSON.parse(text), ...this.offers });
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function payloadOf(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  const { payload } = JSON.parse(String(body));
  return payload === "" ? {} : JSON.parse(String(Buffer.from(payload, "base64url")));
}
