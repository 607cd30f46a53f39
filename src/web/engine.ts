/** The engine that runs on any fetch host: the runtime's own server on one side, `fetch` on the other. */
import type { Engine } from "../model.ts";
import { spellAddress } from "../address.ts";
import { ListenError, type Platform } from "../platform/platform.ts";
import { webApp } from "./app.ts";
import { NULL_BODY_STATUSES } from "./exchange.ts";
import { webTransport } from "./transport.ts";

const NO_TLS = "the web engine speaks none, the engine wire does";

export function webEngine(platform: Platform): Engine {
  return {
    transport: webTransport(platform),
    async listen(address, serve, options) {
      if (options?.terms?.().door !== undefined) {
        throw new ListenError(`Cannot listen on ${spellAddress(address)} with TLS: ${NO_TLS}`);
      }
      const app = webApp(serve);
      let localPort: number | undefined;
      const listener = await platform.serve(
        address,
        async (request, connection) => {
          const response = await app.fetch(request, { connection, localPort });
          return request.method === "HEAD" ? unsized(response) : response;
        },
      );
      if (listener.address.kind === "tcp") localPort = listener.address.port;
      return listener;
    },
  };
}

/**
 * An answer to HEAD with a body that is never sent. Without one, runtimes add "Content-Length: 0"
 * where the upstream told no length; Hono has taken away any that was given earlier.
 */
function unsized(response: Response): Response {
  if (response.headers.has("content-length") || NULL_BODY_STATUSES.has(response.status)) {
    return response;
  }
  const { status, statusText, headers } = response;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(1));
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status, statusText, headers });
}
