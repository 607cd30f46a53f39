/** HTTP/2 over real sockets, with clients of others and with our own: small and large, many at once, and broken. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { platform } from "#platform";
import { Deadlines } from "../../src/deadlines.ts";
import { Fields } from "../../src/fields.ts";
import type { ByteSource, Delivery, Exchange, Listener } from "../../src/model.ts";
import { sourceOf } from "../../src/source.ts";
import { wireEngine } from "../../src/wire/engine.ts";
import { H2Client } from "../../src/wire/h2_client.ts";
import { bytes, FakeBody, readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { within } from "../support/fake_upstream.ts";
import { reply } from "./served.ts";

const MIB = 1024 * 1024;
const { clock, dial } = platform;

async function missing(program: string): Promise<string | false> {
  const { code } = await platform.runProgram(program, ["--version"]);
  return code === 0 ? false : `${program} is missing`;
}
const noCurl = await missing("curl");
const noNghttp = await missing("nghttp");
const noH2load = await missing("h2load");

/** So many pieces of a megabyte, each made when it is asked for. */
function megabytes(count: number): ByteSource {
  let left = count;
  return {
    lengthBytes: count * MIB,
    read: () => left-- > 0 ? new Uint8Array(MIB).fill(left) : undefined,
    cancel() {},
  };
}

const deliveries: Delivery[] = [];
/** Aborts of exchanges so far, and who waits for one. */
let left = () => {};

