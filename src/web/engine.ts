/** The engine that runs on any fetch host: the runtime's own server on one side, `fetch` on the other. */
import type { Engine } from "../model.ts";
import type { Platform } from "../platform/platform.ts";
import { webApp } from "./app.ts";
import { webTransport } from "./transport.ts";

export function webEngine(platform: Platform): Engine {
  return {
    transport: webTransport(platform),
    async listen(address, serve) {
      const app = webApp(serve);
      return await platform.serve(
        address,
        async (request, connection) => await app.fetch(request, { connection }),
      );
    },
  };
}
