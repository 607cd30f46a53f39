/** Steps on real sockets, on both engines: what clients get, and when. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, it } from "node:test";
import { createGunzip } from "node:zlib";
import { platform } from "#platform";
import type { Action, PoolRules, Step } from "../src/rules.ts";
import { webEngine } from "../src/web/engine.ts";
import { wireEngine } from "../src/wire/engine.ts";
import { text, upstream } from "./support/fake_route.ts";
import {
  byMethod,
  fail,
  headers,
  onError,
  poolOf,
  respond,
  rewriteRules,
  set,
  steps,
  stepsRoute,
  under,
  when,
} from "./support/fake_steps.ts";
import { within } from "./support/fake_upstream.ts";
import { Lab } from "./support/lab.ts";

const ENCODE: Action = {
  kind: "encode",
  formats: ["gzip"],
  leastBytes: 0,
  match: { status: [], headers: [] },
};
/** Of "secret", with 2^4 rounds. */
const SECRET = "$2a$04$DamGsywSTJq.3Fyul9EqheEfNTdZrbd6zcBCddAJHZ4mTiHDmS0J2";

interface Got {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

function open(lab: Lab, path: string, options: http.RequestOptions = {}): http.ClientRequest {
  return http.request({ host: "127.0.0.1", port: lab.port, path, agent: false, ...options });
}

async function got(lab: Lab, path: string, options: http.RequestOptions = {}): Promise<Got> {
  const request = open(lab, path, options);
  request.end(options.method === "POST" ? "body" : undefined);
  const [response] = await within("a response", once(request, "response"));
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

for (const [name, engineOf] of [["wire", wireEngine], ["web", webEngine]] as const) {
  /** A lab whose one route are these steps, made once the upstreams have their ports. */
  async function lead(
    make: (pool: (name: string, changes?: Partial<PoolRules>) => PoolRules) => (Action | Step)[],
    errors: Parameters<typeof stepsRoute>[1] = {},
  ): Promise<Lab> {
    const lab = await Lab.open({ upstreams: ["app", "auth"], engine: engineOf(platform) });
    const pool = (to: string, changes: Partial<PoolRules> = {}) => {
      const { port } = lab.upstream(to);
      const address = { kind: "tcp", host: "127.0.0.1", port } as const;
      const id = `pool-${to}`;
      return poolOf([to], {
        upstreams: [upstream(to, { id: `${id}/${to}`, address })],
        ...changes,
      });
    };
    await lab.proxy.replace(lab.config({ routes: [stepsRoute(make(pool), errors)] }));
    return lab;
  }

  describe(`steps on the ${name} engine`, () => {
    it("answer by themselves, whatever is sent along", async () => {
      await using lab = await lead(() => [
        when(under("/go"), { kind: "redirect", to: text("/new", { name: "uri" }), status: 307 }),
        respond(["hello ", { name: "method" }]),
      ]);
      const hello = await got(lab, "/", { method: "POST" });
      assert.deepEqual([hello.status, hello.body], [200, "hello POST"]);
      const head = await got(lab, "/", { method: "HEAD" });
      assert.deepEqual([head.status, head.body], [200, ""]);
      const go = await got(lab, "/go?x=1");
      assert.deepEqual([go.status, go.headers.location], [307, "/new/go?x=1"]);
    });

    it("pass compressed chunks on as they come", async () => {
      await using lab = await lead((pool) => [ENCODE, { kind: "proxy", pool: pool("app") }]);
      const more = Promise.withResolvers<void>();
      lab.upstream("app").answering = (_request, response) => {
        response.writeHead(200, { "Content-Type": "text/plain" });
        response.write("first ");
        void more.promise.then(() => response.end("second"));
      };
      const request = open(lab, "/", { headers: { "Accept-Encoding": "gzip" } });
      request.end();
      const [response] = await within("a response", once(request, "response"));
      assert.equal(response.headers["content-encoding"], "gzip");
      const plain = response.pipe(createGunzip());
      const ended = once(plain, "end");
      const [first] = await within("the first chunk", once(plain, "data"));
      assert.equal(String(first), "first ");
      more.resolve();
      const [second] = await within("the second chunk", once(plain, "data"));
      assert.equal(String(second), "second");
      await within("the end", ended);
    });

    it("let pass those who know the password", async () => {
      const users = [{ name: "bob", hash: SECRET }];
      await using lab = await lead((pool) => [
        { kind: "basic_auth", realm: "r", users },
        headers(set("X-Who", { name: "user" })),
        { kind: "proxy", pool: pool("app") },
      ]);
      lab.upstream("app").answering = ({ headers }, response) => {
        response.end(headers["x-who"]);
      };
      assert.equal((await got(lab, "/")).status, 401);
      assert.equal((await got(lab, "/", { auth: "bob:wrong" })).status, 401);
      for (let turn = 0; turn < 2; turn++) {
        const { status, body } = await got(lab, "/", { auth: "bob:secret" });
        assert.deepEqual([status, body], [200, "bob"]);
      }
    });

    it("ask another pool first", async () => {
      await using lab = await lead((pool) => [
        {
          kind: "forward_auth",
          pool: pool("auth", { rewrite: rewriteRules({ uri: text("/verify") }) }),
          copy: [{ from: "Remote-User", to: "Remote-User" }],
        },
        { kind: "proxy", pool: pool("app") },
      ]);
      lab.upstream("auth").answering = ({ headers, method, url }, response) => {
        const known = headers["cookie"] === "known=1";
        const about = `${method} ${url} ${headers["x-forwarded-method"]}`;
        response.writeHead(known ? 200 : 403, { "Remote-User": about });
        response.end("no");
      };
      lab.upstream("app").answering = (request, response) => {
        request.on("data", (chunk) => response.write(`${request.headers["remote-user"]} ${chunk}`));
        request.on("end", () => response.end());
      };
      const refused = await got(lab, "/x", { method: "POST" });
      assert.deepEqual([refused.status, refused.body], [403, "no"]);
      const forged = { "Cookie": "known=1", "Remote-User": "root" };
      const passed = await got(lab, "/x", { method: "POST", headers: forged });
      assert.deepEqual([passed.status, passed.body], [200, "GET /verify POST body"]);
    });

    it("put pages in the place of an upstream's errors, and of ours", async () => {
      const pages = respond([{ name: "error_status" }, " here"]);
      await using lab = await lead((pool) => [
        when(byMethod("DELETE"), fail(405)),
        {
          kind: "proxy",
          pool: pool("app", {
            responses: [{
              match: { status: [{ from: 500, to: 599 }], headers: [] },
              action: { kind: "steps", steps: steps(respond("page", { status: ["503"] })) },
            }],
          }),
        },
      ], { errors: [onError(undefined, pages)] });
      lab.upstream("app").answering = (_request, response) => {
        response.writeHead(500);
        response.end("x".repeat(100_000));
      };
      const page = await got(lab, "/");
      assert.deepEqual([page.status, page.body], [503, "page"]);
      const own = await got(lab, "/", { method: "DELETE" });
      assert.deepEqual([own.status, own.body], [405, "405 here"]);
      await lab.stop("app");
      const gone = await got(lab, "/");
      assert.deepEqual([gone.status, gone.body], [502, "502 here"]);
    });

    it("keep a request out of the log", async () => {
      await using lab = await lead(() => [
        when(under("/ping"), { kind: "unlogged" }),
        respond("pong"),
      ]);
      await got(lab, "/ping");
      await got(lab, "/other");
      await lab.accounted(2);
      const logged = lab.lines.filter(({ msg }) => msg === "handled request");
      assert.deepEqual(logged.map(({ request }) => Object(request).uri), ["/other"]);
    });
  });
}
