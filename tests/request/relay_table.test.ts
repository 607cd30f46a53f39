/** One request through the relay, row by row: who is asked, what the client gets, what is told of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExchangeOutcome } from "../../src/model.ts";
import type {} from "../../src/rules.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import type { Asked } from "../support/fake_exchange.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { retry, route, type RouteChanges } from "../support/fake_route.ts";
import { answer, echo, notSent, readsAndDies, sent, type Step } from "../support/fake_transport.ts";

/** What a request comes to, in one row. */
interface Row {
  readonly asked?: Asked;
  readonly route?: RouteChanges;
  readonly a?: Step;
  readonly b?: Step;
  readonly status: number;
  readonly tried: string;
  readonly outcome: ExchangeOutcome;
  readonly body?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly failures?: readonly string[];
}

const POST: Asked = { method: "POST", body: "body" };
const MATCH = retry({
  match: [{
    kind: "all",
    of: [{ kind: "method", methods: ["POST"] }, { kind: "prefix", paths: ["/safe"] }],
  }],
});

const rows: Record<string, Row> = {
  "answers with the preferred upstream's own answer": {
    a: answer(201, { body: "hello", fields: [["X-A", "1"]] }),
    status: 201,
    tried: "a",
    outcome: "answered",
    body: "hello",
    fields: { "x-a": "1", "via": "1.1 understudy" },
    failures: [],
  },
  "moves a POST that was not sent, its body whole": {
    asked: POST,
    a: notSent(),
    b: echo(),
    status: 200,
    tried: "a b",
    outcome: "answered",
    body: "b:body",
    failures: ["a: refused (not sent)"],
  },
  "moves a PUT that was read and lost, its body whole": {
    asked: { method: "PUT", body: "body" },
    a: readsAndDies(),
    b: echo(),
    status: 200,
    tried: "a b",
    outcome: "answered",
    body: "b:body",
    failures: ["a: closed (sent)"],
  },
  "keeps a POST that was sent: 502": {
    asked: POST,
    a: readsAndDies(),
    status: 502,
    tried: "a",
    outcome: "failed",
    failures: ["a: closed (sent)"],
  },
  "moves a sent POST that retry.match allows": {
    asked: { ...POST, target: "/safe/x?y" },
    route: { retry: MATCH },
    a: readsAndDies(),
    b: echo(),
    status: 200,
    tried: "a b",
    outcome: "answered",
    body: "b:body",
  },
  "keeps a sent POST that retry.match does not name": {
    asked: { ...POST, target: "/safer" },
    route: { retry: MATCH },
    a: readsAndDies(),
    status: 502,
    tried: "a",
    outcome: "failed",
  },
  "keeps a PUT whose body is over the replay limit, and does not refuse it": {
    asked: { method: "PUT", body: new FakeBody(["12", "34", "56"]) },
    route: { retry: retry({ replayLimitBytes: 3 }) },
    a: readsAndDies(),
    status: 502,
    tried: "a",
    outcome: "failed",
  },
  "passes a body over the replay limit on whole": {
    asked: { method: "PUT", body: new FakeBody(["12", "34", "56"]) },
    route: { retry: retry({ replayLimitBytes: 3 }) },
    a: echo(),
    status: 200,
    tried: "a",
    outcome: "answered",
    body: "a:123456",
  },
  "answers 502 when no upstream can be reached": {
    a: notSent("refused"),
    b: notSent("unreachable"),
    status: 502,
    tried: "a b",
    outcome: "failed",
    failures: ["a: refused (not sent)", "b: unreachable (not sent)"],
  },
  "answers 504 when the last one did not answer in time": {
    a: notSent(),
    b: sent("headers_timeout"),
    status: 504,
    tried: "a b",
    outcome: "failed",
  },
  "stops after retry.attempts": {
    route: { retry: retry({ attemptsMax: 1 }) },
    a: notSent(),
    status: 502,
    tried: "a",
    outcome: "failed",
  },
  "fails over by retry.status": {
    route: { retry: retry({ status: [{ from: 500, to: 599 }] }) },
    a: answer(503, { body: "from a" }),
    b: answer(200, { body: "from b" }),
    status: 200,
    tried: "a b",
    outcome: "answered",
    body: "from b",
    failures: ["a: status 503"],
  },
  "gives the last upstream's own answer when retry.status is exhausted": {
    route: { retry: retry({ status: [{ from: 500, to: 599 }] }) },
    a: answer(503, { body: "from a" }),
    b: answer(502, { body: "from b", fields: [["X-From", "b"]] }),
    status: 502,
    tried: "a b",
    outcome: "answered",
    body: "from b",
    fields: { "x-from": "b" },
  },
  "gives the answer it kept when the next upstream cannot be reached": {
    route: { retry: retry({ status: [{ from: 500, to: 599 }] }) },
    a: answer(503, { body: "from a" }),
    b: notSent(),
    status: 503,
    tried: "a b",
    outcome: "answered",
    body: "from a",
    failures: ["a: status 503", "b: refused (not sent)"],
  },
  "does not fail over by a status when the body cannot be replayed": {
    asked: { method: "PUT", body: new FakeBody(["12", "34", "56"]) },
    route: { retry: retry({ replayLimitBytes: 3, status: [{ from: 503, to: 503 }] }) },
    a: echo(503),
    status: 503,
    tried: "a",
    outcome: "answered",
    body: "a:123456",
  },
  "answers 404 when no route fits": {
    asked: { target: "/x" },
    route: { paths: ["/only"] },
    status: 404,
    tried: "",
    outcome: "unrouted",
    fields: { "content-length": "0" },
  },
  "answers 400 and closes when Host is missing": {
    asked: { host: undefined },
    status: 400,
    tried: "",
    outcome: "refused",
    fields: { connection: "close" },
  },
  "answers 400 and closes when Host is malformed": {
    asked: { host: "a/b" },
    status: 400,
    tried: "",
    outcome: "refused",
    fields: { connection: "close" },
  },
  "answers 405 to CONNECT": {
    asked: { method: "CONNECT" },
    status: 405,
    tried: "",
    outcome: "refused",
    fields: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
  },
  "answers 405 to TRACE": {
    asked: { method: "TRACE" },
    status: 405,
    tried: "",
    outcome: "refused",
  },
  "answers 413 at once when the declared length is over the limit": {
    asked: { method: "POST", body: new FakeBody(["12345"], { lengthBytes: 5 }) },
    route: { bodyLimitBytes: 4 },
    status: 413,
    tried: "",
    outcome: "refused",
    fields: { connection: "close" },
  },
  "answers 413 when a body turns out to be over the limit": {
    asked: { method: "PUT", body: new FakeBody(["123", "45"]) },
    route: { bodyLimitBytes: 4 },
    a: readsAndDies(),
    status: 413,
    tried: "a",
    outcome: "refused",
    fields: { connection: "close" },
    failures: [],
  },
  "passes a body of exactly the limit": {
    asked: { method: "POST", body: new FakeBody(["1234"], { lengthBytes: 4 }) },
    route: { bodyLimitBytes: 4 },
    a: echo(),
    status: 200,
    tried: "a",
    outcome: "answered",
  },
};

describe("createRelay()", () => {
  for (const [title, row] of Object.entries(rows)) {
    it(title, async () => {
      const bench = new RelayBench(route(row.route));
      for (const name of ["a", "b"] as const) bench.transport.on(name, row[name] ?? answer(418));
      const { exchange, account } = await bench.ask(row.asked);

      const { reply } = exchange;
      assert.equal(reply?.status, row.status);
      assert.equal(bench.transport.asked.join(" "), row.tried);
      assert.equal(account.status, row.status);
      assert.equal(account.outcome, row.outcome);
      assert.equal(account.attempts, bench.transport.asked.length);
      if (row.body !== undefined) assert.equal(exchange.received, row.body);
      if (row.failures !== undefined) assert.deepEqual(account.failures, row.failures);
      for (const [name, value] of Object.entries(row.fields ?? {})) {
        assert.equal(reply.fields.joined(name), value);
      }
      assert.equal(bench.inFlight, 0);
      assert.equal(bench.timersLeft, 0, "a timer was left behind");
      assert.deepEqual(bench.bugs, []);
    });
  }
});
