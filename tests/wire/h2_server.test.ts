/** Exchanges on streams of HTTP/2: what becomes of answers, of bodies, and of either when somebody leaves. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Delivery, Exchange, Reply } from "../../src/model.ts";
import { sourceOf } from "../../src/source.ts";
import { headerFrames, together } from "../../src/wire/h2_make.ts";
import { WireTunnel } from "../../src/wire/tunnel.ts";
import { bytes, FakeBody, readAll, readText } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { CODE, FRAME, packed } from "./h2_peer.ts";
import { ASKED, asking, goesOn, open, POST, sayPath } from "./h2_served.ts";
import { MemoryConnection } from "./memory_net.ts";
import { reply, type Serve } from "./served.ts";

/** Answers `/on`, and all else as told. */
const answers = (what: () => Partial<Reply>): Serve => (exchange) =>
  exchange.target === "/on" ? sayPath(exchange) : exchange.answer(reply(what()));
const fields = (...pairs: [string, string][]) => Fields.from(pairs);

describe("H2Server, answers", () => {
  const plain: [string, Partial<Reply>, string[]][] = [
    ["without a body", {}, ["headers 1 end :status=200 content-length=0"]],
    ["with a status of its own", { status: 599 }, ["headers 1 end :status=599 content-length=0"]],
    [
      "with a body at hand",
      { body: sourceOf(bytes("hello")) },
      ["headers 1 :status=200 content-length=5", 'data 1 end "hello"'],
    ],
    [
      "with a body of a length that comes later",
      { body: new FakeBody(["hel", "lo"], { lengthBytes: 5 }) },
      ["headers 1 :status=200 content-length=5", 'data 1 "hel"', 'data 1 "lo"', 'data 1 end ""'],
    ],
    [
      "with a body of no known length",
      { body: new FakeBody(["a", "b"]), fields: fields(["Content-Length", "7"]) },
      ["headers 1 :status=200", 'data 1 "a"', 'data 1 "b"', 'data 1 end ""'],
    ],
    [
      "without fields of HTTP/1.1 connections",
      {
        fields: fields(
          ["Connection", "X-Hop"],
          ["Keep-Alive", "5"],
          ["Proxy-Connection", "x"],
          ["Transfer-Encoding", "chunked"],
          ["Upgrade", "h2c"],
          ["X", "y"],
        ),
      },
      ["headers 1 end :status=200 x=y content-length=0"],
    ],
    [
      "with names in small letters, values as they are, and what stands twice",
      {
        fields: fields(["Set-Cookie", "a=1"], ["X-Mixed", "Case \xfc"], ["Set-Cookie", "b=2"], [
          "X-Padded",
          " x\t",
        ]),
      },
      ["headers 1 end :status=200 set-cookie=a=1 x-mixed=Case \xfc set-cookie=b=2 x-padded=x content-length=0"],
    ],
  ];
  for (const [title, what, expected] of plain) {
    it(`go out ${title}`, async () => {
      const { client } = open(answers(() => what));
      client.headers(1, ASKED, true);
      await settled();
      assert.deepEqual(client.said(), expected);
    });
  }

  const bodiless: [string, string, number, string][] = [
    ["to HEAD", "HEAD", 200, "headers 1 end :status=200 content-length=7"],
    ["of 204", "GET", 204, "headers 1 end :status=204"],
    ["of 304", "GET", 304, "headers 1 end :status=304 content-length=7"],
  ];
  for (const [title, method, status, expected] of bodiless) {
    it(`${title} have no body, and the length that they may have`, async () => {
      const body = new FakeBody(["content"], { lengthBytes: 7 });
      const { client } = open(
        answers(() => ({ status, body, fields: fields(["Content-Length", "7"]) })),
      );
      client.headers(1, asking({ ":method": method }), true);
      await settled();
      assert.deepEqual(client.said(), [expected]);
      assert.equal(body.cancelled, true);
    });
  }

  it("have a date, their own where there is one", async () => {
    const { client, connection } = open(answers(() => ({ fields: fields(["Date", "then"]) })));
    client.headers(1, ASKED, true).headers(3, asking({ ":path": "/on" }), true);
    await settled();
    const text = connection.take();
    assert.deepEqual(text.match(/then|Sun, 22 Nov 2026 12:00:00 GMT/g), [
      "then",
      "Sun, 22 Nov 2026 12:00:00 GMT",
    ]);
  });

  it("leave in one write with their head, and with those of the same turn", async () => {
    const { client, connection } = open();
    client.headers(1, ASKED, true);
    await settled();
    assert.equal(connection.writes.length, 1);
    connection.take();
    connection.says(
      together([3, 5, 7].map((stream) => headerFrames(stream, packed(ASKED), true))),
    );
    await settled();
    assert.equal(connection.writes.length, 1);
  });

  it("end with trailers, where they have some that may be", async () => {
    const body = Object.assign(new FakeBody(["x"]), {
      trailers: fields(["Grpc-Status", "0"], ["Connection", "close"]),
    });
    const { client } = open(answers(() => ({ body })));
    client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(client.said(), [
      "headers 1 :status=200",
      'data 1 "x"',
      "headers 1 end grpc-status=0",
    ]);
  });

  it("end with trailers also behind a body at hand", async () => {
    const body = { ...sourceOf(bytes("x")), trailers: fields(["X-T", "1"]) };
    const { client } = open(answers(() => ({ body })));
    client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(client.said(), [
      "headers 1 :status=200 content-length=1",
      'data 1 "x"',
      "headers 1 end x-t=1",
    ]);
  });

  it("have heads of several frames where it takes them", async () => {
    const { client } = open(
      answers(() => ({ fields: fields(["X", "y".repeat(20_000)]), body: sourceOf(bytes("z")) })),
    );
    client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(client.said(), [
      `headers 1 :status=200 x=${"y".repeat(20_000)} content-length=1`,
      'data 1 end "z"',
    ]);
  });

  it("come behind interim ones", async () => {
    const { client } = open(async (exchange) => {
      exchange.interim?.(103, fields(["Link", "</a>"], ["Connection", "x"]));
      exchange.interim?.(101, fields());
      await exchange.answer(reply());
      exchange.interim?.(103, fields());
    });
    client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(client.said(), [
      "headers 1 :status=103 link=</a>",
      "headers 1 end :status=200 content-length=0",
    ]);
  });

  it("cannot be tunnels", async () => {
    const tunnel = new WireTunnel("x", new MemoryConnection(), new Uint8Array());
    let fate: unknown;
    const { client } = open(async (exchange) => {
      fate = await exchange.answer(reply({ status: 101, tunnel })).catch((error: unknown) => error);
    });
    client.headers(1, ASKED, true);
    await settled();
    assert.ok(fate instanceof TypeError);
    assert.deepEqual(client.said(), [`rst 1 ${CODE.internal}`]);
  });
});

