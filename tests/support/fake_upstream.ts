/** An upstream of the lab: answers with its name, and comes back on the same port after a stop. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** Real time that anything may take at most, in milliseconds. */
const PATIENCE_MS = 5_000;

/** The promise, or in words what it is that takes too long. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  capMs = PATIENCE_MS,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited too long for ${what}`)), capMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export class FakeUpstream {
  readonly name: string;
  /** Method and path of all it was asked, probes included. */
  readonly asked: string[] = [];
  port = 0;
  /** What it does with a request. */
  answering: Answering = (_request, response) => response.end(this.name);
  #server: Server | undefined;

  private constructor(name: string) {
    this.name = name;
  }

  static async open(name: string): Promise<FakeUpstream> {
    const upstream = new FakeUpstream(name);
    await upstream.start();
    return upstream;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      this.answering(request, response);
    });
    server.listen(this.port, "127.0.0.1");
    await within(`${this.name} to listen`, once(server, "listening"));
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.#server = server;
  }

  /** Cuts all connections and refuses new ones. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await within(`${this.name} to stop`, closed);
  }
}
