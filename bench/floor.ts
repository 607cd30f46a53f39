/// <reference types="bun" />
/**
 * The least a forwarder on `Bun.serve` and `fetch` can be: no routing, no health, no header rules.
 * What the web engine costs above this is our own code.
 */
const [port, upstream] = process.argv.slice(2);

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 0,
  development: false,
  fetch(request) {
    const { pathname, search } = new URL(request.url);
    const { method, headers, body } = request;
    // Without these Bun would decode bodies, follow redirects and cut silent streams.
    const asIs = { decompress: false, redirect: "manual", timeout: false } as const;
    return fetch(`http://127.0.0.1:${upstream}${pathname}${search}`, {
      method,
      headers,
      body,
      ...asIs,
    });
  },
});
