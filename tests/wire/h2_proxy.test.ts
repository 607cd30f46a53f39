/** The whole proxy asked in HTTP/2, on real sockets: what upstreams see of it, and what clients see of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { wireEngine } from "../../src/wire/engine.ts";
import type { Engine } from "../../src/model.ts";
import { within } from "../support/fake_upstream.ts";
import { Lab } from "../support/lab.ts";

const CLEAR = { door: undefined, securedOnly: false, h2c: true };

/** The engine, with HTTP/2 in the clear on every listener. */
function h2Engine(): Engine {
  const engine = wireEngine(platform);
  return {
    transport: engine.transport,
    listen: (address, serve, options) =>
      engine.listen(address, serve, { ...options, terms: () => CLEAR }),
  };
}

/** A client, and all that it was answered. */
class Client implements AsyncDisposable {
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on("error", () => {});
  }

  ask(headers: Record<string, string | string[]> = {}, body?: string): ClientHttp2Stream {
    const stream = this.session.request(headers, { endStream: body === undefined });
    stream.on("error", () => {});
    if (body !== undefined) stream.end(body);
    return stream;
  }

  /** Status and body; the code of the reset where there was one. */
  async get(headers: Record<string, string | string[]> = {}, body?: string): Promise<string> {
    return await within("an answer", told(this.ask(headers, body)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.session.destroyed) return;
    const closed = once(this.session, "close");
    this.session.destroy();
    await closed;
  }
}

function told(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let [status, text] = [0, ""];
    stream.on("response", (head) => (status = Number(head[":status"])));
    stream.setEncoding("utf8");
    stream.on("data", (piece: string) => (text += piece));
    stream.on(
      "close",
      () => resolve(stream.rstCode > 0 ? `reset ${stream.rstCode}` : `${status} ${text}`),
    );
  });
}

describe("the proxy, asked in HTTP/2", () => {
  it("asks upstreams in HTTP/1.1, of all that was said", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    let heard: Record<string, unknown> = {};
    lab.upstream("main").answering = (request, response) => {
      let body = "";
      request.on("data", (piece) => (body += piece));
      request.on("end", () => {
        const { method, url, httpVersion, headers } = request;
        heard = { method, url, httpVersion, headers, body };
        response.writeHead(201, {
          "X-Up": "Yes",
          "Set-Cookie": ["a=1", "b=2"],
          Connection: "close",
        });
        response.end("made");
      });
    };
    await using client = new Client(lab.port);
    const asked = {
      ":method": "PUT",
      ":path": "//a/../%2e?x=1",
      "x-one": "1",
      cookie: ["c=3", "d=4"],
    };
    assert.equal(await client.get(asked, "hello"), "201 made");
    const { headers, ...line } = heard;
    assert.deepEqual(line, {
      method: "PUT",
      url: "//a/../%2e?x=1",
      httpVersion: "1.1",
      body: "hello",
    });
    assert.deepEqual(
      Object.entries(headers ?? {}).filter(([name]) => !/^(date|connection)$/.test(name)).map((
        [name, value],
      ) => `${name}: ${String(value)}`),
      [
        `host: 127.0.0.1:${lab.port}`,
        "x-one: 1",
        "cookie: c=3; d=4",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        `x-forwarded-host: 127.0.0.1:${lab.port}`,
        "via: 2.0 understudy",
        "transfer-encoding: chunked",
      ],
    );
    const [account] = await lab.accounted(1);
    assert.deepEqual([account?.exchange.proto, account?.status, account?.outcome], [
      "HTTP/2.0",
      201,
      "answered",
    ]);
  });

  it("goes to the next upstream when one is gone, and many go at once", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    await using client = new Client(lab.port);
    assert.equal(await client.get(), "200 main");
    await lab.stop("main");
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => client.get({ ":path": `/${at}` })),
    );
    assert.deepEqual(new Set(answers), new Set(["200 spare"]));
  });

  it("breaks the stream whose upstream dies mid-answer, and no other", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    let finish = () => {};
    lab.upstream("main").answering = (request, response) => {
      if (request.url === "/dies") {
        response.writeHead(200, { "Content-Length": "99" });
        response.write("fragment", () => response.socket?.destroy());
        return;
      }
      response.write("begun ");
      finish = () => response.end("and ended");
    };
    await using client = new Client(lab.port);
    const running = client.ask({ ":path": "/runs" });
    const answer = told(running);
    await once(running, "response");
    assert.equal(await client.get({ ":path": "/dies" }), "reset 2");
    finish();
    assert.equal(await within("the other answer", answer), "200 begun and ended");
    const accounts = await lab.accounted(2);
    assert.deepEqual(accounts.map(({ outcome }) => outcome), ["truncated", "answered"]);
  });

  it("tells the upstream at once that a client has left its stream", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    const left = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    lab.upstream("main").answering = (_, response) => {
      response.on("close", () => left.resolve());
      asked.resolve();
    };
    await using client = new Client(lab.port);
    const stream = client.ask();
    await within("the request", asked.promise);
    stream.close(8);
    await within("the upstream to be told", left.promise);
    const [account] = await lab.accounted(1);
    assert.equal(account?.outcome, "abandoned");
    assert.equal(client.session.destroyed, false);
  });

  it("lets running streams end when it drains, and says that it takes no more", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    let finish = () => {};
    lab.upstream("main").answering = (_, response) => {
      response.write("begun ");
      finish = () => response.end("and ended");
    };
    await using client = new Client(lab.port);
    const stream = client.ask();
    const answer = told(stream);
    await once(stream, "response");
    const parting = once(client.session, "goaway");
    const drained = lab.proxy.drain(10_000);
    await within("the farewell", parting);
    finish();
    assert.equal(await within("the answer", answer), "200 begun and ended");
    if (!client.session.closed) await within("the end", once(client.session, "close"));
    await within("the drain", drained);
  });

  it("passes trailers on, both ways", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    lab.upstream("main").answering = (request, response) => {
      request.resume();
      request.on("end", () => {
        response.writeHead(200, { Trailer: "Grpc-Status" });
        response.addTrailers({ "Grpc-Status": request.trailers["x-sent"] ?? "none" });
        response.end("x");
      });
    };
    await using client = new Client(lab.port);
    const stream = client.session.request({ ":method": "POST" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sent": "7" }));
    stream.end("body");
    const [trailers] = await within("trailers", once(stream.resume(), "trailers"));
    assert.equal(trailers["grpc-status"], "7");
  });

  it("refuses what is no request, and goes on", async () => {
    await using lab = await Lab.open({ engine: h2Engine() });
    await using client = new Client(lab.port);
    // Deno's client says 2 of every reset.
    assert.match(await client.get({ ":path": "/a b" }), /^reset [12]$/);
    assert.equal(await client.get({ ":method": "TRACE" }), "405 ");
    assert.equal(await client.get(), "200 main");
  });
});