describe("H2Server, bodies of requests", () => {
  it("come as they are read, and whole", async () => {
    let text = "";
    const { client } = open(async (exchange) => {
      if (exchange.body !== undefined) text = await readText(exchange.body);
      await exchange.answer(reply());
    });
    client.headers(1, POST).data(1, "hel").data(1, "").data(1, "lo").data(1, "", true);
    await settled();
    assert.equal(text, "hello");
    assert.deepEqual(client.said(), ["headers 1 end :status=200 content-length=0"]);
  });

  it("can be read after the stream is over, if they came whole", async () => {
    const { client, exchanges } = open();
    client.headers(1, POST);
    await settled();
    assert.deepEqual(client.said().at(-1), `rst 1 ${CODE.none}`);
    await assert.rejects(readAll(exchanges[0]?.body ?? new FakeBody([])));
    const whole = open(() => new Promise(() => {}));
    whole.client.headers(1, POST).data(1, "hi", true).number(FRAME.rst, 1, CODE.cancel);
    assert.equal(await readText(whole.exchanges[0]?.body ?? new FakeBody([])), "hi");
  });

  it("are asked for once they are wanted, where the client waits for that", async () => {
    let read = () => {};
    const { client } = open(async (exchange) => {
      await new Promise<void>((resolve) => (read = resolve));
      const text = exchange.body && await readText(exchange.body);
      await exchange.answer(reply({ fields: fields(["X", text ?? ""]) }));
    });
    client.headers(1, asking({ ":method": "POST" }, ["expect", "100-continue"]));
    await settled();
    assert.deepEqual(client.said(), []);
    read();
    await settled();
    assert.deepEqual(client.said(), ["headers 1 :status=100"]);
    client.data(1, "hi", true);
    await settled();
    assert.deepEqual(client.said(), ["headers 1 end :status=200 x=hi content-length=0"]);
  });

  it("8.1: are not wanted once the answer is out, and what still comes is dropped", async () => {
    const opened = open(answers(() => ({ status: 413 })));
    opened.client.headers(1, POST).data(1, "some");
    await settled();
    assert.deepEqual(opened.client.said(), [
      "headers 1 end :status=413 content-length=0",
      `rst 1 ${CODE.none}`,
    ]);
    opened.client.data(1, "more").data(1, "", true);
    assert.deepEqual(opened.client.said(), []);
    await goesOn(opened);
  });

  it("go on while the answer does", async () => {
    const { client } = open((exchange) => exchange.answer(reply({ body: exchange.body })));
    client.headers(1, POST);
    for (const text of ["a", "b", "c"]) {
      client.data(1, text);
      await settled();
      assert.equal(client.said().at(-1), `data 1 "${text}"`);
    }
    client.headers(1, [["x-t", "1"]], true);
    await settled();
    assert.deepEqual(client.said(), ["headers 1 end x-t=1"]);
  });
});

