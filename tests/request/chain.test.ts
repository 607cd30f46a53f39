/** A request on its way through steps: who answers, what was changed before, what leaves in the end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Action, ErrorRule, Step } from "../../src/rules.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import type { Asked } from "../support/fake_exchange.ts";
import { RelayBench } from "../support/fake_relay.ts";
import {
  byMethod,
  fail,
  headers,
  onError,
  proxyTo,
  respond,
  rewrite,
  set,
  steps,
  stepsRoute,
  under,
  when,
} from "../support/fake_steps.ts";
import {
  answer,
  echo,
  hangs,
  notSent,
  readsAndDies,
  type Step as Play,
} from "../support/fake_transport.ts";

interface Row {
  readonly steps: readonly (Action | Step)[];
  readonly errors?: readonly ErrorRule[];
  readonly asked?: Asked;
  /** What upstream "a" does. */
  readonly a?: Play;
  readonly status: number;
  readonly body?: string;
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** Targets that upstreams were asked for. */
  readonly targets?: readonly string[];
}

const NAME = { name: "hostname" } as const;
const first = (...branches: (readonly [Step["match"], ...Action[]])[]): Action => ({
  kind: "first_of",
  branches: branches.map(([match, ...all]) => ({ match, steps: steps(...all) })),
});
const limit = (bodyBytes: number): Action => ({ kind: "limit", bodyBytes });
const BIG: Asked = { method: "PUT", body: new FakeBody(["12345"], { lengthBytes: 5 }) };