async function serve(exchange: Exchange): Promise<void> {
  const { body, target } = exchange;
  exchange.signal.addEventListener("abort", () => left());
  const answer = async (what: Parameters<typeof reply>[0]) => {
    deliveries.push(await exchange.answer(reply(what)));
  };
  if (target === "/echo") {
    await answer({ body: body && echo(body) });
  } else if (target === "/sink") {
    let sizeBytes = 0;
    for (let piece = await body?.read(); piece; piece = await body?.read()) {
      sizeBytes += piece.length;
    }
    await answer({ body: sourceOf(bytes(String(sizeBytes))) });
  } else if (target.startsWith("/bulk/")) {
    const body = megabytes(Number(target.slice(6)));
    await answer({ body, fields: Fields.from([["Content-Length", String(body.lengthBytes)]]) });
  } else if (target === "/dies") {
    await answer({ body: new FakeBody(["fragment"], { end: "dies" }) });
  } else if (target === "/hangs") {
    await answer({ body: new FakeBody(["begun"], { end: "hangs" }) });
  } else if (target === "/hint") {
    exchange.interim?.(103, Fields.from([["Link", "</a>; rel=preload"]]));
    await answer({});
  } else {
    const fields = Fields.from([
      ["X-Asked", `${exchange.method} ${target} ${exchange.proto}`],
      ["X-Fields", exchange.fields.flat.join("|")],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
    await answer({ fields, body: sourceOf(bytes("hello")) });
  }
}

/** The body, with trailers of our own where it has none. */
function echo(body: ByteSource): ByteSource {
  return {
    lengthBytes: body.lengthBytes,
    read: () => body.read(),
    get trailers() {
      return body.trailers ?? Fields.from([["x-echoed", "all"]]);
    },
    cancel: () => body.cancel(),
  };
}

const CLEAR = { door: undefined, securedOnly: false, h2c: true };
let listener: Listener;
let port = 0;
let folder = "";
let url = "";
const closing: (() => void)[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-h2-"));
  const engine = wireEngine(platform);
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  listener = await engine.listen(address, serve, { terms: () => CLEAR });
  port = listener.address.kind === "tcp" ? listener.address.port : 0;
  url = `http://127.0.0.1:${port}`;
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
after(async () => {
  listener.abort();
  await within("the listener to close", listener.close());
  await rm(folder, { recursive: true });
});

describe("H2Server and curl", { skip: noCurl }, () => {
  const curl = (...args: string[]) =>
    platform.runProgram("curl", ["-sS", "--http2-prior-knowledge", "--max-time", "20", ...args]);

  it("understand each other", async () => {
    const { code, stdout } = await curl(
      "-i",
      "-H",
      "X-Mixed: Case",
      `${url}//a/../%2e?x=1`,
      "--path-as-is",
    );
    assert.equal(code, 0);
    assert.match(stdout, /^HTTP\/2 200 \r\n/);
    assert.match(stdout, /\r\nx-asked: GET \/\/a\/\.\.\/%2e\?x=1 HTTP\/2\.0\r\n/);
    assert.match(stdout, /\r\nx-fields: Host\|127\.0\.0\.1:\d+\|.*\|x-mixed\|Case\r\n/);
    assert.match(stdout, /\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 5\r\n/);
    assert.match(stdout, /\r\ndate: [^\r]+ GMT\r\n\r\nhello$/);
  });

  it("carry a body there and back, byte for byte", async () => {
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    const content = Uint8Array.from({ length: 3 * MIB + 7 }, (_, at) => (at * 31) >> 3);
    await writeFile(there, content);
    const { code, stderr } = await curl("--data-binary", `@${there}`, "-o", back, `${url}/echo`);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(new Uint8Array(await readFile(back)), content);
  });

  it("agree on a body that waits to be asked for", async () => {
    const { stdout } = await curl("-i", "-H", "Expect: 100-continue", "-d", "hello", `${url}/sink`);
    assert.match(stdout, /^HTTP\/2 100 \r\n\r\nHTTP\/2 200 .*\r\n\r\n5$/s);
  });

  it("agree on hints that come early", async () => {
    const { stdout } = await curl("-i", `${url}/hint`);
    assert.match(stdout, /^HTTP\/2 103 \r\nlink: <\/a>; rel=preload\r\n\r\nHTTP\/2 200 /);
  });

  it("agree that an answer which breaks off is broken", async () => {
    // An error of the stream, says curl; a clean end would be 0.
    assert.equal((await curl(`${url}/dies`)).code, 92);
  });

  it("agree on heads without bodies", async () => {
    const { code, stdout } = await curl("--head", `${url}/bulk/2`);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`\r\ncontent-length: ${2 * MIB}\r\n`));
  });
});

describe("H2Server and nghttp", { skip: noNghttp }, () => {
  it("agree on trailers, both ways", async () => {
    const file = join(folder, "trailing");
    await writeFile(file, "content");
    const { code, stdout } = await platform.runProgram("nghttp", [
      "-v",
      ...["--no-dep", "-d", file, "--trailer", "x-t: 1"],
      `${url}/echo`,
    ]);
    assert.equal(code, 0);
    // oxlint-disable-next-line no-control-regex
    const words = stdout.replace(/\x1b\[[\d;]*m/g, "");
    assert.match(words, /recv \(stream_id=\d+\) x-t: 1\n/);
    assert.match(words, /recv HEADERS frame <length=\d+, flags=0x05/);
  });

  it("carry many requests with priorities, padding and a small window", async () => {
    const { code, stdout } = await platform.runProgram("nghttp", [
      "-s",
      ...["-m", "100", "-b", "255", "-w", "4", "-W", "8", `${url}/bulk/0`, `${url}/`],
    ]);
    assert.equal(code, 0, stdout);
    assert.equal(stdout.match(/ 200 /g)?.length, 200);
  });
});

describe("H2Server and h2load", { skip: noH2load }, () => {
  const load = async (...args: string[]) => {
    const { stdout } = await platform.runProgram("h2load", args);
    return / (\d+) succeeded, (\d+) failed, (\d+) errored/.exec(stdout)?.slice(1).map(Number);
  };

  it("carry thousands of requests, a hundred at a time", async () => {
    assert.deepEqual(await load("-n", "5000", "-c", "4", "-m", "100", `${url}/`), [5_000, 0, 0]);
  });

  it("carry them all where a client would have more than it may at once", async () => {
    assert.deepEqual(await load("-n", "3000", "-c", "1", "-m", "1000", `${url}/`), [3_000, 0, 0]);
  });

  it("carry bodies through windows of three bytes", async () => {
    assert.deepEqual(await load("-n", "50", "-c", "2", "-m", "5", "-w", "2", `${url}/`), [
      50,
      0,
      0,
    ]);
  });

  it("carry large bodies, four at a time", async () => {
    assert.deepEqual(await load("-n", "12", "-c", "2", "-m", "4", `${url}/bulk/8`), [12, 0, 0]);
  });
});

describe("H2Server and the runtime's client", () => {
  async function session(): Promise<ClientHttp2Session> {
    const opened = connect(url);
    opened.on("error", () => {});
    closing.push(() => opened.destroy());
    await once(opened, "connect");
    return opened;
  }

  it("carry many requests at once", async () => {
    const client = await session();
    const answers = await within(
      "200 answers",
      Promise.all(Array.from({ length: 200 }, async (_, at) => {
        const stream = client.request({ ":path": `/${at}` });
        const [head] = await once(stream, "response");
        stream.resume();
        await once(stream, "end");
        return head["x-asked"];
      })),
    );
    assert.deepEqual(answers, Array.from({ length: 200 }, (_, at) => `GET /${at} HTTP/2.0`));
  });

  it("agree on who has left", async () => {
    const client = await session();
    const gone = new Promise<void>((resolve) => (left = resolve));
    const stream = client.request({ ":path": "/hangs" });
    stream.on("error", () => {});
    await once(stream, "data");
    deliveries.length = 0;
    stream.close(8);
    await within("the exchange to be told", gone);
    await within("the delivery", until(() => deliveries.length > 0));
    assert.deepEqual(deliveries, [{ end: "left", bodyBytes: 5 }]);
  });
});

describe("H2Server and our own client", () => {
  function client() {
    const h2 = new H2Client({ clock, dial, deadlines: new Deadlines(clock) });
    const to = upstream("u", {
      scheme: "h2c",
      address: { kind: "tcp", host: "127.0.0.1", port },
      authority: "u",
    });
    closing.push(() => h2.distrust(to));
    return async (target: string, body?: ByteSource) => {
      const outcome = await within(
        "an answer",
        h2.send({
          upstream: to,
          method: body === undefined ? "GET" : "POST",
          target,
          fields: Fields.from([["Host", "u"]]),
          body,
          upgrade: undefined,
          progress: { sent: false },
          fresh: false,
          dialTimeoutMs: 3_000,
          headersTimeoutMs: undefined,
          signal: new AbortController().signal,
        }),
        20_000,
      );
      assert.ok(outcome.kind === "answered", JSON.stringify(outcome));
      return outcome.response;
    };
  }
  /** Reads to the end; returns how much that was. */
  async function size(body: ByteSource | undefined): Promise<number> {
    let sizeBytes = 0;
    for (let piece = await body?.read(); piece; piece = await body?.read()) {
      sizeBytes += piece.length;
    }
    return sizeBytes;
  }

  it("carry 128 MiB each way, and memory stays flat", async () => {
    const send = client();
    await size((await send("/bulk/4")).body);
    const before = process.memoryUsage().rss;
    const up = await send("/sink", megabytes(128));
    assert.equal(up.body && await readText(up.body), String(128 * MIB));
    assert.equal(await within("128 MiB", size((await send("/bulk/128")).body), 30_000), 128 * MIB);
    const grownMib = (process.memoryUsage().rss - before) / MIB;
    assert.ok(grownMib < 100, `Grew by ${grownMib.toFixed(0)} MiB`);
  });

  it("carry bodies both ways at once, on many streams, with their trailers", async () => {
    const send = client();
    await send("/");
    const sizes = await Promise.all(Array.from({ length: 40 }, async (_, at) => {
      const chunks = Array.from({ length: at }, () => new Uint8Array(30_000));
      const body = Object.assign(new FakeBody(chunks), {
        trailers: Fields.from([["x-t", `${at}`]]),
      });
      const response = await send("/echo", body);
      const sizeBytes = await size(response.body);
      return [sizeBytes, response.body?.trailers?.get("x-t")];
    }));
    assert.deepEqual(sizes, Array.from({ length: 40 }, (_, at) => [at * 30_000, `${at}`]));
  });

  it("agree that an answer which breaks off is broken, and go on", async () => {
    const send = client();
    await assert.rejects(size((await send("/dies")).body));
    assert.equal(await size((await send("/")).body), 5);
  });
});

/** Waits for what happens between two turns. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
