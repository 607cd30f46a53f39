/** The door of a route on real sockets, on both engines: who comes in, and what upstreams hear of the others. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { RouteChanges } from "./support/fake_route.ts";
import { webEngine } from "../src/web/engine.ts";
import { wireEngine } from "../src/wire/engine.ts";
import { auth, cors, guard } from "./support/fake_guard.ts";
import { within } from "./support/fake_upstream.ts";
import { Lab } from "./support/lab.ts";

const LAPTOP = { Authorization: "Bearer key-of-laptop" };

function open(lab: Lab, options: http.RequestOptions = {}): http.ClientRequest {
  return http.request({ host: "127.0.0.1", port: lab.port, path: "/", agent: false, ...options });
}

async function answered(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const [response] = await within("a response", once(request, "response"));
  return response;
}

async function got(lab: Lab, options: http.RequestOptions = {}) {
  const request = open(lab, options);
  request.end();
  const response = await answered(request);
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

for (const [name, engineOf] of [["wire", wireEngine], ["web", webEngine]] as const) {
  const lead = (route: RouteChanges) =>
    Lab.open({
      upstreams: ["app"],
      route: { health: undefined, ...route },
      engine: engineOf(platform),
    });

  describe(`the door on the ${name} engine`, () => {
    it("lets in whoever has a key, and nobody else near an upstream", async () => {
      await using lab = await lead({ guard: guard({ auth: auth() }) });
      let seen: http.IncomingHttpHeaders = {};
      lab.upstream("app").answering = ({ headers }, response) => {
        seen = headers;
        response.end("in");
      };
      assert.equal((await got(lab)).status, 401);
      assert.equal((await got(lab, { headers: { "X-Api-Key": "wrong-key" } })).status, 401);
      assert.deepEqual(lab.upstream("app").asked, []);

      const { status, body } = await got(lab, { headers: LAPTOP });
      assert.deepEqual([status, body, seen.authorization], [200, "in", undefined]);
      await lab.accounted(3);
      const access = lab.lines.filter(({ msg }) => msg === "handled request");
      assert.deepEqual(access.map(({ user, outcome }) => [user, outcome]), [
        [undefined, "refused"],
        [undefined, "refused"],
        ["laptop", "answered"],
      ]);
      assert.ok(!JSON.stringify(lab.lines).includes("key-of-"));
    });

    it("answers before a body has come", async () => {
      await using lab = await lead({ guard: guard({ auth: auth() }) });
      const request = open(lab, { method: "POST", headers: { "Content-Length": "1000000000" } });
      request.on("error", () => {});
      request.flushHeaders();
      const response = await answered(request);
      assert.equal(response.statusCode, 401);
      response.resume();
      request.destroy();
      const [account] = await lab.accounted(1);
      assert.equal(account?.readBytes, 0);
    });

    it("turns an upgrade away like anything else", async () => {
      await using lab = await lead({ guard: guard({ auth: auth() }) });
      const { status } = await got(lab, {
        headers: {
          "Connection": "Upgrade",
          "Upgrade": "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
      });
      assert.equal(status, 401);
      assert.deepEqual(lab.upstream("app").asked, []);
    });

    it("counts a stream until its last byte", async () => {
      await using lab = await lead({ guard: guard({ concurrentMax: 1 }) });
      const ends: (() => void)[] = [];
      lab.upstream("app").answering = (_request, response) => {
        response.write("first");
        ends.push(() => response.end());
      };
      const request = open(lab);
      request.end();
      const stream = await answered(request);
      await once(stream, "data");
      assert.equal((await got(lab)).status, 429);

      ends[0]?.();
      stream.resume();
      await within("the end", once(stream, "end"));
      await lab.accounted(2);
      lab.upstream("app").answering = (_request, response) => response.end("in");
      assert.equal((await got(lab)).body, "in");
    });

    it("answers a browser's question by itself, and says who may read what comes then", async () => {
      await using lab = await lead({
        guard: guard({ auth: auth(), cors: cors({ origins: [/^https:\/\/chat\.test$/] }) }),
        expose: true,
      });
      const Origin = "https://chat.test";
      const asked = await got(lab, {
        method: "OPTIONS",
        headers: {
          Origin,
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "authorization",
        },
      });
      assert.equal(asked.status, 204);
      assert.equal(asked.headers["access-control-allow-origin"], Origin);
      assert.equal(asked.headers["access-control-allow-headers"], "authorization");
      assert.deepEqual(lab.upstream("app").asked, []);

      const { status, headers } = await got(lab, { headers: { Origin, ...LAPTOP } });
      assert.equal(status, 200);
      assert.equal(headers["access-control-allow-origin"], Origin);
      assert.equal(headers["x-understudy-upstream"], "app");
    });
  });
}
