/**
 * Clients that leave: the upstream hears of it within 100 ms, whenever and however they go, and
 * nobody is blamed. A model that nobody listens to any more must stop.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WIRE_ONLY } from "../support/engine.ts";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask, RawClient } from "../support/raw_client.ts";
import { type Call, RawUpstream } from "../support/raw_upstream.ts";

const HEARD_MS = 100;
const SMALL = "a small body";
const LARGE = "x".repeat(200_000);

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const config = (upstreams: readonly string[], rules: string) => `
listen: "127.0.0.1:0"
routes:
  - upstreams: [${upstreams.map((url) => `"${url}"`).join(", ")}]
    passive: { fail_duration: 30s }
    ${rules}
`;

interface Leaving {
  readonly title: string;
  readonly method: string;
  readonly body?: string;
  readonly when: "before the head" | "mid-stream";
}

const CASES: readonly Leaving[] = (["before the head", "mid-stream"] as const).flatMap((when) => [
  { title: "GET", method: "GET", when },
  { title: "POST with a small body", method: "POST", body: SMALL, when },
  { title: "POST with a large body", method: "POST", body: LARGE, when },
]);

for (const subject of subjects) {
  describe(`a client that leaves (${subject.name})`, () => {
    for (const { title, method, body, when } of CASES) {
      // `Deno.serve` does not see a client leave whose POST waits for a first byte of answer.
      const unseen = subject.name === "deno" && method === "POST" && when === "before the head";
      it(
        `ends a ${title} at the upstream within ${HEARD_MS} ms, ${when}`,
        unseen ? WIRE_ONLY : {},
        async () => {
          await using upstream = await RawUpstream.start((call) => {
            if (when === "mid-stream") call.say(`${CHUNKED}5\r\nfirst\r\n`);
          });
          await using proxy = await start(subject, upstream);
          using client = await RawClient.open({ port: proxy.port });
          let streaming = () => {};
          const streams = new Promise<void>((resolve) => (streaming = resolve));
          client.send({ method, ...(body !== undefined && { body }) });
          const heard = client.hear({ method, piece: streaming });
          const call = await upstream.call();
          if (body !== undefined) await call.until(body.slice(-5));
          if (when === "mid-stream") await streams;

          const leftAt = performance.now();
          client.destroy();
          const tookMs = (await call.left) - leftAt;
          assert.ok(tookMs < HEARD_MS, `took ${tookMs} ms`);
          assert.notEqual((await heard).end, "whole");
          const line = await proxy.line(({ msg }) => msg === "handled request");
          assert.equal(line["outcome"], "abandoned");
          assert.equal(line["status"], when === "mid-stream" ? 200 : 499);
          await assertUnblamed(proxy, upstream);
        },
      );
    }

    for (
      const [title, framing] of [
        ["Content-Length", "Content-Length: 1000\r\n\r\npart of it"],
        ["chunked", "Transfer-Encoding: chunked\r\n\r\na\r\npart of it\r\n"],
      ] as const
    ) {
      it(`cuts its upload at the upstream when it leaves amid the body (${title})`, async () => {
        await using upstream = await RawUpstream.start(() => {});
        await using proxy = await start(subject, upstream);
        using client = await RawClient.open({ port: proxy.port });
        client.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${framing}`);
        const call = await upstream.call();
        await call.until("part of it");
        const leftAt = performance.now();
        client.destroy();
        const tookMs = (await call.left) - leftAt;
        assert.ok(tookMs < HEARD_MS, `took ${tookMs} ms`);
        assert.ok(!call.raw.includes("\r\n0\r\n\r\n"), "the upstream must not take it for whole");
        await assertUnblamed(proxy, upstream);
      });
    }

    it("ends what it does not read, too, and the process goes on", async () => {
      await using upstream = await RawUpstream.start(() => {});
      await using proxy = await start(subject, upstream);
      using client = await RawClient.open({ port: proxy.port });
      client.pause();
      client.send({});
      const call = await upstream.call();
      call.say("HTTP/1.1 200 OK\r\n\r\n");
      await call.flood(new Uint8Array(64 * 1024));
      client.destroy();
      await call.left;
      await assertUnblamed(proxy, upstream);
      // What it tells of comes in order: a bug would have been told by now.
      const handled = () => proxy.lines.filter(({ msg }) => msg === "handled request");
      await proxy.until(() => handled().length === 2);
      assert.equal(handled()[0]?.["outcome"], "abandoned");
    });

    it("has its half-sent PUT given to no other upstream", async () => {
      await using upstream = await RawUpstream.start(() => {});
      await using spare = await RawUpstream.start((call) => call.answer("spare"));
      await using proxy = await Understudy.start(subject, config([upstream.url, spare.url], ""));
      using client = await RawClient.open({ port: proxy.port });
      client.write(
        "PUT / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npar\r\n",
      );
      await (await upstream.call()).until("par");
      client.destroy();
      const line = await proxy.line(({ msg }) => msg === "handled request");
      assert.equal(line["outcome"], "abandoned");
      assert.equal(spare.calls.length, 0, "a fragment would look whole there");
      await assertUnblamed(proxy, upstream);
    });

    it("ends its wait in retry.for", async () => {
      await using proxy = await Understudy.start(
        subject,
        config([await refusingUrl()], "retry: { for: 1m }"),
      );
      using client = await RawClient.open({ port: proxy.port });
      client.send({});
      await proxy.line(({ msg }) => msg === "upstream.penalised");
      client.destroy();
      const line = await proxy.line(({ msg }) => msg === "handled request", 3000);
      assert.deepEqual([line["outcome"], line["status"]], ["abandoned", 499]);
    });
  });
}

async function start(subject: Subject, { url }: RawUpstream): Promise<Understudy> {
  return await Understudy.start(subject, config([url], ""));
}

/** A penalty would make the only upstream unavailable. */
async function assertUnblamed(proxy: Understudy, upstream: RawUpstream): Promise<void> {
  upstream.behave((call: Call) => call.answer("here"));
  assert.equal((await ask({ port: proxy.port })).body.toString(), "here");
}

async function refusingUrl(): Promise<string> {
  await using upstream = await RawUpstream.start(() => {});
  return upstream.url;
}
