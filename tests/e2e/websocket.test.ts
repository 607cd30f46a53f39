/** WebSockets through the proxy: messages, subprotocol and close codes pass both ways, and ends are told. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { describe, it } from "node:test";
import { isWire, WIRE_ONLY } from "../support/engine.ts";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask } from "../support/raw_client.ts";
import { RawUpstream } from "../support/raw_upstream.ts";
import { Echo, Talk } from "../support/websockets.ts";

const PROTOCOLS = ["superchat", "chat"];
const OPTIONS = { timeout: 15_000 };

async function start(subject: Subject, url: string, more = ""): Promise<Understudy> {
  return await Understudy.start(
    subject,
    `
listen: "127.0.0.1:0"
routes:
  - upstreams: ["${url}"]
    passive: { fail_duration: 30s }
${more}`,
  );
}

for (const subject of subjects) {
  describe(`a WebSocket (${subject.name})`, () => {
    it("carries text, binary and empty messages in order", OPTIONS, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy);
      for (const message of ["grüße", "", Buffer.from([0, 255, 128]), Buffer.alloc(0)]) {
        talk.socket.send(message);
        const { data, isBinary } = await talk.next();
        assert.deepEqual(data, Buffer.from(message));
        assert.equal(isBinary, typeof message !== "string");
      }
      assert.equal(echo.heads[0]?.["x-own"], "kept");
      assert.equal(echo.heads[0]?.["x-forwarded-for"], "127.0.0.1");
      assert.equal(echo.heads[0]?.["host"], `127.0.0.1:${proxy.port}`);
    });

    it("carries many messages in order, and large ones whole", OPTIONS, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy);
      const count = 2000;
      for (let at = 0; at < count; at++) talk.socket.send(`message ${at}`);
      for (let at = 0; at < count; at++) {
        assert.equal((await talk.next()).data.toString(), `message ${at}`);
      }
      const large = Buffer.alloc(2_000_000, "0123456789abcdef");
      talk.socket.send(large);
      assert.ok((await talk.next()).data.equals(large));
    });

    it("has the subprotocol that the upstream chose", OPTIONS, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy, PROTOCOLS);
      assert.equal(talk.socket.protocol, "chat");
      using plain = await Talk.open(proxy);
      assert.equal(plain.socket.protocol, "");
    });

    for (const code of [1000, 1001, 1011, 3000, 4999]) {
      // Deno's client sockets, as a browser's, send 1000 and 3000 to 4999 only.
      const reserved = subject.name === "deno" && code !== 1000 && code < 3000;
      const options = reserved ? { ...OPTIONS, ...WIRE_ONLY } : OPTIONS;
      it(`passes close code ${code} from the client`, options, async () => {
        await using echo = await Echo.start();
        await using proxy = await start(subject, echo.url);
        using talk = await Talk.open(proxy);
        talk.socket.close(code, "enough");
        assert.deepEqual(await echo.closes, [code, "enough"]);
        await talk.closed;
      });

      it(`passes close code ${code} from the upstream`, OPTIONS, async () => {
        await using echo = await Echo.start();
        await using proxy = await start(subject, echo.url);
        using talk = await Talk.open(proxy);
        talk.socket.send(`close ${code} enough`);
        assert.deepEqual(await talk.closed, [code, "enough"]);
      });
    }

    it("passes a close without code both ways", OPTIONS, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy);
      talk.socket.send("close");
      assert.deepEqual(await talk.closed, [1005, ""]);
      assert.deepEqual(await echo.closes, [1005, ""]);
    });

    // Deno's sockets have no abrupt end: the client sees one without a code there.
    const abrupt = subject.name === "deno" ? { ...OPTIONS, ...WIRE_ONLY } : OPTIONS;
    it("ends abnormally for the client when the upstream vanishes", abrupt, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy);
      talk.socket.send("vanish");
      const [code] = await talk.closed;
      assert.equal(code, 1006);
    });

    it("ends abnormally for the upstream when the client vanishes", OPTIONS, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy);
      talk.socket.terminate();
      const [code] = await echo.closes;
      assert.ok(code === 1006 || code === 1005, `closed with ${code}`);
      const line = await proxy.line(({ msg }) => msg === "handled request");
      assert.equal(line["status"], 101);
    });

    it("ends with 1001 on both sides when the proxy is drained", OPTIONS, async () => {
      await using echo = await Echo.start();
      await using proxy = await start(subject, echo.url);
      using talk = await Talk.open(proxy);
      talk.socket.send("a");
      await talk.next();
      proxy.kill("SIGTERM");
      const [code] = await talk.closed;
      assert.equal(code, 1001);
      const [heard] = await echo.closes;
      assert.ok(heard === 1001 || (subject.name === "deno" && heard === 1005), `heard ${heard}`);
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
    });

    it(
      "is refused when the upstream refuses, which is no failure of it",
      OPTIONS,
      async () => {
        await using upstream = await RawUpstream.start((call) => {
          if (call.field("upgrade") === undefined) call.answer("here");
          else call.answer("no", "403 Forbidden");
        });
        await using spare = await Echo.start();
        await using proxy = await start(subject, `${upstream.url}", "${spare.url}`);
        const talk = new Talk(proxy);
        const [, response] = await once(talk.socket, "unexpected-response");
        assert.equal(response.statusCode, isWire ? 403 : 502);
        response.destroy();
        assert.deepEqual(spare.heads, []);
        // Else any client could bar an upstream by asking for what it does not offer.
        assert.equal((await ask({ port: proxy.port })).body.toString(), "here");
      },
    );

    it("fails over when the first upstream is not there", OPTIONS, async () => {
      await using echo = await Echo.start();
      const absent = await RawUpstream.start(() => {});
      const { url } = absent;
      await absent[Symbol.asyncDispose]();
      await using proxy = await start(subject, `${url}", "${echo.url}`);
      using talk = await Talk.open(proxy);
      talk.socket.send("hello");
      assert.equal((await talk.next()).data.toString(), "hello");
    });
  });
}
