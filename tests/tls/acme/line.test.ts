/** The wire to an authority: how many exchanges at once, whose nonces, and whose request it is. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ErrandAnswer, ErrandOptions } from "../../../src/platform/platform.ts";
import { Switchboard } from "../../../src/tls/acme/library.ts";
import { Line } from "../../../src/tls/acme/line.ts";
import { AcmeFailure } from "../../../src/tls/acme/problem.ts";
import { ManualClock, settled } from "../../support/manual_clock.ts";

const DIRECTORY = { newNonce: "https://ca.example/nonce", newOrder: "https://ca.example/order" };

interface Call {
  readonly url: string;
  readonly options: ErrandOptions;
  answer(answer: Partial<ErrandAnswer>): void;
}

/** Errands that a test answers when it wants to. */
class Errands {
  readonly calls: Call[] = [];

  readonly errand = (url: string, options: ErrandOptions): Promise<ErrandAnswer> => {
    if (url.endsWith("/dir")) return Promise.resolve(answered({ text: JSON.stringify(DIRECTORY) }));
    const { promise, resolve } = Promise.withResolvers<ErrandAnswer>();
    this.calls.push({ url, options, answer: (answer) => resolve(answered(answer)) });
    return promise;
  };

  open(
    authorities: readonly string[] = [],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Line> {
    return Line.open({ clock: new ManualClock(), errand: this.errand }, {
      ...{ directory: "https://ca.example/dir", authorities, signal },
    });
  }
}

function answered(answer: Partial<ErrandAnswer>): ErrandAnswer {
  return { status: 200, headers: new Headers(), text: "{}", ...answer };
}

function withNonce(nonce: string): Partial<ErrandAnswer> {
  return { headers: new Headers({ "replay-nonce": nonce }) };
}

/** What the library sends, with this nonce. */
function signed(nonce: string): string {
  return JSON.stringify({ protected: btoa(JSON.stringify({ nonce })), payload: "", signature: "" });
}

describe("Line", () => {
  it("post() has four exchanges under way at most", async () => {
    const errands = new Errands();
    const line = await errands.open();
    const posts = Array.from({ length: 10 }, (_, at) => line.post(`https://ca.example/${at}`, "x"));
    for (let at = 0; at < 10; at++) {
      await settled();
      assert.equal(errands.calls.length, Math.min(10, at + 4));
      errands.calls[at]?.answer({});
    }
    await Promise.all(posts);
  });

  it("post() goes on after exchanges that failed", async () => {
    const errands = new Errands();
    const line = await errands.open();
    const posts = Array.from({ length: 6 }, () => line.post("https://ca.example/x", "x"));
    for (let at = 0; at < 6; at++) {
      await settled();
      errands.calls[at]?.answer({ status: 500 });
    }
    const results = await Promise.allSettled(posts);
    assert.ok(results.every(({ status }) => status === "rejected"));
  });

  it("post() goes to no address that leads out of TLS", async () => {
    const errands = new Errands();
    const line = await errands.open();
    for (const url of ["http://ca.example/x", "file:///etc/passwd", "data:,x", "", "/x"]) {
      const kind = (error: unknown) =>
        error instanceof AcmeFailure && /no https:/.test(error.message);
      await assert.rejects(line.post(url, "x"), kind);
      await assert.rejects(line.get(url), kind);
    }
    assert.deepEqual(errands.calls, []);
  });

  it("post() gives up its place in the line when nobody waits any more", async () => {
    const errands = new Errands();
    const leaving = new AbortController();
    const line = await errands.open([], leaving.signal);
    const posts = Array.from({ length: 6 }, () => line.post("https://ca.example/x", "x"));
    const outcomes = Promise.allSettled(posts);
    await settled();
    leaving.abort(new Error("nobody waits"));
    for (let at = 0; at < 4; at++) errands.calls[at]?.answer({});
    const kinds = (await outcomes).map(({ status }) => status);
    assert.deepEqual(kinds, [...Array(4).fill("fulfilled"), "rejected", "rejected"]);
    assert.equal(errands.calls.length, 4);
  });

  it("post() says whom it is from and what it sends", async () => {
    const errands = new Errands();
    const line = await errands.open(["ours"]);
    void line.post("https://ca.example/x", "body");
    await settled();
    const { options } = errands.calls[0] ?? {};
    assert.equal(options?.headers.get("content-type"), "application/jose+json");
    assert.equal(options?.headers.get("user-agent"), "understudy");
    assert.deepEqual([options?.method, options?.body], ["POST", "body"]);
    assert.deepEqual(options?.authorities, ["ours"]);
  });

  it("nonce() uses those that came with answers, refusals too, and asks for one otherwise", async () => {
    const errands = new Errands();
    const line = await errands.open();
    const asked = line.nonce();
    await settled();
    assert.deepEqual([errands.calls[0]?.url, errands.calls[0]?.options.method], [
      ...[DIRECTORY.newNonce, "HEAD"],
    ]);
    errands.calls[0]?.answer(withNonce("first"));
    assert.equal(await asked, "first");

    const refused = line.post("https://ca.example/x", "x");
    await settled();
    errands.calls[1]?.answer({ status: 400, ...withNonce("second") });
    await assert.rejects(refused, AcmeFailure);
    assert.equal(await line.nonce(), "second");
    assert.equal(errands.calls.length, 2);
  });

  it("nonce() says where none is given", async () => {
    const errands = new Errands();
    const line = await errands.open();
    const asked = line.nonce();
    await settled();
    errands.calls[0]?.answer({});
    await assert.rejects(asked, /^AcmeFailure: it gives no nonce$/);
  });

  it("waitMs() is what the last answer at a URL said", async () => {
    const errands = new Errands();
    const line = await errands.open();
    const post = async (headers: Headers) => {
      const posting = line.post("https://ca.example/x", "x");
      await settled();
      errands.calls.at(-1)?.answer({ headers });
      await posting;
      return line.waitMs("https://ca.example/x");
    };
    assert.equal(await post(new Headers({ "retry-after": "3" })), 3000);
    assert.equal(line.waitMs("https://ca.example/y"), undefined);
    assert.equal(await post(new Headers()), undefined);
  });
});

describe("Switchboard", () => {
  it("answer() knows each request's line by the nonce that it gave out", async () => {
    const board = new Switchboard();
    const parties = await Promise.all(["one", "two"].map(async (name) => {
      const errands = new Errands();
      return { name, errands, opened: board.open(await errands.open([name])) };
    }));
    for (const { name, errands, opened } of parties) {
      const { newNonce, newOrder } = JSON.parse((await board.answer(opened.url, "")).data);
      assert.equal(newOrder, DIRECTORY.newOrder);
      const asking = board.answer(newNonce, "");
      await settled();
      errands.calls[0]?.answer(withNonce(`nonce of ${name}`));
      assert.equal((await asking).headers["replay-nonce"], `nonce of ${name}`);
    }
    for (const { name, errands } of [...parties].reverse()) {
      const posting = board.answer(DIRECTORY.newOrder, signed(`nonce of ${name}`));
      await settled();
      assert.deepEqual(errands.calls[1]?.options.authorities, [name]);
      errands.calls[1]?.answer({ text: name });
      assert.equal((await posting).data, name);
    }
  });

  it("answer() refuses what belongs to nobody, or to nobody any more", async () => {
    const board = new Switchboard();
    const errands = new Errands();
    const { url, close } = board.open(await errands.open());
    const { newNonce } = JSON.parse((await board.answer(url, "")).data);
    const asking = board.answer(newNonce, "");
    await settled();
    errands.calls[0]?.answer(withNonce("ours"));
    await asking;
    close();
    const asks: [string, string][] = [
      [url, ""],
      [DIRECTORY.newOrder, signed("ours")],
      [DIRECTORY.newOrder, signed("another")],
      [DIRECTORY.newOrder, "nonsense"],
      [DIRECTORY.newOrder, '{"protected":"!"}'],
    ];
    for (const [place, body] of asks) await assert.rejects(board.answer(place, body), AcmeFailure);
    assert.equal(errands.calls.length, 1);
  });
});
