/** Both ends of WebSockets for end-to-end tests: an upstream that echoes, and a client that can be waited for. */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** An upstream that echoes, or closes as it is told: "close 4001 why". */
export class Echo implements AsyncDisposable {
  readonly #server: WebSocketServer;
  /** Code and reason of every close, in order. */
  readonly closes: Promise<[number, string]>;
  readonly heads: Record<string, string | string[] | undefined>[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.closes = new Promise((resolve) => {
      server.on("connection", (socket, { headers }) => {
        this.heads.push(headers);
        socket.on("error", () => {});
        socket.on("close", (code, reason) => resolve([code, reason.toString()]));
        socket.on("message", (data: Buffer, isBinary) => {
          const [word, code, why] = data.toString("utf8", 0, 40).split(" ");
          if (word === "close") socket.close(Number(code) || undefined, why);
          else if (word === "vanish") socket.terminate();
          else socket.send(data, { binary: isBinary });
        });
      });
    });
  }

  static async start(): Promise<Echo> {
    const server = new WebSocketServer({
      port: 0,
      host: "127.0.0.1",
      perMessageDeflate: true,
      // Takes the last one offered, which nobody takes by mistake.
      handleProtocols: (offered) => [...offered].at(-1) ?? false,
    });
    await once(server, "listening");
    return new Echo(server);
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A client whose messages and end can be waited for. */
export class Talk implements Disposable {
  readonly socket: WebSocket;
  readonly closed: Promise<[number, string]>;
  readonly #heard: { data: Buffer; isBinary: boolean }[] = [];
  #wake = () => {};

  constructor({ port }: { readonly port: number }, protocols: string[] = []) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`, protocols, {
      headers: { "X-Own": "kept" },
    });
    this.socket.on("error", () => {});
    this.socket.on("message", (data: Buffer, isBinary) => {
      this.#heard.push({ data, isBinary });
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve([code, reason.toString()]));
    });
  }

  static async open(proxy: { readonly port: number }, protocols: string[] = []): Promise<Talk> {
    const talk = new Talk(proxy, protocols);
    await once(talk.socket, "open");
    return talk;
  }

  async next(): Promise<{ data: Buffer; isBinary: boolean }> {
    for (;;) {
      const message = this.#heard.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}
