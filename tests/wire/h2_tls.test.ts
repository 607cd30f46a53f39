/** HTTP/2 over TLS on real sockets: chosen by ALPN, large and small, and broken where it breaks. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import { Fields } from "../../src/fields.ts";
import type { Exchange, Listener } from "../../src/model.ts";
import { sourceOf } from "../../src/source.ts";
import { wireEngine } from "../../src/wire/engine.ts";
import { Authority } from "../support/certificates.ts";
import { bytes, FakeBody } from "../support/fake_bytes.ts";
import { within } from "../support/fake_upstream.ts";
import { reply } from "./served.ts";

const MIB = 1024 * 1024;
const missing = async (program: string) =>
  (await platform.runProgram(program, ["--version"])).code === 0 ? false : `${program} is missing`;
const noCurl = await missing("curl");
const noH2load = await missing("h2load");

async function serve(exchange: Exchange): Promise<void> {
  const { target, body, proto, scheme, tls } = exchange;
  if (target === "/echo") {
    await exchange.answer(reply({ body }));
  } else if (target === "/dies") {
    await exchange.answer(reply({ body: new FakeBody(["fragment"], { end: "dies" }) }));
  } else if (target === "/bulk") {
    const pieces = Array.from({ length: 20 }, (_, at) => new Uint8Array(MIB).fill(at));
    await exchange.answer(reply({ body: new FakeBody(pieces, { lengthBytes: 20 * MIB }) }));
  } else {
    const fields = Fields.from([["X-Came-By", `${proto} ${scheme} ${tls?.protocol} ${tls?.name}`]]);
    await exchange.answer(reply({ fields, body: sourceOf(bytes("hello")) }));
  }
}

let authority: Authority;
let listener: Listener;
let folder = "";
let url = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-h2-tls-"));
  authority = await Authority.open();
  await writeFile(join(folder, "ca.pem"), authority.certificate);
  const material = { ...authority.issue("DNS:localhost"), clientAuthorities: [] };
  const context = platform.tlsContext({ ...material, minVersion: "1.2" });
  const door = {
    choose: () => ({ context, protocols: ["h2", "http/1.1"], asksClient: false }),
    failed() {},
  };
  listener = await wireEngine(platform).listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    serve,
    { terms: () => ({ door, securedOnly: false, h2c: false }) },
  );
  const port = listener.address.kind === "tcp" ? listener.address.port : 0;
  url = `https://localhost:${port}`;
});
after(async () => {
  listener.abort();
  await within("the listener to close", listener.close());
  await authority[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe("H2Server over TLS and curl", { skip: noCurl }, () => {
  const curl = (...args: string[]) =>
    platform.runProgram("curl", ["-sS", "--cacert", join(folder, "ca.pem"), "-m", "20", ...args]);

  it("agree on HTTP/2 by themselves, and on HTTP/1.1 where only that is offered", async () => {
    const two = await curl("-i", url);
    assert.match(two.stdout, /^HTTP\/2 200 \r\nx-came-by: HTTP\/2\.0 https h2 localhost\r\n/);
    const one = await curl("-i", "--http1.1", url);
    assert.match(
      one.stdout,
      /^HTTP\/1\.1 200 OK\r\nX-Came-By: HTTP\/1\.1 https http\/1\.1 localhost\r\n/,
    );
  });

  it("carry a body there and back, byte for byte", async () => {
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    const content = Uint8Array.from({ length: 3 * MIB + 7 }, (_, at) => (at * 31) >> 3);
    await writeFile(there, content);
    const { code, stderr } = await curl("--data-binary", `@${there}`, "-o", back, `${url}/echo`);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(new Uint8Array(await readFile(back)), content);
  });

  it("carry a large answer", async () => {
    const { stdout } = await curl("-o", "/dev/null", "-w", "%{size_download}", `${url}/bulk`);
    assert.equal(Number(stdout), 20 * MIB);
  });

  it("agree that an answer which breaks off is broken", async () => {
    assert.equal((await curl(`${url}/dies`)).code, 92);
  });
});

describe("H2Server over TLS and others", () => {
  it("carry thousands of requests", { skip: noH2load }, async () => {
    const { stdout } = await platform.runProgram("h2load", [
      ...["-n", "4000", "-c", "4", "-m", "50"],
      `${url}/`,
    ]);
    assert.match(stdout, / 4000 succeeded, 0 failed, 0 errored/);
    assert.match(stdout, /Application protocol: h2\n/);
  });

  it("part in two steps, and lose nothing that runs", async () => {
    const session = connect(url, { ca: authority.certificate });
    session.on("error", () => {});
    const streams = Array.from({ length: 20 }, () => session.request({ ":path": "/bulk" }));
    const sizes = Promise.all(streams.map(async (stream) => {
      let size = 0;
      stream.on("data", (piece: Uint8Array) => (size += piece.length));
      await once(stream, "end");
      return size;
    }));
    await within("the first answer", once(streams[0] ?? session, "response"));
    const closing = listener.close();
    assert.deepEqual(
      new Set(await within("all answers", sizes, 20_000)),
      new Set([20 * MIB]),
    );
    await within("the listener to close", closing);
    if (!session.destroyed) session.destroy();
  });
});
