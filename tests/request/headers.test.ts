/** What becomes of fields on their way to the upstream and back. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Fields } from "../../src/fields.ts";
import type { HeaderRules, Template, Upstream } from "../../src/rules.ts";
import {
  editable,
  endToEnd,
  type Forwarding,
  requestFields,
  responseFields,
} from "../../src/request/headers.ts";
import type { Asked } from "../support/fake_exchange.ts";
import { FakeStanding, NO_RULES, pool, text, upstream } from "../support/fake_route.ts";
import { visit } from "../support/fake_visit.ts";

type Pairs = readonly (readonly [string, string])[];

function forwarding(asked: Asked = {}, viaTrusted = false): Forwarding {
  const of = visit({ ...asked, viaTrusted, clientIp: "198.51.100.9" });
  return { visit: of, exchange: of.exchange, client: of.client };
}

/** A pool of one upstream, with these rules for requests and responses alike. */
function place(upstream: Upstream, rules: HeaderRules) {
  const of = pool([{}], { headers: { request: rules, response: rules } });
  const standing = new FakeStanding();
  return { pool: of, member: { upstream, standing } };
}

function requestFor(from: Forwarding, to: Upstream, rules: HeaderRules): Fields {
  const { pool, member } = place(to, rules);
  return requestFields(from, pool, member);
}

function sent(fields: Pairs, viaTrusted = false): Fields {
  return requestFor(forwarding({ fields }, viaTrusted), upstream("a"), NO_RULES);
}

function answered(fields: Pairs, rules: HeaderRules = NO_RULES, by = upstream("a")): Fields {
  const response = {
    status: 200,
    reason: "",
    fields: Fields.from(fields),
    body: undefined,
    tunnel: undefined,
  };
  const told = { response, cookie: undefined, latencyMs: 1, retries: 0 };
  return responseFields({ ...place(by, rules), ...told }, forwarding().visit);
}

describe("endToEnd()", () => {
  const cases: [string, Pairs, Pairs][] = [
    ["keeps order, case and repetition", [["X-B", "1"], ["x-a", "2"], ["x-b", "3"]], [
      ["X-B", "1"],
      ["x-a", "2"],
      ["x-b", "3"],
    ]],
    ["drops the fields of one hop", [
      ["Connection", "keep-alive"],
      ["Keep-Alive", "timeout=5"],
      ["Proxy-Connection", "keep-alive"],
      ["Proxy-Authorization", "Basic x"],
      ["Transfer-Encoding", "chunked"],
      ["Upgrade", "websocket"],
      ["Trailer", "X-T"],
      ["HTTP2-Settings", "AAA"],
      ["Expect", "100-continue"],
      ["X-Keep", "1"],
    ], [["X-Keep", "1"]]],
    ["drops what Connection names, in any case and over several fields", [
      ["Connection", "close, X-One"],
      ["connection", " x-TWO ,"],
      ["X-One", "1"],
      ["x-two", "2"],
      ["X-Three", "3"],
    ], [["X-Three", "3"]]],
    ["survives junk in Connection", [["Connection", ",, ;=\t(,é"], ["X-A", "1"]], [["X-A", "1"]]],
    ["keeps Content-Length though Connection names it: the body's end hangs on it", [
      ["Connection", "content-length"],
      ["Content-Length", "5"],
    ], [["Content-Length", "5"]]],
    ["passes on TE: trailers and nothing else of it", [["TE", "gzip, trailers"]], [
      ["Te", "trailers"],
    ]],
    ["drops a TE without trailers", [["TE", "trailers2, gzip"]], []],
  ];
  for (const [title, before, after] of cases) {
    it(title, () => assert.deepEqual([...endToEnd(Fields.from(before))], after));
  }
});

describe("editable()", () => {
  const cases: [string, Pairs, Pairs][] = [
    ["carries out what Connection nominates, so that it cannot name what comes later", [
      ["Connection", "upgrade, X-User, Content-Length"],
      ["X-User", "root"],
      ["Content-Length", "1"],
      ["Upgrade", "websocket"],
    ], [["Connection", "upgrade"], ["Content-Length", "1"], ["Upgrade", "websocket"]]],
    ["leaves a plain Connection alone", [["Connection", "Keep-Alive, TE"], ["X-A", "1"]], [
      ["Connection", "Keep-Alive, TE"],
      ["X-A", "1"],
    ]],
    ["needs no Connection", [["X-A", "1"]], [["X-A", "1"]]],
  ];
  for (const [title, before, after] of cases) {
    it(title, () => {
      const fields = Fields.from(before);
      assert.deepEqual([...editable(fields)], after);
      assert.deepEqual([...fields], before);
    });
  }
});

