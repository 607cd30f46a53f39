/**
 * What SEMANTICS section 6 promises and no fetch runtime can keep: bytes that pass as they were sent.
 * docs/limits.md owns up to each for the web engine.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WIRE_ONLY } from "../support/engine.ts";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask, fieldOf, fieldsOf, RawClient } from "../support/raw_client.ts";
import { type Behaviour, type Call, RawUpstream } from "../support/raw_upstream.ts";

/** Lets the wire engine's tests hang no longer than this. */
const OPTIONS = { timeout: 10_000, ...WIRE_ONLY };

const TARGETS = [
  "//a//b",
  "/a/../b/./c",
  "/%2e%2e/%2F?x=%zz",
  "/a\\b",
  '/a[]|^{}"<>`?q=[]|"<>',
  "/a?",
  "/a??x=1?",
  "/..;/x",
];

for (const subject of subjects) {
  describe(`as it was sent (${subject.name})`, () => {
    it("keeps the Content-Length of a stream", OPTIONS, async () => {
      const { upstream, proxy } = await open(subject, async (call) => {
        call.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        await untilTaken;
        call.say("other");
      });
      let taken = () => {};
      const untilTaken = new Promise<void>((resolve) => (taken = resolve));
      await using _upstream = upstream;
      await using _proxy = proxy;
      const heard = await ask({ port: proxy.port }, {}, { piece: () => taken() });
      assert.deepEqual(fieldsOf(heard, "content-length"), ["10"]);
      assert.equal(fieldOf(heard, "transfer-encoding"), undefined);
      assert.deepEqual([heard.body.toString(), heard.end], ["firstother", "whole"]);
    });

    it("passes a head on before the first byte of its body", OPTIONS, async () => {
      const { upstream, proxy } = await open(subject, async (call) => {
        call.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Head: whole\r\n\r\n");
        await untilHead;
        call.say("4\r\nbody\r\n0\r\n\r\n");
      });
      let headCame = () => {};
      const untilHead = new Promise<void>((resolve) => (headCame = resolve));
      await using _upstream = upstream;
      await using _proxy = proxy;
      const heard = await ask({ port: proxy.port }, {}, { headCame: () => headCame() });
      assert.equal(fieldOf(heard, "x-head"), "whole");
      assert.deepEqual([heard.body.toString(), heard.end], ["body", "whole"]);
    });

    for (const target of TARGETS) {
      it(`keeps the target ${target}`, OPTIONS, async () => {
        assert.equal(
          (await seen(subject, `GET ${target} HTTP/1.1\r\nHost: app.test\r\n\r\n`)).target,
          target,
        );
      });
    }

    it("keeps order, case and repetition of a request's fields", OPTIONS, async () => {
      const fields = ["X-bB: 2", "x-Aa: 1", "X-bB: 3", "Accept: */*", "cookie: a=1", "Cookie: b=2"];
      const { head } = await seen(
        subject,
        `GET / HTTP/1.1\r\nHost: app.test\r\n${fields.join("\r\n")}\r\n\r\n`,
      );
      assert.deepEqual(head.split("\r\n").filter((line) => fields.includes(line)), fields);
    });

    it("adds no Accept, User-Agent or Accept-Encoding of its own", OPTIONS, async () => {
      const call = await seen(subject, "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
      for (const name of ["accept", "user-agent", "accept-encoding", "accept-language"]) {
        assert.equal(call.field(name), undefined, name);
      }
    });

    it("keeps order, case and repetition of a response's fields", OPTIONS, async () => {
      const fields = [
        "X-bB: 2",
        "link: <a>; rel=x",
        "X-bB: 3",
        "Link: <b>; rel=y",
        "Set-Cookie: a=1",
      ];
      const { upstream, proxy } = await open(
        subject,
        (call) => call.answer("x", "200 Fine By Me", `${fields.join("\r\n")}\r\n`),
      );
      await using _upstream = upstream;
      await using _proxy = proxy;
      const { head } = await ask({ port: proxy.port });
      assert.deepEqual(head.split("\r\n").filter((line) => fields.includes(line)), fields);
      assert.match(head, /^HTTP\/1\.1 200 Fine By Me\r\n/);
    });

    it("keeps the body of a GET, and the length of an upload", OPTIONS, async () => {
      for (const method of ["GET", "POST"]) {
        const call = await seen(
          subject,
          `${method} / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nquery`,
          "query",
        );
        assert.equal(call.field("content-length"), "5");
        assert.equal(call.field("transfer-encoding"), undefined);
      }
    });

    it("passes the trailers of a response", OPTIONS, async () => {
      const { upstream, proxy } = await open(subject, (call) =>
        call.say(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
            "4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n",
        ));
      await using _upstream = upstream;
      await using _proxy = proxy;
      const heard = await ask({ port: proxy.port }, { headers: [["TE", "trailers"]] });
      assert.deepEqual([heard.body.toString(), heard.trailer], ["body", "X-Sum: 42\r\n"]);
    });

    it("passes the trailers of a request", OPTIONS, async () => {
      const trailers = "0\r\nX-Sum: 42\r\n\r\n";
      const call = await seen(
        subject,
        "POST / HTTP/1.1\r\nHost: app.test\r\nTE: trailers\r\nTrailer: X-Sum\r\n" +
          `Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n${trailers}`,
        trailers,
      );
      assert.ok(call.raw.includes(trailers));
    });

    it("passes 103 on before the answer", OPTIONS, async () => {
      const { upstream, proxy } = await open(subject, (call) => {
        call.say("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
        call.answer("body");
      });
      await using _upstream = upstream;
      await using _proxy = proxy;
      const interim: string[] = [];
      const heard = await ask({ port: proxy.port }, {}, { interim: (head) => interim.push(head) });
      assert.equal(heard.body.toString(), "body");
      assert.equal(interim.length, 1);
      assert.match(interim[0] ?? "", /^HTTP\/1\.1 103 .*link: <\/a\.css>/is);
    });

    it("passes an unusual status", OPTIONS, async () => {
      const { upstream, proxy } = await open(subject, (call) => call.answer("odd", "799 Odd"));
      await using _upstream = upstream;
      await using _proxy = proxy;
      const { status, body } = await ask({ port: proxy.port });
      assert.deepEqual([status, body.toString()], [799, "odd"]);
    });

    it("answers pipelined requests in order", OPTIONS, async () => {
      const { upstream, proxy } = await open(subject, (call) => call.answer(call.target));
      await using _upstream = upstream;
      await using _proxy = proxy;
      using client = await RawClient.open({ port: proxy.port });
      const targets = ["/1", "/2", "/3"];
      client.write(
        targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: app.test\r\n\r\n`).join(""),
      );
      for (const target of targets) assert.equal((await client.hear()).body.toString(), target);
    });
  });
}

async function open(
  subject: Subject,
  behave: Behaviour,
): Promise<{ upstream: RawUpstream; proxy: Understudy }> {
  const upstream = await RawUpstream.start(behave);
  const config = `listen: "127.0.0.1:0"\nroutes: [{ upstreams: ["${upstream.url}"] }]\n`;
  return { upstream, proxy: await Understudy.start(subject, config) };
}

/** What reaches the upstream of a request written as bytes, up to `end` in its body. */
async function seen(subject: Subject, bytes: string, end = ""): Promise<Call> {
  const { upstream, proxy } = await open(subject, async (call) => {
    await call.until(end);
    call.answer("x");
  });
  await using _upstream = upstream;
  await using _proxy = proxy;
  using client = await RawClient.open({ port: proxy.port });
  client.write(bytes);
  assert.equal((await client.hear()).status, 200);
  return await upstream.call();
}
