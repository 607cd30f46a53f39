/**
 * An exchange made of a `Request`: what came in as far as fetch servers show it, and a `Response`
 * as the means to answer. docs/limits.md lists what they do not show.
 */
import type { EndSignal } from "../end.ts";
import { Fields } from "../fields.ts";
import type { ByteSource, Delivery, Exchange, Reply } from "../model.ts";
import type { ServedConnection } from "../platform/platform.ts";
import { deliveryOf, sourceOf } from "./bytes.ts";
import { WebTunnel } from "./tunnel.ts";

/** `Response` takes no body with these. */
export const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/** How requests came that did not come by HTTP/1.1. */
export interface Over {
  readonly proto: string;
  readonly tls: Exchange["tls"];
  /** The host ends a stream that fails as if it were whole, so that one that broke must not end at all. */
  readonly stalls: boolean;
}

interface Arrival {
  readonly localPort?: number | undefined;
  readonly over?: Over | undefined;
}

export class WebExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly proto: string;
  readonly tls: Exchange["tls"];
  readonly scheme: "http" | "https";
  readonly fields: Fields;
  readonly body: ByteSource | undefined;
  readonly upgrade: string | undefined;
  readonly peer: Exchange["peer"];
  readonly localPort: number | undefined;
  readonly signal: EndSignal;
  /** What the runtime's server is handed. */
  readonly response: Promise<Response>;

  readonly #connection: ServedConnection;
  readonly #stalls: boolean;
  #respond: (response: Response) => void = () => {};

  constructor(request: Request, connection: ServedConnection, { localPort, over }: Arrival = {}) {
    this.method = request.method;
    this.target = targetOf(request.url);
    this.proto = over?.proto ?? "HTTP/1.1";
    this.tls = over?.tls;
    this.#stalls = over?.stalls ?? false;
    this.scheme = connection.scheme;
    this.fields = Fields.from(request.headers);
    this.upgrade = asksForWebSocket(request.headers) ? "websocket" : undefined;
    this.body = this.upgrade ? undefined : bodyOf(request);
    this.peer = connection.peer;
    this.localPort = localPort;
    this.signal = request.signal;
    this.#connection = connection;
    this.response = new Promise((resolve) => (this.#respond = resolve));
  }

  answer(reply: Reply): Promise<Delivery> {
    return new Promise((resolve) => {
      if (reply.tunnel !== undefined) return this.#upgrade(reply, resolve);
      const { body, status } = reply;
      const headers = headersOf(reply.fields);
      if (body === undefined || this.method === "HEAD" || NULL_BODY_STATUSES.has(status)) {
        body?.cancel();
        this.#respond(new Response(null, { status, headers }));
        return resolve({ end: this.signal.aborted ? "left" : "whole", bodyBytes: 0 });
      }
      const stream = deliveryOf(body, this.signal, { delivered: resolve, stalls: this.#stalls });
      this.#respond(new Response(stream, { status, headers }));
    });
  }

  #upgrade({ tunnel, fields }: Reply, resolve: (delivery: Delivery) => void): void {
    if (!(tunnel instanceof WebTunnel)) throw new TypeError("Tunnel is not of this engine");
    const protocol = fields.get("sec-websocket-protocol");
    const response = this.#connection.upgrade(
      protocol,
      tunnel.fromClient,
      (socket) => tunnel.join(socket),
    );
    void tunnel.ended.then((bodyBytes) => resolve({ end: "whole", bodyBytes }));
    if (response === undefined) tunnel.goAway();
    this.#respond(response ?? new Response(null, { status: 400 }));
  }
}

/** Headers of fields that came from a peer's head, where values may be such as `Headers` refuses. */
export function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) {
    try {
      headers.append(name, value);
    } catch {
      // Only a rule of the operator's can have made it; the rest of the head is still good.
    }
  }
  return headers;
}

/** Path and query. With a malformed `Host` Bun gives the bare path; such a request is refused later. */
function targetOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("//") + 2);
  return start < 0 ? "/" : url.slice(start);
}

function asksForWebSocket(headers: Headers): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket" &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.get("connection") ?? "");
}

function bodyOf(request: Request): ByteSource | undefined {
  const declared = request.headers.get("content-length");
  if (request.body === null || declared === "0") return undefined;
  return sourceOf(request.body, declared === null ? undefined : Number(declared), () => {});
}
