/** HTTP/2 to a real server, of the runtime's own, over real sockets: both ways, large, and all at once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { platform } from "#platform";
import { Fields } from "../../src/fields.ts";
import type { Attempt, Outcome } from "../../src/model.ts";
import { Deadlines } from "../../src/deadlines.ts";
import { H2Client } from "../../src/wire/h2_client.ts";
import { FakeBody, readAll, readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { within } from "../support/fake_upstream.ts";

type Answering = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Ends what a test has opened. */
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Lab {
  send(what?: Partial<Attempt>): Promise<Outcome>;
  /** Connections made so far. */
  dials(): number;
}

/** An upstream of the runtime's `node:http2`, and a client to it. */
async function open(answering: Answering): Promise<Lab> {
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("sessionError", () => {});
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    answering(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const { clock, dial } = platform;
  const client = new H2Client({ clock, dial, deadlines: new Deadlines(clock) });
  const at = upstream("u", {
    scheme: "h2c",
    address: { kind: "tcp", host: "127.0.0.1", port },
    authority: "u",
  });
  closing.push(async () => {
    client.distrust(at);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  let dials = 0;
  server.on("connection", () => dials++);
  const send = (what: Partial<Attempt> = {}) =>
    within(
      "an answer",
      client.send({
        upstream: at,
        method: "GET",
        target: "/",
        fields: Fields.from([["Host", "gpu.example.com"]]),
        body: undefined,
        upgrade: undefined,
        progress: { sent: false },
        fresh: false,
        dialTimeoutMs: 3_000,
        headersTimeoutMs: undefined,
        signal: new AbortController().signal,
        ...what,
      }),
    );
  return {
    send,
    dials: () => dials,
  };
}

function answered(outcome: Outcome) {
  assert.ok(outcome.kind === "answered", JSON.stringify(outcome));
  return outcome.response;
}

/** Every visible character, as each has a code of its own on the wire. */
const VISIBLE = String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 0x21 + at));

const megabytes = (count: number) =>
  Array.from({ length: count }, (_, at) => new Uint8Array(1024 * 1024).fill(at));

describe("H2Client.send() and a server of the runtime", () => {
  it("asks and is answered, fields both ways", async () => {
    const heads: IncomingHttpHeaders[] = [];
    const lab = await open((stream, headers) => {
      heads.push(headers);
      stream.respond({
        ":status": 200,
        "set-cookie": ["a=1", "b=2"],
        "x-long": "y".repeat(20_000),
        "x-all": VISIBLE,
      });
      stream.end("hello");
    });
    const fields = Fields.from([
      ["Host", "gpu.example.com"],
      ["X-Mixed", "Case"],
      ["Cookie", "a=1"],
      ["X-Long", "z".repeat(20_000)],
    ]);
    const response = answered(await lab.send({ target: "//a/../%2e?x=1", fields }));
    assert.equal(response.status, 200);
    assert.deepEqual(
      [...response.fields].filter(([name]) => name === "set-cookie").map(([, value]) => value),
      ["a=1", "b=2"],
    );
    assert.equal(response.fields.get("x-long")?.length, 20_000);
    assert.equal(response.fields.get("x-all"), VISIBLE);
    assert.equal(response.body && await readText(response.body), "hello");
    const [head] = heads;
    assert.deepEqual(
      [
        head?.[":authority"],
        head?.[":path"],
        head?.[":scheme"],
        head?.["x-mixed"],
        head?.["cookie"],
      ],
      ["gpu.example.com", "//a/../%2e?x=1", "http", "Case", "a=1"],
    );
    assert.equal(head?.["x-long"]?.length, 20_000);
  });

  it("carries many requests on one connection", async () => {
    const lab = await open((stream, headers) => {
      stream.respond({ ":status": 200 });
      stream.end(String(headers[":path"]));
    });
    const texts = await Promise.all(Array.from({ length: 50 }, async (_, at) => {
      const { body } = answered(await lab.send({ target: `/${at}` }));
      return body && await readText(body);
    }));
    assert.deepEqual(texts, Array.from({ length: 50 }, (_, at) => `/${at}`));
    assert.equal(lab.dials(), 1);
  });

  it("carries 20 MiB up and down again", async () => {
    const lab = await open((stream) => {
      stream.respond({ ":status": 200 });
      stream.pipe(stream);
    });
    const body = new FakeBody(megabytes(20));
    const response = answered(await lab.send({ method: "POST", body, fresh: true }));
    const bytes = response.body && await within("20 MiB", readAll(response.body), 20_000);
    assert.equal(bytes?.length, 20 * 1024 * 1024);
    assert.ok(megabytes(20).every((piece, at) => bytes?.[at * 1024 * 1024 + 7] === piece[0]));
  });

  it("passes trailers on", async () => {
    const lab = await open((stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end("x");
    });
    const { body } = answered(await lab.send());
    assert.equal(body && await readText(body), "x");
    assert.equal(body?.trailers?.get("grpc-status"), "0");
  });

  it("tells the upstream that the client left", async () => {
    const left = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const lab = await open((stream) => {
      stream.on("close", () => left.resolve());
      asked.resolve();
    });
    const leaving = new AbortController();
    const sending = lab.send({ signal: leaving.signal });
    await within("the request", asked.promise);
    leaving.abort();
    assert.deepEqual(await sending, { kind: "abandoned" });
    await within("the upstream to be told", left.promise);
  });
});