describe("requestFields() forwards", () => {
  const forged: Pairs = [
    ["X-Forwarded-For", "6.6.6.6"],
    ["X-Forwarded-For", "7.7.7.7"],
    ["X-Forwarded-Proto", "https"],
    ["X-Forwarded-Host", "bank.test"],
  ];

  it("its own word when the peer is not trusted, whatever was forged", () => {
    const fields = sent(forged);
    assert.deepEqual([...fields].filter(([name]) => /^x-f/i.test(name)), [
      ["X-Forwarded-For", "192.0.2.7"],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Host", "proxy.test"],
    ]);
  });

  it("the word of a trusted peer, with the peer appended", () => {
    const fields = sent(forged, true);
    assert.equal(fields.joined("x-forwarded-for"), "6.6.6.6, 7.7.7.7, 192.0.2.7");
    assert.equal(fields.joined("x-forwarded-proto"), "https");
    assert.equal(fields.joined("x-forwarded-host"), "bank.test");
  });

  it("its own word where a trusted peer says nothing", () => {
    const fields = sent([], true);
    assert.equal(fields.get("x-forwarded-for"), "192.0.2.7");
    assert.equal(fields.get("x-forwarded-proto"), "http");
    assert.equal(fields.get("x-forwarded-host"), "proxy.test");
  });

  it("its own word though the client nominates the fields away", () => {
    const fields = sent([["Connection", "x-forwarded-for, host, via, x-forwarded-proto"]]);
    assert.equal(fields.get("x-forwarded-for"), "192.0.2.7");
    assert.equal(fields.get("x-forwarded-proto"), "http");
    assert.equal(fields.get("host"), "proxy.test");
    assert.equal(fields.get("via"), "1.1 understudy");
  });

  it("Via after what was there", () => {
    assert.equal(sent([["Via", "1.0 other"]]).joined("via"), "1.0 other, 1.1 understudy");
  });

  for (const version of ["1.0", "1.1", "2.0", "3.0"]) {
    it(`Via with the version that a request of HTTP/${version} came in`, () => {
      const fields = requestFor(forwarding({ proto: `HTTP/${version}` }), upstream("a"), NO_RULES);
      assert.equal(fields.get("via"), `${version} understudy`);
    });
  }

  it("no User-Agent and no Accept-Encoding of its own making", () => {
    const fields = sent([]);
    assert.equal(fields.has("user-agent") || fields.has("accept-encoding"), false);
  });

  it("nothing changed in the exchange itself", () => {
    const from = forwarding({ fields: [["Connection", "close"]] });
    requestFor(from, upstream("a"), NO_RULES);
    assert.deepEqual([...from.exchange.fields], [["Host", "proxy.test"], ["Connection", "close"]]);
  });

  const hosts: [string, Upstream["hostHeader"], string][] = [
    ["the client's", { kind: "client" }, "proxy.test"],
    ["the upstream's", { kind: "upstream" }, "a:80"],
    ["a literal", { kind: "literal", value: "inner.test" }, "inner.test"],
  ];
  for (const [title, hostHeader, expected] of hosts) {
    it(`${title} Host when host_header says so`, () => {
      const fields = requestFor(forwarding(), upstream("a", { hostHeader }), NO_RULES);
      assert.equal(fields.joined("host"), expected);
    });
  }
});

