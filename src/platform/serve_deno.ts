/**
 * Accepting requests by `Deno.serve`. Adds what it lacks: answers under way can be cut after a
 * graceful stop has begun.
 */
import type { Address } from "../rules.ts";
import { dial } from "./net_node.ts";
import type { HttpServer, Platform } from "./platform.ts";
import { upgrade } from "./sockets_deno.ts";
import { hostsOf, lacksFamily, listenError, plainIp, removeStaleSocket } from "./web.ts";

type Handler = Parameters<Platform["serve"]>[1];
type Server = Deno.HttpServer;

export async function serve(address: Address, handler: Handler): Promise<HttpServer> {
  const running = new Running();
  try {
    if (address.kind === "unix") await removeStaleSocket(address.path, dial);
    return opened(address, listen(address, handler, running), running);
  } catch (error) {
    throw listenError(address, error);
  }
}

function listen(address: Address, handler: Handler, running: Running): Server {
  const options = {
    onListen: () => {},
    // Silent and bare: a bug has been reported where it was thrown, and clients get no details.
    onError: () => new Response(null, { status: 500 }),
  };
  const handle = (request: Request, info: Deno.ServeHandlerInfo): Promise<Response> =>
    running.track(answer(request, info, handler));
  if (address.kind === "unix") return Deno.serve({ ...options, path: address.path }, handle);

  const [first = "", second] = hostsOf(address.host);
  const at = (hostname: string): Server =>
    Deno.serve({ ...options, hostname, port: address.port }, handle);
  try {
    return at(first);
  } catch (error) {
    if (second === undefined || !lacksFamily(error)) throw error;
    return at(second);
  }
}

/**
 * `request.signal` aborts when the client leaves, but also after an answer that was delivered
 * whole; and it does not see a client leave whose longer body waits for a first byte of answer. Fields that
 * are read once the answer is out throw: whoever wants them later keeps a copy.
 */
function answer(
  request: Request,
  info: Deno.ServeHandlerInfo,
  handler: Handler,
): Promise<Response> {
  // Read now: once the client has left, asking throws.
  const from = info.remoteAddr as Deno.Addr;
  const peer = "hostname" in from
    ? { ip: plainIp(from.hostname), port: from.port }
    : { ip: "", port: 0 };
  return handler(request, {
    peer,
    scheme: "http",
    upgrade: (protocol, handlers, opened) => upgrade(request, protocol, handlers, opened),
  });
}

function opened(address: Address, server: Server, running: Running): HttpServer {
  const port = "port" in server.addr ? server.addr.port : 0;
  let closed: Promise<void> | undefined;
  return {
    address: address.kind === "unix" ? address : { ...address, port },
    close: () => closed ??= server.shutdown(),
    abort() {
      closed ??= server.shutdown();
      running.cut();
    },
  };
}

/**
 * Answers under way. Deno can cut them all by the signal it was given at the start, but no more
 * once `shutdown` was called, which is just when a drain that takes too long must be cut.
 */
class Running {
  readonly #cuts = new Set<() => void>();

  async track(answering: Promise<Response>): Promise<Response> {
    const cut = new Promise<Response>((resolve) => {
      const cutNow = (): void => {
        resolve(broken());
        void answering.then((late) => late.body?.cancel()).catch(() => {});
      };
      this.#cuts.add(cutNow);
      void answering.catch(() => {}).finally(() => this.#cuts.delete(cutNow));
    });
    const response = await Promise.race([answering, cut]);
    // An upgraded response must be handed back as it came, and has no body.
    if (response.body === null) return response;
    return new Response(this.#watched(response.body), response);
  }

  cut(): void {
    for (const cut of this.#cuts) cut();
    this.#cuts.clear();
  }

  #watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    const cuts = this.#cuts;
    let cutNow = (): void => {};
    return new ReadableStream<Uint8Array>({
      start(controller) {
        cutNow = () => {
          controller.error(undefined);
          reader.cancel().catch(() => {});
        };
        cuts.add(cutNow);
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          cuts.delete(cutNow);
          controller.close();
        } catch (error) {
          cuts.delete(cutNow);
          controller.error(error);
        }
      },
      cancel(reason) {
        cuts.delete(cutNow);
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }
}

/** An answer that breaks off, so that the client's connection is cut. */
function broken(): Response {
  return new Response(
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(undefined),
    }),
    { status: 503 },
  );
}
