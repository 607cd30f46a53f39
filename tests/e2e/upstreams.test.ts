/** A grown-up server as the upstream: what nginx does, its clients must see through the proxy. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { WIRE_ONLY } from "../support/engine.ts";
import { Nginx, unavailable } from "../support/nginx.ts";
import { subjects, Understudy } from "../support/processes.ts";
import {
  ask,
  fieldOf,
  fieldsOf,
  type Heard,
  type Place,
  RawClient,
} from "../support/raw_client.ts";

const BIG = Buffer.alloc(64 * 1024 * 1024, "understudy ");
const TEXT = "All the world's a stage. ".repeat(100);
const RELOADS = 5;
/** Requests under way at a time while nginx reloads. */
const WORKERS = 4;

for (const subject of subjects) {
  const options = unavailable === undefined ? {} : { skip: unavailable };
  describe(`nginx as the upstream (${subject.name})`, options, () => {
    let nginx: Nginx;
    let proxy: Understudy;
    let place: Place;
    before(async () => {
      nginx = await Nginx.start({ "big.bin": BIG, "text.txt": TEXT, "empty.txt": "" });
      proxy = await Understudy.start(
        subject,
        `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${nginx.url}"]
    health: { uri: /told, interval: 200ms, timeout: 2s }
    passive: { fail_duration: 30s }
`,
      );
      place = { port: proxy.port };
    });
    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await nginx?.[Symbol.asyncDispose]();
    });

    it("passes GET and HEAD", async () => {
      const get = await ask(place, { target: "/text.txt" });
      assert.deepEqual([get.status, get.body.toString(), get.end], [200, TEXT, "whole"]);
      assert.equal(fieldOf(get, "content-type"), "text/plain");
      const head = await ask(place, { method: "HEAD", target: "/big.bin" });
      assert.deepEqual([head.status, head.body.length], [200, 0]);
      assert.equal(fieldOf(head, "content-length"), String(BIG.length));
      const empty = await ask(place, { target: "/empty.txt" });
      assert.deepEqual([empty.status, empty.body.length, empty.end], [200, 0, "whole"]);
      assert.equal((await ask(place, { target: "/none" })).status, 404);
    });

    it("passes ranges and conditions", async () => {
      const part = await ask(place, { target: "/big.bin", headers: [["Range", "bytes=11-20"]] });
      assert.deepEqual([part.status, part.body.toString()], [206, "understudy"]);
      assert.equal(fieldOf(part, "content-range"), `bytes 11-20/${BIG.length}`);
      const beyond = await ask(place, {
        target: "/text.txt",
        headers: [["Range", "bytes=99999-"]],
      });
      assert.equal(beyond.status, 416);

      const head = await ask(place, { method: "HEAD", target: "/big.bin" });
      const etag = fieldOf(head, "etag") ?? "";
      const fresh = await ask(place, { target: "/big.bin", headers: [["If-None-Match", etag]] });
      assert.deepEqual([fresh.status, fresh.body.length, fresh.end], [304, 0, "whole"]);
      assert.equal(fieldOf(fresh, "etag"), etag);
    });

    // Deno's fetch unpacks what it gets, and sends every body chunked.
    const wire = subject.name === "deno" ? WIRE_ONLY : {};
    it("passes gzip untouched", wire, async () => {
      const headers = [["Accept-Encoding", "gzip"]] as const;
      const heard = await ask(place, { target: "/text.txt", headers });
      assert.equal(fieldOf(heard, "content-encoding"), "gzip");
      assert.equal(gunzipSync(heard.body).toString(), TEXT);
    });

    it("asks for no encoding that the client did not ask for", async () => {
      const heard = await ask(place, { target: "/text.txt" });
      assert.equal(fieldOf(heard, "content-encoding"), undefined);
      assert.equal(heard.body.toString(), TEXT);
    });

    it("passes POST with its length", wire, async () => {
      const post = await ask(place, {
        method: "POST",
        target: "/told",
        headers: [["X-Own", "kept"]],
        body: "x".repeat(100_000),
      });
      assert.deepEqual([post.status, post.body.toString()], [200, "POST 100000 kept app.test"]);
    });

    it("passes fields of requests and repeated cookies", async () => {
      const told = await ask(place, { target: "/told", headers: [["X-Own", "kept"]] });
      assert.equal(told.body.toString(), "GET  kept app.test");
      const two = await ask(place, { target: "/two" });
      assert.deepEqual(fieldsOf(two, "set-cookie"), ["a=1", "b=2"]);
    });

    it("keeps connections to it and to the client", async () => {
      using client = await RawClient.open(place);
      const connections = new Set<string | undefined>();
      for (let at = 0; at < 20; at++) {
        client.send({ target: "/told" });
        const heard = await client.hear();
        assert.equal(heard.status, 200);
        connections.add(fieldOf(heard, "x-connection"));
      }
      // One for all, unless a probe in between took it or nginx closed it.
      assert.ok(connections.size <= 3, `used ${connections.size} connections`);
    });

    it("passes a big file whole", { timeout: 20_000 }, async () => {
      assertBig(await ask(place, { target: "/big.bin" }));
    });

    it("loses nothing when nginx reloads under load", { timeout: 20_000 }, async () => {
      const bad: Heard[] = [];
      const workers = new Set<string | undefined>();
      let asked = 0;
      const work = async (method: string) => {
        while (workers.size <= RELOADS) {
          const what = { method, target: "/told", ...(method === "POST" && { body: "a body" }) };
          const heard = await ask(place, what);
          asked++;
          if (heard.status !== 200) bad.push(heard);
          const worker = fieldOf(heard, "x-worker");
          if (workers.has(worker)) continue;
          workers.add(worker);
          nginx.reload();
        }
      };
      const running = Array.from({ length: WORKERS }, (_, at) => work(at % 2 ? "GET" : "POST"));
      const [big] = await Promise.all([ask(place, { target: "/big.bin" }), ...running]);
      assert.deepEqual(bad.map(({ status, head }) => [status, head]), []);
      assert.ok(asked > RELOADS);
      assertBig(big);
    });
  });
}

function assertBig({ status, body, end }: Heard): void {
  assert.deepEqual([status, end, body.length], [200, "whole", BIG.length]);
  assert.equal(digest(body), digest(BIG));
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