const rows: Record<string, Row> = {
  "answers what is written": {
    steps: [respond(["Hello ", NAME, "\n"], { status: ["201"] })],
    status: 201,
    body: "Hello proxy.test\n",
    fields: { "content-type": "text/plain; charset=utf-8", "content-length": "17" },
  },
  "calls JSON what is JSON": {
    steps: [respond('{"a": 1}')],
    status: 200,
    fields: { "content-type": "application/json" },
  },
  "leaves a written type and closes when told to": {
    steps: [
      respond("<p>", { fields: [{ name: "Content-Type", value: ["text/html"] }], close: true }),
    ],
    status: 200,
    fields: { "content-type": "text/html", connection: "close" },
  },
  "writes no body with 204": {
    steps: [respond("nothing", { status: ["204"] })],
    status: 204,
    body: "",
    fields: { "content-length": undefined, "content-type": undefined },
  },
  "answers 500 for a status that is none": {
    steps: [respond("x", { status: [{ name: "header", of: "X-S" }] })],
    asked: { fields: [["X-S", "999999"]] },
    status: 500,
  },
  "redirects, and lets nobody add a field": {
    steps: [{
      kind: "redirect",
      to: ["https://", NAME, { name: "uri" }, "\r\nX-Evil: 1"],
      status: 308,
    }],
    asked: { target: "/x?y" },
    status: 308,
    fields: { location: "https://proxy.test/x?yX-Evil: 1", "x-evil": undefined },
  },
  "answers 200 without a word when no step answers": {
    steps: [when(byMethod("PUT"), respond("no"))],
    status: 200,
    body: "",
  },
  "takes the first step that answers": {
    steps: [when(under("/b"), respond("b")), respond("first"), respond("second")],
    status: 200,
    body: "first",
  },
  "matches later steps by what earlier ones made": {
    steps: [rewrite({ uri: ["/b"] }), when(under("/b"), respond([{ name: "original_uri" }]))],
    asked: { target: "/a?x" },
    status: 200,
    body: "/a?x",
  },
  "sends upstreams what the steps made": {
    steps: [
      rewrite({ method: ["PUT"], stripPrefix: ["/api"] }),
      headers(set("X-Path", { name: "path" })),
      proxyTo("a"),
    ],
    asked: { target: "/api/x?y", method: "POST" },
    a: (attempt) =>
      answer(200, { body: `${attempt.method} ${attempt.fields.get("x-path")}` })(attempt),
    status: 200,
    body: "PUT /x",
    targets: ["/x?y"],
  },
  "shows conditions the edited fields": {
    steps: [
      headers({ remove: ["X-Secret"] }),
      when({ kind: "header", name: "X-Secret", values: ["*"] }, respond("seen")),
      respond("gone"),
    ],
    asked: { fields: [["x-secret", "1"]] },
    status: 200,
    body: "gone",
  },
  "edits the response of whoever answers, in order": {
    steps: [
      headers({}, { ...set("X-One", "1"), remove: ["Content-Type"] }),
      headers({}, { ...set("X-One", "2"), fallback: [{ name: "X-Two", value: ["3"] }] }),
      respond("x"),
    ],
    status: 200,
    fields: { "x-one": "2", "x-two": "3", "content-type": undefined },
  },
  "edits an upstream's response by what it says": {
    steps: [
      headers({}, set("X-From", { name: "upstream" }, " ", { name: "status" })),
      proxyTo("a"),
    ],
    status: 200,
    fields: { "x-from": "a 200" },
  },
  "edits errors too": {
    steps: [headers({}, set("X-One", "1")), fail(404)],
    status: 404,
    fields: { "x-one": "1" },
  },
  "keeps variables": {
    steps: [
      { kind: "var", name: "who", value: [{ name: "query", of: "n" }, "!"] },
      respond([{ name: "var", of: "who" }]),
    ],
    asked: { target: "/?n=me" },
    status: 200,
    body: "me!",
  },
  "goes into nested steps and on after them": {
    steps: [
      when(under("/a"), { kind: "steps", steps: steps({ kind: "var", name: "v", value: ["1"] }) }),
      respond(["v=", { name: "var", of: "v" }]),
    ],
    asked: { target: "/a" },
    status: 200,
    body: "v=1",
  },
  "takes only the first branch that matches": {
    steps: [first([under("/a"), respond("one")], [undefined, respond("two")]), respond("after")],
    asked: { target: "/a/x" },
    status: 200,
    body: "one",
  },
  "goes on after a branch that answers nothing": {
    steps: [
      first([under("/a"), headers({}, set("X-A", "1"))], [undefined, respond("two")]),
      respond("after"),
    ],
    asked: { target: "/a/x" },
    status: 200,
    body: "after",
    fields: { "x-a": "1" },
  },
  "refuses a body that declares to be over a step's limit": {
    steps: [limit(4), proxyTo("a")],
    asked: BIG,
    status: 413,
    fields: { connection: "close" },
    targets: [],
  },
  "refuses a body that turns out to be over a step's limit": {
    steps: [limit(4), proxyTo("a")],
    asked: { method: "PUT", body: new FakeBody(["123", "45"]) },
    a: readsAndDies(),
    status: 413,
    targets: ["/"],
  },
  "keeps a body under the limit whole": {
    steps: [limit(5), limit(9), proxyTo("a")],
    asked: { method: "PUT", body: "12345" },
    a: echo(),
    status: 200,
    body: "a:12345",
  },
  "answers an error plainly where nobody has more to say": {
    steps: [fail(418, "short and stout")],
    errors: [onError(404, respond("other"))],
    status: 418,
    body: "",
    fields: { "x-request-id": "id-1" },
  },
  "lets error steps say it better, under the same status": {
    steps: [fail(404, "no such thing")],
    errors: [
      onError(404, respond([{ name: "error_status" }, " ", { name: "error_text" }])),
      onError(undefined, respond("other")),
    ],
    status: 404,
    body: "404 no such thing",
    fields: { "x-request-id": "id-1" },
  },
  "knows the common words for a status": {
    steps: [fail(404)],
    errors: [onError(undefined, respond([{ name: "error_text" }], { status: ["200"] }))],
    status: 200,
    body: "Not Found",
  },
  "lets error steps speak for upstreams that do not answer": {
    steps: [proxyTo("a")],
    errors: [onError(502, respond("sorry"))],
    a: notSent(),
    status: 502,
    body: "sorry",
  },
  "leaves an upstream's own error alone": {
    steps: [proxyTo("a")],
    errors: [onError(undefined, respond("sorry"))],
    a: answer(502, { body: "its own" }),
    status: 502,
    body: "its own",
  },
  "sends an error to an upstream that has pages for them": {
    steps: [proxyTo("a")],
    errors: [onError(502, rewrite({ uri: ["/502.html"] }), proxyTo("pages"))],
    a: notSent(),
    status: 200,
    targets: ["/", "/502.html"],
  },
  "answers plainly when error steps say nothing": {
    steps: [fail(503)],
    errors: [onError(503, headers({}, set("X-A", "1")))],
    status: 503,
    body: "",
    fields: { "x-a": "1" },
  },
  "answers the first error plainly when error steps fail themselves": {
    steps: [fail(404)],
    errors: [onError(404, fail(500)), onError(500, respond("loop"))],
    status: 404,
    body: "",
  },
  "keeps a large body from error steps": {
    steps: [limit(4), respond("never")],
    errors: [onError(413, respond("too much"))],
    asked: BIG,
    status: 413,
    body: "too much",
    fields: { connection: "close" },
  },
};

