/**
 * What is a request in HTTP/2 and what is none: RFC 9113 section 8, and RFC 7541 where it packs them. What is
 * malformed costs its stream and nothing else, and never becomes an exchange.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Packed } from "../../src/wire/h2_hpack.ts";
import { readText } from "../support/fake_bytes.ts";
import { settled } from "../support/manual_clock.ts";
import { CODE, FLAG, FRAME, packed } from "./h2_peer.ts";
import { asking, goesOn, open, POST, sayPath } from "./h2_served.ts";

const END = FLAG.endHeaders | FLAG.endStream;
const post = (...more: Packed[]) => asking({ ":method": "POST" }, ...more);

describe("H2Server, requests", () => {
  const heads: [string, readonly Packed[], string, string[]][] = [
    ["8.3.1: takes the least there is", asking(), "GET /", ["Host", "a.test"]],
    [
      "8.3.1: takes pseudo-fields in any order",
      [[":path", "/"], [":authority", "a.test"], [":method", "GET"], [":scheme", "http"]],
      "GET /",
      ["Host", "a.test"],
    ],
    [
      "8.3.1: takes a target nobody would normalise as it is",
      asking({ ":path": "//a/../%2e?x=|y&&" }),
      "GET //a/../%2e?x=|y&&",
      ["Host", "a.test"],
    ],
    [
      "8.3.1: takes OPTIONS of everything",
      asking({ ":method": "OPTIONS", ":path": "*" }),
      "OPTIONS *",
      [
        "Host",
        "a.test",
      ],
    ],
    ["8.3.1: takes any method of capitals", asking({ ":method": "M-SEARCH" }), "M-SEARCH /", [
      "Host",
      "a.test",
    ]],
    ["8.3.1: takes the other scheme", asking({ ":scheme": "https" }), "GET /", ["Host", "a.test"]],
    [
      "8.3.1: takes Host in place of an authority",
      asking({ ":authority": undefined }, ["x", "1"], ["host", "b.test:81"]),
      "GET /",
      ["Host", "b.test:81", "x", "1"],
    ],
    [
      "8.3.1: takes both where they say the same",
      asking({ ":authority": "A.test" }, ["host", "a.TEST"], ["x", "1"]),
      "GET /",
      ["Host", "A.test", "x", "1"],
    ],
    [
      "8.2: keeps the order of fields, and those that stand twice",
      asking({}, ["b", "1"], ["a", "2"], ["b", ""], ["x-u", "\xfc\t\xa0"]),
      "GET /",
      ["Host", "a.test", "b", "1", "a", "2", "b", "", "x-u", "\xfc\t\xa0"],
    ],
    [
      "8.2.3: makes one cookie of its crumbs",
      asking({}, ["cookie", "a=1"], ["x", "y"], ["cookie", ""], ["cookie", "b=2"], [
        "cookie",
        "c=3",
      ]),
      "GET /",
      ["Host", "a.test", "cookie", "a=1; b=2; c=3", "x", "y", "cookie", ""],
    ],
    ["8.2.2: takes te for trailers", asking({}, ["te", "trailers"]), "GET /", [
      "Host",
      "a.test",
      "te",
      "trailers",
    ]],
    ["8.1.1: takes a length of nothing", asking({}, ["content-length", "0"]), "GET /", [
      "Host",
      "a.test",
      "content-length",
      "0",
    ]],
  ];
  for (const [title, fields, line, expected] of heads) {
    it(title, async () => {
      const { client, exchanges } = open();
      client.headers(1, fields, true);
      await settled();
      const [exchange] = exchanges;
      assert.ok(exchange);
      assert.equal(`${exchange.method} ${exchange.target}`, line);
      assert.deepEqual(exchange.fields.flat, expected);
      assert.deepEqual(
        [exchange.proto, exchange.scheme, exchange.localPort, exchange.body, exchange.upgrade],
        ["HTTP/2.0", "http", 8080, undefined, undefined],
      );
      assert.equal(client.said().length, 2);
    });
  }

  const malformed: [string, string, readonly Packed[]][] = [
    ["8.2.1", "a name in capitals", asking({}, ["X-A", "1"])],
    ["8.2.1", "a name of nothing", asking({}, ["", "1"])],
    ["8.2.1", "a space in a name", asking({}, ["x a", "1"])],
    ["8.2.1", "a colon in a name", asking({}, ["x:a", "1"])],
    ["8.2.1", "a line break in a name", asking({}, ["x\r\na", "1"])],
    ["8.2.1", "a byte beyond ASCII in a name", asking({}, ["x\xe4", "1"])],
    ["8.2.1", "a NUL in a value", asking({}, ["x", "a\0b"])],
    ["8.2.1", "a line feed in a value", asking({}, ["x", "a\nhost: b"])],
    ["8.2.1", "a carriage return in a value", asking({}, ["x", "a\rb"])],
    ["8.2.1", "a whole head in a value", asking({}, ["x", "a\r\n\r\nGET / HTTP/1.1\r\nHost: b"])],
    ["8.2.1", "another control byte in a value", asking({}, ["x", "a\x7fb"])],
    ["8.2.1", "a space before a value", asking({}, ["x", " a"])],
    ["8.2.1", "a space behind a value", asking({}, ["x", "a "])],
    ["8.2.1", "a tab before a value", asking({}, ["x", "\ta"])],
    ["8.2.2", "connection", asking({}, ["connection", "keep-alive"])],
    ["8.2.2", "proxy-connection", asking({}, ["proxy-connection", "x"])],
    ["8.2.2", "keep-alive", asking({}, ["keep-alive", "5"])],
    ["8.2.2", "transfer-encoding", post(["transfer-encoding", "chunked"])],
    ["8.2.2", "upgrade", asking({}, ["upgrade", "websocket"])],
    ["8.2.2", "te for more than trailers", asking({}, ["te", "trailers, gzip"])],
    ["8.3", "a pseudo-field of its own", asking({ ":x": "1" })],
    ["8.3", "a pseudo-field of answers", asking({ ":status": "200" })],
    ["8.3", "the protocol of an extended CONNECT, which is not offered", [
      ...asking({ ":method": "CONNECT", ":protocol": "websocket" }),
    ]],
    ["8.3", "a pseudo-field behind a field", [
      ...asking({ ":path": undefined }),
      ["x", "1"],
      [":path", "/"],
    ]],
    ["8.3.1", "no method", asking({ ":method": undefined })],
    ["8.3.1", "no scheme", asking({ ":scheme": undefined })],
    ["8.3.1", "no path", asking({ ":path": undefined })],
    ["8.3.1", "two methods", [...asking(), [":method", "GET"]]],
    ["8.3.1", "two schemes", [...asking(), [":scheme", "http"]]],
    ["8.3.1", "two paths", [...asking(), [":path", "/"]]],
    ["8.3.1", "two authorities", [...asking(), [":authority", "a.test"]]],
    ["8.3.1", "a path of nothing", asking({ ":path": "" })],
    ["8.3.1", "a path that does not begin with a slash", asking({ ":path": "a" })],
    ["8.3.1", "a whole URI for a path", asking({ ":path": "http://b.test/" })],
    ["8.3.1", "a fragment", asking({ ":path": "/a#b" })],
    ["8.3.1", "a space in the path", asking({ ":path": "/a b" })],
    ["8.3.1", "a line break in the path", asking({ ":path": "/ HTTP/1.1\r\nHost: b" })],
    ["8.3.1", "a byte beyond ASCII in the path", asking({ ":path": "/\xe4" })],
    ["8.3.1", "everything of another method than OPTIONS", asking({ ":path": "*" })],
    ["8.3.1", "a method in small letters", asking({ ":method": "get" })],
    ["8.3.1", "a method of nothing", asking({ ":method": "" })],
    ["8.3.1", "a space in the method", asking({ ":method": "GET /x" })],
    ["8.3.1", "a scheme that is not HTTP's", asking({ ":scheme": "ftp" })],
    ["8.3.1", "neither authority nor Host", asking({ ":authority": undefined })],
    ["8.3.1", "an authority of nothing", asking({ ":authority": "" })],
    ["8.3.1", "a user in the authority", asking({ ":authority": "u@a.test" })],
    ["8.3.1", "a path in the authority", asking({ ":authority": "a.test/x" })],
    ["8.3.1", "an authority that is not Host", asking({}, ["host", "b.test"])],
    ["8.3.1", "an authority and a Host of nothing", asking({}, ["host", ""])],
    ["8.3.1", "two Hosts", asking({}, ["host", "a.test"], ["host", "a.test"])],
    ["8.1.1", "two lengths", post(["content-length", "1"], ["content-length", "1"])],
    ["8.1.1", "a list of lengths", post(["content-length", "1, 1"])],
    ["8.1.1", "a length that is no number", post(["content-length", "+1"])],
    ["8.1.1", "a length beyond all numbers", post(["content-length", "9".repeat(20)])],
    ["8.5", "CONNECT with a path", asking({ ":method": "CONNECT", ":scheme": undefined })],
    ["8.5", "CONNECT without an authority", [[":method", "CONNECT"], ["host", "a:1"]]],
  ];
  for (const [section, title, fields] of malformed) {
    it(`${section}: resets a stream that brings ${title}`, async () => {
      const opened = open();
      opened.client.headers(1, fields);
      assert.deepEqual(opened.client.said(), [`rst 1 ${CODE.protocol}`]);
      assert.equal(opened.refusals.length, 1);
      assert.match(opened.refusals[0] ?? "", /^400 /);
      assert.equal(opened.exchanges.length, 0);
      await goesOn(opened);
    });
  }

  const refused: [string, readonly Packed[], number][] = [
    [
      "8.5: CONNECT",
      asking({ ":method": "CONNECT", ":scheme": undefined, ":path": undefined }),
      405,
    ],
    ["TRACE", asking({ ":method": "TRACE" }), 405],
    ["a path that is too long", asking({ ":path": `/${"x".repeat(17_000)}` }), 414],
    ["too many fields", asking({}, ...Array.from({ length: 201 }, (): Packed => ["x", "y"])), 431],
    ["10.5.1: a head that is too large", asking({}, ["x", "y".repeat(70_000)]), 431],
  ];
  for (const [title, fields, status] of refused) {
    it(`answers ${title} with ${status}, and goes on`, async () => {
      const opened = open();
      opened.client.headers(1, fields, true);
      await settled();
      assert.deepEqual(opened.client.said(), [`headers 1 end :status=${status} content-length=0`]);
      opened.client.headers(3, fields, false);
      await settled();
      assert.deepEqual(opened.client.said(), [
        `headers 3 end :status=${status} content-length=0`,
        `rst 3 ${CODE.none}`,
      ]);
      assert.deepEqual(opened.refusals.map((told) => told.slice(0, 4)), [
        `${status} `,
        `${status} `,
      ]);
      assert.equal(opened.exchanges.length, 0);
      await goesOn(opened);
    });
  }

  it("counts the crumbs of a cookie as one field", async () => {
    const { client, exchanges } = open();
    const crumbs = Array.from({ length: 300 }, (_, at): Packed => ["cookie", `c${at}=1`]);
    client.headers(1, asking({}, ...crumbs), true);
    await settled();
    assert.equal(exchanges[0]?.fields.size, 2);
    assert.equal(exchanges[0]?.fields.get("cookie")?.split("; ").length, 300);
  });
});

describe("H2Server, trailers and lengths of requests", () => {
  it("8.1: hands trailers on, but for those that none may bring", async () => {
    let trailers: readonly string[] | undefined;
    const { client } = open(async ({ body }) => {
      while (await body?.read() !== undefined);
      trailers = body?.trailers?.flat;
    });
    client.headers(1, POST).data(1, "hi");
    client.headers(1, [["x-t", "1"], ["content-length", "9"], ["grpc-status", "0"]], true);
    await settled();
    assert.deepEqual(trailers, ["x-t", "1", "grpc-status", "0"]);
  });

  const broken: [string, string, Packed[], (client: ReturnType<typeof open>["client"]) => void][] =
    [
      ["8.1", "trailers that do not end it", [], (client) => client.headers(1, [["x", "1"]])],
      ["8.1", "a pseudo-field in its trailers", [], (client) => {
        client.headers(1, [[":path", "/"]], true);
      }],
      [
        "8.1",
        "a name in capitals in its trailers",
        [],
        (client) => client.headers(1, [["X", "1"]], true),
      ],
      [
        "8.1",
        "a line break in its trailers",
        [],
        (client) => client.headers(1, [["x", "a\r\nb"]], true),
      ],
      ["8.1", "trailers of HTTP/1.1 connections", [], (client) => {
        client.headers(1, [["transfer-encoding", "chunked"]], true);
      }],
      ["8.1", "trailers that are too large", [], (client) => {
        client.headers(1, [["x", "y".repeat(70_000)]], true);
      }],
      [
        "8.1.1",
        "less than it told",
        [["content-length", "3"]],
        (client) => client.data(1, "hi", true),
      ],
      ["8.1.1", "less than it told, and trailers", [["content-length", "3"]], (client) => {
        client.data(1, "hi").headers(1, [["x", "1"]], true);
      }],
      ["8.1.1", "more than it told", [["content-length", "1"]], (client) => client.data(1, "hi")],
      ["8.1.1", "more than it told in the end", [["content-length", "3"]], (client) => {
        client.data(1, "hi").data(1, "ho", true);
      }],
      ["8.1.1", "something though it told of nothing", [["content-length", "0"]], (client) => {
        client.data(1, "x", true);
      }],
    ];
  for (const [section, title, fields, says] of broken) {
    it(`${section}: resets a stream that brings ${title}`, async () => {
      let fate = "";
      const opened = open(async (exchange) => {
        if (exchange.target === "/on") return await sayPath(exchange);
        const { body } = exchange;
        try {
          while (await body?.read() !== undefined);
        } catch (error) {
          fate = error instanceof Error ? error.name : "";
        }
        return undefined;
      });
      opened.client.headers(1, post(...fields));
      says(opened.client);
      await settled();
      assert.deepEqual(opened.client.said(), [`rst 1 ${CODE.protocol}`]);
      assert.equal(opened.exchanges[0]?.signal.aborted, true);
      if (opened.exchanges[0]?.body !== undefined) assert.equal(fate, "BrokenBody");
      await goesOn(opened);
    });
  }

  it("8.1.1: resets a stream that tells a length and has no body", async () => {
    const opened = open();
    opened.client.headers(1, post(["content-length", "3"]), true);
    assert.deepEqual(opened.client.said(), [`rst 1 ${CODE.protocol}`]);
    await goesOn(opened);
  });

  it("8.1.1: takes a body as long as it told, its end apart", async () => {
    let text = "";
    const { client, exchanges } = open(async ({ body }) => {
      if (body !== undefined) text = await readText(body);
      return await new Promise(() => {});
    });
    client.headers(1, post(["content-length", "4"])).data(1, "hi").data(1, "ho").data(1, "", true);
    await settled();
    assert.deepEqual([exchanges[0]?.body?.lengthBytes, text], [4, "hiho"]);
    assert.deepEqual(client.said(), []);
  });
});

describe("H2Server, packed heads", () => {
  const block = (hex: string) =>
    Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (digits) => parseInt(digits, 16));
  const ASKED_HEX = "82 86 84 41 06 612e74657374";

  const broken: [string, string][] = [
    ["2.3.3: an index of nothing", "80"],
    ["2.3.3: an index beyond the table", "be"],
    ["4.2: a table resized behind the fields", `${ASKED_HEX} 20`],
    ["4.2: a table larger than allowed", `3f e2 1f ${ASKED_HEX}`],
    ["5.1: a number beyond all bounds", `${ASKED_HEX} ff ff ff ff ff ff 7f`],
    ["5.2: Huffman code padded by a byte", `${ASKED_HEX} 00 82 1f ff 00`],
    ["5.2: Huffman code padded with zeros", `${ASKED_HEX} 00 81 18 00`],
    ["5.2: the end of all strings amid one", `${ASKED_HEX} 00 84 ff ff ff ff 00`],
    ["6.1: a text that breaks off", `${ASKED_HEX} 00 05 61`],
  ];
  for (const [title, hex] of broken) {
    it(`RFC 7541 ${title} ends the connection`, () => {
      const { client, connection, exchanges } = open();
      client.raw(FRAME.headers, END, 1, block(hex));
      assert.deepEqual(client.said(), [`goaway 1 ${CODE.compression}`]);
      assert.equal(connection.state, "finished");
      assert.equal(exchanges.length, 0);
    });
  }

  const [plain, coded] = [
    ["0a637573746f6d2d6b6579", "0c637573746f6d2d76616c7565"],
    ["8825a849e95ba97d7f", "8925a849e95bb8e8b4bf"],
  ].map((texts) => texts.join(" "));
  const forms: [string, string, string[]][] = [
    ["6.1: takes a field that all know", "ba", ["user-agent", ""]],
    ["6.2.1: takes a field to keep", `40 ${plain}`, ["custom-key", "custom-value"]],
    ["6.2.1: takes a coded field to keep", `40 ${coded}`, ["custom-key", "custom-value"]],
    ["6.2.1: takes a value to keep of a known name", "7a 0161", ["user-agent", "a"]],
    ["6.2.2: takes a field not to keep", `00 ${plain}`, ["custom-key", "custom-value"]],
    ["6.2.2: takes a coded field not to keep", `00 ${coded}`, ["custom-key", "custom-value"]],
    ["6.2.2: takes a value not to keep of a known name", "0f2b 0161", ["user-agent", "a"]],
    ["6.2.3: takes a field never to keep", `10 ${plain}`, ["custom-key", "custom-value"]],
    ["6.2.3: takes a coded field never to keep", `10 ${coded}`, ["custom-key", "custom-value"]],
    ["6.2.3: takes a value never to keep of a known name", "1f2b 0161", ["user-agent", "a"]],
  ];
  for (const [title, hex, expected] of forms) {
    it(`RFC 7541 ${title}`, async () => {
      const { client, exchanges } = open();
      client.raw(FRAME.headers, END, 1, block(`${ASKED_HEX} ${hex}`));
      await settled();
      assert.deepEqual(exchanges[0]?.fields.flat.slice(2), expected);
    });
  }

  it("RFC 7541 4.2: a table may be resized twice before the fields", async () => {
    const opened = open();
    opened.client.raw(FRAME.headers, END, 1, block(`20 3f e1 1f ${ASKED_HEX}`));
    opened.client.said();
    await goesOn(opened);
  });

  it("keeps what one request packed for the next, malformed ones included", async () => {
    const { client, exchanges } = open();
    client.raw(FRAME.headers, END, 1, block(`82 86 84 40 01 58 01 31 41 06 612e74657374`));
    client.raw(FRAME.headers, END, 3, block("82 86 84 be"));
    await settled();
    assert.equal(exchanges[0]?.fields.get("host"), "a.test");
    assert.equal(exchanges.length, 1);
  });

  it("answers a head that unpacks to more than is allowed, however small it came", async () => {
    const opened = open();
    const { client } = opened;
    const entry = packed([["x", "y".repeat(4_000)]]);
    entry[0] = 0x40;
    // Within one frame, it would unpack to 60 MiB.
    client.raw(
      FRAME.headers,
      END,
      1,
      Uint8Array.from([...entry, ...new Uint8Array(12_000).fill(0xbe)]),
    );
    assert.deepEqual(client.said(), ["headers 1 end :status=431 content-length=0"]);
    await goesOn(opened);
  });
});
