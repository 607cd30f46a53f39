/** One exchange: how its answer is framed, paced and broken, how its body is invited, what goes ahead of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { ByteSource, Delivery, Reply } from "../../src/model.ts";
import { FakeBody, readText } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { GET, get, held, HOST, OLD, open, post, reply } from "./served.ts";

describe("WireExchange.answer()", () => {
  const some = (lengthBytes?: number): ByteSource =>
    new FakeBody(["some"], lengthBytes === undefined ? {} : { lengthBytes });
  const length: [string, string][] = [["Content-Length", "4"]];
  const head = (status: string, fields: string) => `HTTP/1.1 ${status}\r\n${fields}\r\n`;
  const HEAD = `HEAD / HTTP/1.1\r\n${HOST}\r\n`;

  const cases: [string, string, Partial<Reply>, string, "open" | "closed"][] = [
    [
      "a length as sent",
      GET,
      { body: some(4), fields: Fields.from(length) },
      head("200 OK", "Content-Length: 4\r\n") + "some",
      "open",
    ],
    [
      "a length that nobody declared",
      GET,
      { body: some(4) },
      head("200 OK", "Content-Length: 4\r\n") + "some",
      "open",
    ],
    [
      "a length that an edit has bent",
      GET,
      {
        body: some(4),
        fields: Fields.from([["content-length", "9"], ["X", "y"], ["Content-Length", "4"]]),
      },
      head("200 OK", "content-length: 4\r\nX: y\r\n") + "some",
      "open",
    ],
    [
      "no length",
      GET,
      { body: some() },
      head("200 OK", "Transfer-Encoding: chunked\r\n") + "4\r\nsome\r\n0\r\n\r\n",
      "open",
    ],
    [
      "no length, and a false one",
      GET,
      { body: some(), fields: Fields.from(length) },
      head("200 OK", "Transfer-Encoding: chunked\r\n") + "4\r\nsome\r\n0\r\n\r\n",
      "open",
    ],
    ["no body", GET, {}, head("200 OK", "Content-Length: 0\r\n"), "open"],
    [
      "a HEAD with a length",
      HEAD,
      { fields: Fields.from(length) },
      head("200 OK", "Content-Length: 4\r\n"),
      "open",
    ],
    ["a HEAD without", HEAD, {}, head("200 OK", ""), "open"],
    ["a HEAD with a body all the same", HEAD, { body: some() }, head("200 OK", ""), "open"],
    [
      "a 304 with a length",
      GET,
      { status: 304, fields: Fields.from(length) },
      head("304 Not Modified", "Content-Length: 4\r\n"),
      "open",
    ],
    [
      "a 204 with a length",
      GET,
      { status: 204, fields: Fields.from(length) },
      head("204 No Content", ""),
      "open",
    ],
    ["a 204 with a body", GET, { status: 204, body: some() }, head("204 No Content", ""), "open"],
    [
      "a reason of its own",
      GET,
      { status: 799, reason: "Sehr sch\xf6n" },
      head("799 Sehr sch\xf6n", "Content-Length: 0\r\n"),
      "open",
    ],
    [
      "close when asked",
      get("/", "Connection: close\r\n"),
      {},
      head("200 OK", "Content-Length: 0\r\nConnection: close\r\n"),
      "closed",
    ],
    [
      "close when told",
      GET,
      { fields: Fields.from([["Connection", "close"]]) },
      head("200 OK", "Content-Length: 0\r\nConnection: close\r\n"),
      "closed",
    ],
    [
      "HTTP/1.0",
      OLD,
      { body: some(4) },
      head("200 OK", "Content-Length: 4\r\nConnection: close\r\n") + "some",
      "closed",
    ],
    [
      "HTTP/1.0 and no length",
      OLD,
      { body: some() },
      head("200 OK", "Connection: close\r\n") + "some",
      "closed",
    ],
    [
      "HTTP/1.0 kept alive",
      OLD.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"),
      { body: some(4) },
      head("200 OK", "Content-Length: 4\r\nConnection: keep-alive\r\n") + "some",
      "open",
    ],
    [
      "HTTP/1.0 kept alive and no length",
      OLD.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"),
      { body: some() },
      head("200 OK", "Connection: close\r\n") + "some",
      "closed",
    ],
  ];
  for (const [title, request, what, expected, state] of cases) {
    it(`frames the answer right when it is: ${title}`, async () => {
      const { connection } = open((exchange) => exchange.answer(reply(what)));
      connection.says(request);
      await settled();
      assert.deepEqual([connection.text, connection.state], [expected, state]);
    });
  }

  it("says when an answer came that does not say it, and leaves a date that is there", async () => {
    const { connection } = open((exchange) => {
      const fields = Fields.from(exchange.target === "/dated" ? [["date", "once"]] : []);
      return exchange.answer(reply({ fields }));
    });
    connection.says(get("/") + get("/dated"));
    await settled();
    const [undated = "", dated = ""] = connection.writes;
    const date = /\r\nDate: (\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT)\r\n/.exec(undated)
      ?.[1];
    assert.equal(new Date(date ?? "").toUTCString(), date);
    assert.match(dated, /\r\ndate: once\r\n/);
    assert.doesNotMatch(dated, /Date:/);
  });

  it("sends a small answer in one write with its head when its bytes are there", async () => {
    const chunks = [new TextEncoder().encode("some")];
    const body: ByteSource = { lengthBytes: 4, read: () => chunks.shift(), cancel() {} };
    const { connection } = open((exchange) => exchange.answer(reply({ body })));
    connection.says(GET);
    await settled();
    assert.equal(connection.writes.length, 1);
  });

  it("sends a head at once when its body comes later", async () => {
    const { connection } = open((exchange) =>
      exchange.answer(reply({ body: new FakeBody([], { end: "hangs" }) }))
    );
    connection.says(GET);
    await settled();
    assert.match(connection.text, /\r\n\r\n$/);
  });

  for (const request of [GET, OLD]) {
    it(`breaks the connection when the body breaks (${request.slice(6, 14)})`, async () => {
      let delivery: Delivery | undefined;
      const { connection } = open(async (exchange) => {
        delivery = await exchange.answer(reply({ body: new FakeBody(["x"], { end: "dies" }) }));
      });
      connection.says(request);
      await settled();
      assert.deepEqual([delivery?.end, connection.state], ["cut", "reset"]);
      assert.doesNotMatch(connection.text, /0\r\n\r\n$/);
    });
  }

  it("passes trailers behind a chunked body", async () => {
    const body = Object.assign(new FakeBody(["x"]), { trailers: Fields.from([["X-Sum", "1"]]) });
    const { connection } = open((exchange) => exchange.answer(reply({ body })));
    connection.says(GET);
    await settled();
    assert.match(connection.text, /1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });

  /** Asked by a client that has taken the head alone. */
  async function halted() {
    const body = new FakeBody(["a", "b", "c"]);
    const { connection } = open((exchange) => exchange.answer(reply({ body })));
    connection.taking = false;
    connection.says(GET);
    await settled();
    connection.events.drained();
    await settled();
    return { body, connection };
  }

  it("reads no faster than the client takes", async () => {
    const { body, connection } = await halted();
    assert.equal(body.reads, 1);
    connection.events.drained();
    await settled();
    assert.equal(body.reads, 2);
    connection.drains();
    await settled();
    assert.equal(body.reads, 4);
    assert.match(connection.text, /0\r\n\r\n$/);
  });

  it("reads nothing of a body that it gave up, as nobody would hear of the refusal", async () => {
    const { body, connection } = await halted();
    connection.leaves(false);
    await settled();
    assert.deepEqual([body.cancelled, body.reads], [true, 1]);
  });
});

