/**
 * What the process outlives: nonsense from either side, bugs of its own, the runtime's limits, and
 * files that someone left in its working directory.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { Proxy } from "../../src/app.ts";
import { load } from "../../src/config/load.ts";
import { Logger } from "../../src/ops/log.ts";
import { webEngine } from "../../src/web/engine.ts";
import { configFor, folder, NOWHERE, run } from "../support/commands.ts";
import { isWire } from "../support/engine.ts";
import { WORLD } from "../support/fake_world.ts";
import { Child, subjects, Understudy } from "../support/processes.ts";
import { GARBAGE, StreamUpstream } from "../support/stream_upstream.ts";
import { ask, freePort } from "../support/streams.ts";

/** What clients send that are no clients; none of it may reach an upstream. */
const NONSENSE: readonly string[] = [
  "",
  "\0\0\0\0",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
  "GET /nonsense\r\n\r\n",
  "GET /nonsense HTTP/1.1\r\nHost: x\r\nHos",
  "GET /nonsense HTTP/1.1\r\nHost: a b\r\n\r\n",
  "GET /nonsense HTTP/1.1\r\n: x\r\nHost: x\r\n\r\n",
  "POST /nonsense HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
  "POST /nonsense HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /nonsense HTTP/1.1\r\n\r\n",
  "POST /nonsense HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  `GET /nonsense HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(200_000)}\r\n\r\n`,
  `GET /${"nonsense".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  "SSH-2.0-OpenSSH_9.2\r\n",
];

/** Sends nonsense and hangs up, at once or after a word of reply. */
function garbage(port: number, index: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(Buffer.from(NONSENSE[index % NONSENSE.length] ?? "", "latin1"));
      if (index % 2 === 0) socket.end();
      else socket.destroy();
    });
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

describe("Proxy", () => {
  it("answers 500, tells of it and goes on when a request meets a bug", {
    timeout: 10_000,
  }, async () => {
    const loaded = await load(configFor(NOWHERE), {
      path: "config.yaml",
      env: () => undefined,
      readSecret: () => Promise.resolve(""),
      certificateNames: () => [],
    });
    assert.equal(loaded.kind, "loaded");
    if (loaded.kind !== "loaded") return;
    let text = "";
    const log = new Logger(loaded.config.log, {
      now: () => 0,
      write: (lines) => void (text += lines),
      later: (callback) => queueMicrotask(callback),
      colours: false,
    });
    const engine = webEngine(platform);
    const proxy = await Proxy.open(loaded.config, {
      engine: {
        listen: (address, serve) => engine.listen(address, serve),
        transport: {
          ...engine.transport,
          send: () => Promise.reject(new Error("bug on purpose")),
        },
      },
      log,
      clock: platform.clock,
      names: platform.names,
      ...WORLD,
    });
    const [address] = proxy.addresses;
    const port = address?.kind === "tcp" ? address.port : 0;
    for (const path of ["/first", "/second"]) {
      assert.deepEqual(await ask(port, path), { status: 500, body: "", end: "whole" });
    }
    assert.equal(await proxy.drain(1000), 0);
    assert.equal(text.match(/"bug\.caught".*bug on purpose/g)?.length, 2);
    assert.equal(text.match(/"outcome":"error"/g)?.length, 2);
  });
});

for (const subject of subjects) {
  describe(`understudy (${subject.name}) goes on`, () => {
    it("returns to the preferred upstream on SIGUSR2 when failback is manual", {
      timeout: 20_000,
    }, async () => {
      await using second = await StreamUpstream.open("second");
      const port = await freePort();
      const config = `
listen: 127.0.0.1:0
routes:
  - upstreams:
      - { url: "http://127.0.0.1:${port}", name: first }
      - { url: "${second.url}", name: second }
    health: { uri: /, interval: 200ms, timeout: 5s }
    failback: manual
`;
      await using proxy = await Understudy.start(subject, config);
      await proxy.phase("first", "down");
      assert.equal((await ask(proxy.port)).body, "second");
      await using _first = await StreamUpstream.open("first", port);
      await proxy.phase("first", "up");
      assert.equal((await ask(proxy.port)).body, "second");
      proxy.kill("SIGUSR2");
      await proxy.line(({ msg }) => msg === "failback.released");
      assert.equal((await ask(proxy.port)).body, "first");
    });

    it("survives 200 connections of garbage", { timeout: 30_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      await Promise.all(Array.from({ length: 200 }, (_, index) => garbage(proxy.port, index)));
      assert.equal((await ask(proxy.port)).status, 200);
      assert.deepEqual(upstream.calls.filter(({ target }) => target !== "/"), []);
    });

    it("survives upstreams that answer garbage", { timeout: 30_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      for (let index = 0; index < GARBAGE.length; index++) {
        const { status, end } = await ask(proxy.port, `/garbage?kind=${index}`);
        // A status that HTTP does not know passes where nothing has to know it.
        const passed = isWire && status === 999;
        assert.ok(
          status === 502 || end === "cut" || passed,
          `Answer ${index} gave ${status} ${end}`,
        );
      }
      assert.equal((await ask(proxy.port)).status, 200);
      assert.deepEqual(proxy.lines.filter(({ msg }) => msg === "bug.caught"), []);
    });

    it("keeps its process id when it raises Bun's limit on requests", {
      timeout: 20_000,
      skip: subject.name === "deno" ? "Deno has no such limit" : false,
    }, async () => {
      await using proxy = await Understudy.start(subject, configFor(NOWHERE));
      const environment = await readFile(`/proc/${proxy.pid}/environ`, "utf8");
      assert.match(environment, /(?:^|\0)BUN_CONFIG_MAX_HTTP_REQUESTS=65535\0/);
      const name = await readFile(`/proc/${proxy.pid}/comm`, "utf8");
      assert.match(name, /understudy|bun/);
    });

    it("takes neither code nor settings from its working directory", {
      timeout: 20_000,
      skip: subject.name === "binary" ? false : "holds for the binary only",
    }, async () => {
      await using at = await folder({
        ".env": "UPSTREAM=http://127.0.0.1:1\nBUN_CONFIG_MAX_HTTP_REQUESTS=1\n",
        "bunfig.toml": 'preload = ["./evil.ts"]\n',
        "evil.ts": 'import { writeFileSync } from "node:fs";\nwriteFileSync("was-here", "");\n',
        "config.yaml": configFor("${UPSTREAM:-http://127.0.0.1:2}"),
      });
      const { code } = await run(subject, ["validate"], { cwd: at.path });
      assert.equal(code, 0);
      await using proxy = new Child([...subject.command, "run"], { cwd: at.path });
      const started = await proxy.line(({ msg }) => msg === "proxy.started");
      const port = Number(/:(\d+)"/.exec(JSON.stringify(started["listening"]))?.[1]);
      assert.equal((await ask(port)).status, 502);
      const { upstream } = await proxy.line(({ msg }) => msg === "handled request");
      assert.equal(upstream, "127.0.0.1:2", ".env was read");
      assert.equal(existsSync(join(at.path, "was-here")), false, "bunfig.toml was obeyed");
    });
  });
}
