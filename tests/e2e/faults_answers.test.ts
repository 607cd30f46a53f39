/**
 * Upstreams that answer and do it badly: a body that ends early must never look whole to the client,
 * a slow one must never be cut, and statuses are passed on, counted or passed over as configured.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask, RawClient } from "../support/raw_client.ts";
import { type Behaviour, RawUpstream } from "../support/raw_upstream.ts";

const OK: Behaviour = (call) => call.answer("spare");

async function start(
  subject: Subject,
  upstreams: readonly RawUpstream[],
  rules = "passive: { fail_duration: 30s }",
): Promise<Understudy> {
  const config = `
listen: "127.0.0.1:0"
routes:
  - upstreams: [${upstreams.map(({ url }) => `"${url}"`).join(", ")}]
    transport: { response_header_timeout: 1s }
    ${rules}
`;
  return await Understudy.start(subject, config);
}

for (const subject of subjects) {
  describe(`an upstream that dies in its body (${subject.name})`, () => {
    const cuts: [string, string, "close" | "reset"][] = [
      ["Content-Length, closed", "Content-Length: 50\r\n\r\nhalf of it", "close"],
      ["Content-Length, reset", "Content-Length: 50\r\n\r\nhalf of it", "reset"],
      ["chunked, closed", "Transfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n", "close"],
      ["chunked, reset", "Transfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n", "reset"],
      ["within a chunk", "Transfer-Encoding: chunked\r\n\r\nff\r\nhalf of it", "close"],
    ];
    for (const [title, answer, how] of cuts) {
      it(`cuts the client too, and counts (${title})`, async () => {
        let heard = () => {};
        const clientHasHalf = new Promise<void>((resolve) => (heard = resolve));
        await using faulty = await RawUpstream.start(async (call) => {
          call.say(`HTTP/1.1 200 OK\r\n${answer}`);
          // A reset overtakes bytes that were not read yet.
          await clientHasHalf;
          call[how]();
        });
        await using spare = await RawUpstream.start(OK);
        await using proxy = await start(subject, [faulty, spare]);

        const cut = await ask({ port: proxy.port }, {}, { piece: heard });
        assert.equal(cut.status, 200);
        assert.equal(cut.body.toString(), "half of it");
        assert.equal(cut.end, "cut");
        const line = await proxy.line(({ msg }) => msg === "handled request");
        assert.equal(line["outcome"], "truncated");
        assert.equal((await ask({ port: proxy.port })).body.toString(), "spare");
        assert.equal(spare.calls.length, 1);
      });
    }

    it("never cuts a body that is merely slow", async () => {
      const pieces = 5;
      await using slow = await RawUpstream.start(async (call) => {
        call.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (let at = 0; at < pieces; at++) {
          call.say(`1\r\n${at}\r\n`);
          await new Promise((resolve) => setTimeout(resolve, 400));
        }
        call.say("0\r\n\r\n");
      });
      await using proxy = await start(subject, [slow]);
      const heard = await ask({ port: proxy.port });
      assert.deepEqual([heard.end, heard.body.toString()], ["whole", "01234"]);
      assert.ok(heard.endMs > pieces * 400 - 50);
    });
  });

  describe(`an upstream that answers badly (${subject.name})`, () => {
    const failing: Behaviour = (call) => call.answer("broken", "500 Internal Server Error");

    it("has its 500 delivered as it is, and is asked again", async () => {
      await using faulty = await RawUpstream.start(failing);
      await using spare = await RawUpstream.start(OK);
      await using proxy = await start(subject, [faulty, spare]);
      for (const method of ["GET", "POST", "GET"]) {
        const { status, body } = await ask({ port: proxy.port }, { method });
        assert.deepEqual([status, body.toString()], [500, "broken"]);
      }
    });

    it("has its 500 delivered and counted when unhealthy_status says so", async () => {
      await using faulty = await RawUpstream.start(failing);
      await using spare = await RawUpstream.start(OK);
      const rules = "passive: { fail_duration: 30s, unhealthy_status: 5xx }";
      await using proxy = await start(subject, [faulty, spare], rules);
      assert.equal((await ask({ port: proxy.port })).status, 500);
      assert.equal((await ask({ port: proxy.port })).body.toString(), "spare");
    });

    it("is passed over when retry.status says so, and the last one's own answer is kept", async () => {
      await using faulty = await RawUpstream.start(failing);
      await using other = await RawUpstream.start(async (call) => {
        if (call.method === "POST") await call.until("a body");
        call.answer("no better", "503 Service Unavailable", "X-From: other\r\n");
      });
      await using proxy = await start(subject, [faulty, other], "retry: { status: 5xx }");
      for (const method of ["GET", "POST"]) {
        const what = { method, ...(method === "POST" && { body: "a body" }) };
        const heard = await ask({ port: proxy.port }, what);
        assert.deepEqual([heard.status, heard.body.toString()], [503, "no better"]);
        assert.match(heard.head, /x-from: other/i);
      }
      assert.equal(other.calls.length, 2);
    });

    it("has no length made up for its HEAD", async () => {
      await using upstream = await RawUpstream.start((call) =>
        call.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      );
      await using proxy = await start(subject, [upstream]);
      const { status, head } = await ask({ port: proxy.port }, { method: "HEAD" });
      assert.equal(status, 200);
      assert.doesNotMatch(head, /content-length/i);
    });

    it("is down when it answers 503 to probes alone", async () => {
      await using faulty = await RawUpstream.start((call) =>
        call.target === "/" ? call.answer("", "503 Service Unavailable") : call.answer("primary")
      );
      await using spare = await RawUpstream.start(OK);
      const rules = "health: { uri: /, interval: 100ms, timeout: 1s }";
      await using proxy = await start(subject, [faulty, spare], rules);
      const name = new URL(faulty.url).host;
      const change = await proxy.phase(name, "down");
      assert.match(String(change["reason"]), /503/);
      assert.equal((await ask({ port: proxy.port }, { target: "/x" })).body.toString(), "spare");
      faulty.behave((call) => call.answer("primary"));
      await proxy.phase(name, "up");
      assert.equal((await ask({ port: proxy.port }, { target: "/x" })).body.toString(), "primary");
    });

    it("has its answer delivered when it answers before the request is whole", async () => {
      await using hasty = await RawUpstream.start((call) => {
        call.pause();
        call.answer("enough");
      });
      await using proxy = await start(subject, [hasty]);
      using client = await RawClient.open({ port: proxy.port });
      client.write("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10000000\r\n\r\nbegin");
      const heard = await client.hear();
      assert.deepEqual([heard.status, heard.body.toString()], [200, "enough"]);
    });
  });

  describe(`a client that sends too much (${subject.name})`, () => {
    for (const method of ["POST", "PUT"]) {
      it(`gets 413 for a ${method} of unknown length, and no upstream is blamed`, async () => {
        await using upstream = await RawUpstream.start(() => {});
        await using spare = await RawUpstream.start(OK);
        const rules = "limits: { request_body: 1KiB }\n    passive: { fail_duration: 30s }";
        await using proxy = await start(subject, [upstream, spare], rules);
        using client = await RawClient.open({ port: proxy.port });
        const chunk = `400\r\n${"x".repeat(1024)}\r\n`;
        client.write(
          `${method} / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n`,
        );
        client.write(`${chunk}${chunk}0\r\n\r\n`);
        assert.equal((await client.hear()).status, 413);

        assert.equal(spare.calls.length, 0);
        upstream.behave((call) => call.answer("here"));
        assert.equal((await ask({ port: proxy.port })).body.toString(), "here");
      });
    }
  });
}