describe("WireExchange.body", () => {
  it("invites the body once somebody reads it, when 100-continue is expected", async () => {
    const reading: (() => void)[] = [];
    const { connection } = open(async (exchange) => {
      await new Promise<void>((resolve) => reading.push(resolve));
      await readText(exchange.body ?? new FakeBody([]));
      await exchange.answer(reply());
    });
    connection.says(post("Expect: 100-continue\r\nContent-Length: 2\r\n"));
    await settled();
    assert.equal(connection.text, "");
    reading.shift()?.();
    await settled();
    assert.equal(connection.take(), "HTTP/1.1 100 Continue\r\n\r\n");
    connection.says("hi");
    await settled();
    assert.match(connection.text, /^HTTP\/1.1 200 /);
    assert.equal(connection.state, "open");
  });

  it("invites no body that nobody wants, and ends the connection", async () => {
    const { connection } = open((exchange) => exchange.answer(reply({ status: 403 })));
    connection.says(post("Expect: 100-continue\r\nContent-Length: 2\r\n"));
    await settled();
    assert.match(connection.text, /^HTTP\/1.1 403 .*Connection: close/s);
    assert.equal(connection.state, "finished");
  });

  it("stops the client while nobody reads, and goes on", async () => {
    const { serve, waiting } = held();
    const { connection } = open(serve);
    connection.says(post("Content-Length: 300000\r\n"));
    await settled();
    connection.says(new Uint8Array(100_000));
    assert.deepEqual([connection.pauses, connection.paused], [1, true]);
    await waiting[0]?.body?.read();
    assert.deepEqual([connection.resumes, connection.paused], [1, false]);
  });

  it("keeps the trailers that may be believed", async () => {
    const { serve, waiting } = held();
    const { connection } = open(serve);
    connection.says(post("Transfer-Encoding: chunked\r\n", "0\r\nX-Sum: 1\r\nHost: b\r\n\r\n"));
    const body = waiting[0]?.body;
    assert.equal(await body?.read(), undefined);
    assert.deepEqual([...body?.trailers ?? []], [["X-Sum", "1"]]);
  });
});

describe("WireExchange.interim()", () => {
  const hints = () => Fields.from([["Link", "</a>"], ["Content-Length", "0"]]);

  it("goes before the answer, and not after it", async () => {
    const { connection } = open(async (exchange) => {
      exchange.interim?.(103, hints());
      await exchange.answer(reply());
      exchange.interim?.(103, hints());
    });
    connection.says(GET);
    await settled();
    assert.match(
      connection.text,
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1.1 200 /,
    );
    assert.equal(connection.text.match(/103/g)?.length, 1);
  });

  it("is kept from HTTP/1.0", async () => {
    const { connection } = open(async (exchange) => {
      exchange.interim?.(103, hints());
      await exchange.answer(reply());
    });
    connection.says(OLD);
    await settled();
    assert.match(connection.text, /^HTTP\/1.1 200 /);
  });
});
