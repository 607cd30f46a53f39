/** The knock beside a request that may ride on a kept connection: what it may end and what it must not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { Attempt, Outcome } from "../../src/model.ts";
import type { DialResult, FetchOptions, Platform } from "../../src/platform/platform.ts";
import { webTransport } from "../../src/web/transport.ts";
import { readText } from "../support/fake_bytes.ts";
import { upstream } from "../support/fake_route.ts";
import { aborted } from "../support/fake_transport.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

/** A network whose answers come when a test says so. */
class FakeNet implements Pick<Platform, "fetch" | "explain" | "knock" | "openSocket" | "clock"> {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  respond: (response: Response) => void = () => {};
  knocked: (result: DialResult) => void = () => {};

  fetch(_url: string, { signal, fresh }: FetchOptions): Promise<Response> {
    this.asked.push(fresh ? "fetch fresh" : "fetch");
    return new Promise((resolve, reject) => {
      this.respond = resolve;
      void aborted(signal).then(() => reject(new Error("aborted")));
    });
  }

  explain(): ReturnType<Platform["explain"]> {
    return { dialFailed: false, code: "closed", detail: "aborted" };
  }

  knock(_address: unknown, timeoutMs: number, signal: AbortSignal): Promise<DialResult> {
    this.asked.push(`knock ${timeoutMs}`);
    return new Promise((resolve) => {
      this.knocked = resolve;
      void aborted(signal).then(() => resolve({ kind: "aborted" }));
    });
  }

  openSocket(): never {
    throw new Error("No sockets here");
  }
}

const REFUSED: DialResult = { kind: "failed", code: "dial_timeout", detail: "no answer" };

function send(net: FakeNet, changes: Partial<Attempt> = {}): Promise<Outcome> {
  return webTransport(net).send({
    upstream: upstream("a"),
    method: "GET",
    target: "/",
    fields: Fields.empty(),
    body: undefined,
    upgrade: undefined,
    progress: { sent: false },
    fresh: false,
    dialTimeoutMs: 3_000,
    headersTimeoutMs: undefined,
    signal: new AbortController().signal,
    ...changes,
  });
}

describe("webTransport() knocks late", () => {
  it("beside a request that waits, and ends it when nobody can be reached", async () => {
    const net = new FakeNet();
    const outcome = send(net);
    await net.clock.advance(249);
    assert.deepEqual(net.asked, ["fetch"]);
    await net.clock.advance(1);
    assert.deepEqual(net.asked, ["fetch", "knock 2750"]);
    net.knocked(REFUSED);
    const { kind, ...rest } = await outcome;
    assert.deepEqual([kind, rest], [
      "failed",
      { reason: "dial_timeout", sent: true, detail: "no answer" },
    ]);
    assert.equal(net.clock.pending, 0);
  });

  it("without a word when somebody is there: the answer may take for ever", async () => {
    const net = new FakeNet();
    const outcome = send(net);
    await net.clock.advance(250);
    net.knocked({ kind: "connected" });
    await net.clock.advance(600_000);
    net.respond(new Response("late"));
    assert.equal((await outcome).kind, "answered");
  });

  it("without harm to an answer that has come", async () => {
    const net = new FakeNet();
    const outcome = send(net);
    await net.clock.advance(250);
    net.respond(new Response("good"));
    net.knocked(REFUSED);
    const answered = await outcome;
    assert.ok(answered.kind === "answered" && answered.response.body);
    await settled();
    assert.equal(await readText(answered.response.body), "good");
  });

  it("not at all when the answer was quick", async () => {
    const net = new FakeNet();
    const outcome = send(net);
    net.respond(new Response("quick"));
    await outcome;
    await net.clock.advance(1_000);
    assert.deepEqual(net.asked, ["fetch"]);
    assert.equal(net.clock.pending, 0);
  });
});

describe("webTransport() knocks first", () => {
  it("for what must not be repeated, and then waits on a connection of its own", async () => {
    const net = new FakeNet();
    const progress = { sent: false };
    const outcome = send(net, { method: "POST", fresh: true, progress });
    assert.deepEqual([net.asked, progress.sent], [["knock 3000"], false]);
    net.knocked({ kind: "connected" });
    await settled();
    assert.deepEqual([net.asked, progress.sent], [["knock 3000", "fetch fresh"], true]);
    net.respond(new Response("ok"));
    assert.equal((await outcome).kind, "answered");
  });

  it("and asks nothing of whom it cannot reach", async () => {
    const net = new FakeNet();
    const outcome = send(net, { method: "POST", fresh: true });
    net.knocked(REFUSED);
    assert.deepEqual(await outcome, {
      kind: "failed",
      reason: "dial_timeout",
      sent: false,
      detail: "no answer",
    });
    assert.deepEqual(net.asked, ["knock 3000"]);
  });

  it("and gives up with its client", async () => {
    const leaving = new AbortController();
    const outcome = send(new FakeNet(), { method: "POST", fresh: true, signal: leaving.signal });
    leaving.abort();
    assert.equal((await outcome).kind, "abandoned");
  });
});
