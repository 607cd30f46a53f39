/** A small HTTP receiver for news, on loopback: notes what came, and answers as it is told. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class LetterBox implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Statuses of the next answers; 200 after them. */
  readonly statuses: number[] = [];
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: string[] = [];
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => chunks.push(chunk));
      request.on("end", () => {
        const { url: path = "", headers } = request;
        this.received.push({ path, headers, body: chunks.join("") });
        response.writeHead(this.statuses.shift() ?? 200).end("thanks");
        for (const look of [...this.#watchers]) look();
      });
    });
  }

  static async open(): Promise<LetterBox> {
    const box = new LetterBox();
    box.#server.listen(0, "127.0.0.1");
    await once(box.#server, "listening");
    return box;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  /** Settles once so many letters have come. */
  async holds(count: number): Promise<readonly Received[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => this.received.length >= count && resolve();
    this.#watchers.add(look);
    look();
    await promise;
    this.#watchers.delete(look);
    return this.received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