describe("createRelay() with steps", () => {
  for (const [title, row] of Object.entries(rows)) {
    it(title, async () => {
      const bench = new RelayBench(stepsRoute(row.steps, { errors: row.errors ?? [] }));
      if (row.a !== undefined) bench.transport.on("a", row.a);
      const { exchange, account } = await bench.ask(row.asked);
      assert.deepEqual(bench.bugs, []);
      assert.equal(exchange.reply?.status, row.status);
      assert.equal(account.status, row.status);
      if (row.body !== undefined) assert.equal(exchange.received, row.body);
      for (const [name, value] of Object.entries(row.fields ?? {})) {
        assert.equal(exchange.reply.fields.joined(name), value, name);
      }
      if (row.targets !== undefined) {
        assert.deepEqual(bench.transport.attempts.map(({ target }) => target), row.targets);
      }
      assert.equal(bench.inFlight, 0);
    });
  }

  it("asks an upstream a body was lost to no second time", async () => {
    const bench = new RelayBench(
      stepsRoute([proxyTo("a")], { errors: [onError(undefined, proxyTo("pages"))] }),
    );
    bench.transport.on("a", readsAndDies());
    const body = new FakeBody(["x".repeat(600_000), "y".repeat(600_000)]);
    const { exchange, account } = await bench.ask({ method: "POST", body });
    assert.deepEqual([exchange.reply?.status, account.outcome], [502, "failed"]);
    assert.deepEqual(bench.transport.asked, ["a"]);
    assert.equal(body.cancelled, true);
  });

  it("sends the body to an error page's upstream where it can be sent again", async () => {
    const bench = new RelayBench(
      stepsRoute([proxyTo("a")], { errors: [onError(undefined, proxyTo("pages"))] }),
    );
    bench.transport.on("a", readsAndDies()).on("pages", echo(503));
    const { exchange } = await bench.ask({ method: "POST", body: "body" });
    assert.deepEqual([exchange.reply?.status, exchange.received], [503, "pages:body"]);
  });

  it("tells whose word it was", async () => {
    const outcomes: [Action, string][] = [
      [respond("x"), "answered"],
      [fail(404), "refused"],
      [proxyTo("a"), "failed"],
    ];
    for (const [action, outcome] of outcomes) {
      const bench = new RelayBench(
        stepsRoute([action], { errors: [onError(undefined, respond("sorry"))] }),
      );
      bench.transport.on("a", notSent());
      const { account } = await bench.ask();
      assert.deepEqual([account.outcome, account.routeId], [outcome, "r"]);
    }
  });

  it("keeps an exchange out of the access log when told to", async () => {
    const bench = new RelayBench(
      stepsRoute([when(under("/ping"), { kind: "unlogged" }), respond("x")]),
    );
    assert.equal((await bench.ask({ target: "/ping" })).account.logged, false);
    assert.equal((await bench.ask()).account.logged, true);
  });

  it("sees its client leave amid the steps", async () => {
    const bench = new RelayBench(
      stepsRoute([proxyTo("a")], { errors: [onError(undefined, respond("sorry"))] }),
    );
    bench.transport.on("a", hangs());
    const { exchange, done } = bench.start();
    exchange.leave();
    assert.deepEqual([(await done).status, (await done).outcome], [499, "abandoned"]);
    assert.equal(bench.inFlight, 0);
  });
});

describe("createRelay() with routes for ports", () => {
  const routes = [
    stepsRoute([respond("any")], { id: "any" }),
    stepsRoute([respond("8081")], { id: "8081", ports: [8081] }),
    stepsRoute([respond("443")], { id: "443", ports: [443] }),
  ];
  const asks: [string, Asked, string][] = [
    ["by the port it came in on, whatever Host says", { host: "a:1", localPort: 8081 }, "8081"],
    ["by Host where that is not known", { host: "a:8081" }, "8081"],
    ["by the scheme's own port where Host has none", { host: "a", scheme: "https" }, "443"],
    ["by a route for all ports otherwise", { host: "a" }, "any"],
  ];
  for (const [title, asked, body] of asks) {
    it(`routes ${title}`, async () => {
      const { exchange } = await new RelayBench(...routes).ask(asked);
      assert.equal(exchange.received, body);
    });
  }
});