describe("H2Server, ends that are none", () => {
  it("breaks a stream off whose upstream dies, and lets others go on", async () => {
    const other = new FakeBody(["x"], { end: "hangs" });
    let delivery: Delivery | undefined;
    const opened = open(async (exchange) => {
      if (exchange.target === "/on") return await sayPath(exchange);
      if (exchange.target === "/other") return await exchange.answer(reply({ body: other }));
      const body = new FakeBody(["frag"], { end: "dies", lengthBytes: 9 });
      return delivery = await exchange.answer(reply({ body }));
    });
    opened.client.headers(1, asking({ ":path": "/other" }), true).headers(3, ASKED, true);
    await settled();
    assert.deepEqual(opened.client.said().filter((words) => words.includes(" 3 ")), [
      "headers 3 :status=200 content-length=9",
      'data 3 "frag"',
      `rst 3 ${CODE.internal}`,
    ]);
    assert.deepEqual(delivery, { end: "cut", bodyBytes: 4 });
    assert.equal(other.cancelled, false);
    await goesOn(opened);
  });

  it("breaks a stream off whose upstream dies behind the last byte it told of", async () => {
    const { client } = open(
      answers(() => {
        let unread: Uint8Array | undefined = bytes("all");
        return {
          body: {
            lengthBytes: 3,
            read() {
              const piece = unread;
              unread = undefined;
              return piece ?? Promise.reject(new Error("Sender died"));
            },
            cancel() {},
          },
        };
      }),
    );
    client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(client.said().slice(1), ['data 1 "all"', `rst 1 ${CODE.internal}`]);
  });

  it("aborts the exchange at once when its client resets it", async () => {
    const body = new FakeBody(["x"], { end: "hangs" });
    let delivery: Delivery | undefined;
    const opened = open(async (exchange) => {
      if (exchange.target === "/on") return await sayPath(exchange);
      return delivery = await exchange.answer(reply({ body }));
    });
    opened.client.headers(1, ASKED, true);
    await settled();
    opened.client.number(FRAME.rst, 1, CODE.cancel);
    assert.equal(opened.exchanges[0]?.signal.aborted, true);
    await settled();
    assert.deepEqual(delivery, { end: "left", bodyBytes: 1 });
    assert.equal(body.cancelled, true);
    opened.client.said();
    await goesOn(opened);
  });

  it("tells whoever heard of the exchange's end, and whoever reads its body", async () => {
    let heard = 0;
    let fate: unknown;
    const { client } = open(async (exchange) => {
      exchange.signal.addEventListener("abort", () => void heard++);
      fate = await readAll(exchange.body ?? new FakeBody([])).catch((error: Error) => error.name);
    });
    client.headers(1, POST).data(1, "some");
    client.number(FRAME.rst, 1, CODE.cancel);
    await settled();
    assert.deepEqual([heard, fate], [1, "BrokenBody"]);
    // It has an end already, and needs no other.
    assert.deepEqual(client.said(), []);
  });

  it("aborts all exchanges when the connection breaks, and none that were answered", async () => {
    const { client, connection, exchanges, gone } = open((exchange) =>
      exchange.target === "/on" ? sayPath(exchange) : new Promise(() => {})
    );
    client.headers(1, ASKED, true).headers(3, asking({ ":path": "/on" }), true);
    client.headers(5, POST);
    await settled();
    connection.leaves(false);
    assert.deepEqual(exchanges.map(({ signal }) => signal.aborted), [true, false, true]);
    assert.equal(gone(), 1);
  });

  it("answers nobody who has left", async () => {
    const body = new FakeBody(["x"]);
    const waiting: Exchange[] = [];
    const { client } = open((exchange) => {
      waiting.push(exchange);
      return new Promise(() => {});
    });
    client.headers(1, ASKED, true).number(FRAME.rst, 1, CODE.cancel);
    assert.deepEqual(await waiting[0]?.answer(reply({ body })), { end: "left", bodyBytes: 0 });
    assert.equal(body.cancelled, true);
    assert.deepEqual(client.said(), []);
  });

  it("breaks a stream off that was served without an answer", async () => {
    const opened = open((exchange) =>
      exchange.target === "/on" ? sayPath(exchange) : Promise.resolve()
    );
    opened.client.headers(1, ASKED, true);
    await settled();
    assert.deepEqual(opened.client.said(), [`rst 1 ${CODE.internal}`]);
    await goesOn(opened);
  });

  it("survives a body that breaks while its head waits for the client", async () => {
    const { client, connection } = open(
      answers(() => ({ body: new FakeBody([], { end: "dies" }) })),
    );
    connection.taking = false;
    client.headers(1, ASKED, true).raw(FRAME.ping, 0, 0, new Uint8Array(8));
    await settled();
    connection.drains();
    await settled();
    assert.equal(client.said().at(-1), `rst 1 ${CODE.internal}`);
  });
});