describe("rules", () => {
  const apply = (fields: Pairs, rules: Partial<HeaderRules>): [string, string][] =>
    [...answered(fields, { ...NO_RULES, ...rules })].filter(([name]) => name !== "Via");
  const rule = (name: string, ...value: Template) => ({ name, value: text(...value) });

  const cases: [string, Pairs, Partial<HeaderRules>, Pairs][] = [
    ["remove by name, in any case", [["X-A", "1"], ["x-a", "2"], ["X-B", "3"]], {
      remove: ["x-A"],
    }, [["X-B", "3"]]],
    ["remove by beginning and by end", [["X-In-A", "1"], ["A-Out", "2"], ["Other", "3"]], {
      remove: ["X-In-*", "*-out"],
    }, [["Other", "3"]]],
    [
      "replace in every field of the name",
      [["Location", "http://a/x"], ["location", "http://a/y"]],
      {
        replace: [{ name: "location", search: /^http:/g, with: text("https:") }],
      },
      [["Location", "https://a/x"], ["location", "https://a/y"]],
    ],
    ["replace with groups and placeholders", [["X-A", "k=v"]], {
      replace: [{
        name: "x-a",
        search: /(\w)=(\w)/g,
        with: text("$2=$1@", { name: "upstream" }),
      }],
    }, [["X-A", "v=k@a"]]],
    ["set once and add besides", [["X-A", "1"], ["X-A", "2"]], {
      set: [rule("x-a", "3")],
      add: [rule("X-A", "4"), rule("X-A", "5")],
    }, [["X-A", "3"], ["X-A", "4"], ["X-A", "5"]]],
    ["default where a field is absent, and only there", [["X-A", "1"]], {
      fallback: [rule("x-a", "2"), rule("X-B", "3")],
    }, [["X-A", "1"], ["X-B", "3"]]],
    ["go in order: remove, replace, set, add", [["X-A", "old"]], {
      add: [rule("X-A", "added")],
      set: [rule("X-A", "set")],
      remove: ["x-a"],
    }, [["X-A", "set"], ["X-A", "added"]]],
  ];
  for (const [title, before, rules, after] of cases) {
    it(title, () => assert.deepEqual(apply(before, rules), after));
  }

  it("know every placeholder", () => {
    const names = [
      "client_ip",
      "host",
      "upstream",
      "upstream_host",
      "scheme",
      "method",
      "uri",
      "request_id",
    ] as const;
    const set = names.map((name) => ({ name: `X-${name}`, value: text({ name }) }));
    const from = forwarding({ target: "/p?q", method: "PUT" });
    const fields = requestFor(from, upstream("a"), { ...NO_RULES, set });
    const values = ["198.51.100.9", "proxy.test", "a", "a:80", "http", "PUT", "/p?q", "id-1"];
    assert.deepEqual(names.map((name) => fields.get(`x-${name}`)), values);
  });

  it("take a placeholder's value as it is, though it looks like a reference to a group", () => {
    const replace = [{ name: "x-a", search: /.+/, with: text("<", { name: "uri" }, ">") }];
    const from = forwarding({ target: "/$&$1$$", fields: [["X-A", "old"]] });
    const fields = requestFor(from, upstream("a"), { ...NO_RULES, replace });
    assert.equal(fields.get("x-a"), "</$&$1$$>");
  });

  it("of an upstream come after those of its route", () => {
    const at = upstream("a", { headers: [rule("X-A", "upstream ", { name: "upstream" })] });
    const fields = requestFor(forwarding(), at, { ...NO_RULES, set: [rule("X-A", "route")] });
    assert.equal(fields.joined("x-a"), "upstream a");
  });

  it("never let a line break into a value, whatever goes in", () => {
    const nasty = fc.string({ unit: fc.constantFrom("a", "\r", "\n", "\0", "$", "&", ":") });
    fc.assert(fc.property(nasty, nasty, nasty, (target, name, literal) => {
      const value = text(literal, { name: "uri" }, { name: "upstream" });
      const rules = {
        remove: [],
        replace: [{ name: "x-a", search: /a/g, with: value }],
        set: [{ name: "X-B", value }],
        add: [{ name: "X-C", value }],
        fallback: [{ name: "X-E", value }],
      };
      const at = upstream("a", { name, headers: [{ name: "X-D", value }] });
      const from = forwarding({ target, fields: [["X-A", "aaa"]] });
      for (const [, made] of requestFor(from, at, rules)) assert.doesNotMatch(made, /[\r\n\0]/);
    }));
  });
});

describe("responseFields()", () => {
  it("tells in Via of an answer in HTTP/2 that it came so", () => {
    const fields = answered([["Via", "1.1 other"]], NO_RULES, upstream("a", { scheme: "h2c" }));
    assert.equal(fields.joined("via"), "1.1 other, 2.0 understudy");
  });

  it("drops the hop's own, keeps the rest in order and repeated, adds Via", () => {
    const fields = answered([
      ["Set-Cookie", "a=1"],
      ["Connection", "close"],
      ["Set-Cookie", "b=2"],
      ["Transfer-Encoding", "chunked"],
      ["Content-Encoding", "gzip"],
    ]);
    assert.deepEqual([...fields], [
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["Content-Encoding", "gzip"],
      ["Via", "1.1 understudy"],
    ]);
  });
});
