/**
 * Upstreams that break off, talk nonsense or say nothing where a response head should come: what
 * the client gets for it, and who is asked next.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Subject, subjects, Understudy } from "../support/processes.ts";
import { ask } from "../support/raw_client.ts";
import { type Behaviour, type Greeting, RawUpstream } from "../support/raw_upstream.ts";

interface Fault {
  readonly title: string;
  readonly behave?: Behaviour;
  readonly greeting?: Greeting;
  /** Reason in the log. */
  readonly reason: RegExp;
  /** What a POST may get: 502, or 200 too where the knock before it may meet the fault and nothing is sent. */
  readonly post?: readonly number[];
}

const OK: Behaviour = (call) => call.answer("spare");
const BROKEN = /closed|protocol/;

/** Everything that can go wrong between a request that was sent and the end of the head. */
const BEFORE_HEAD: readonly Fault[] = [
  { title: "accepts and closes", greeting: "close", reason: BROKEN },
  {
    title: "accepts and resets",
    greeting: "reset",
    reason: /closed|protocol|unreachable/,
    post: [200, 502],
  },
  { title: "reads and closes", behave: (call) => call.close(), reason: BROKEN },
  { title: "reads and resets", behave: (call) => call.reset(), reason: BROKEN },
  {
    title: "breaks off within the status line",
    behave(call) {
      call.say("HTTP/1.1 20");
      call.close();
    },
    reason: BROKEN,
  },
  {
    title: "breaks off within the head",
    behave(call) {
      call.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Half: ");
      call.close();
    },
    reason: BROKEN,
  },
  {
    title: "answers what is not HTTP and closes",
    behave(call) {
      call.say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
      call.close();
    },
    reason: BROKEN,
  },
  {
    title: "answers what is not HTTP and stays",
    behave: (call) => call.say("\x00\x01\x02 nonsense\r\n\r\n"),
    reason: /closed|protocol|headers_timeout/,
  },
];

async function start(subject: Subject, upstreams: readonly RawUpstream[]): Promise<Understudy> {
  const config = `
listen: "127.0.0.1:0"
routes:
  - upstreams: [${upstreams.map(({ url }) => `"${url}"`).join(", ")}]
    transport: { response_header_timeout: 1s }
    passive: { fail_duration: 30s }
`;
  return await Understudy.start(subject, config);
}

async function startFaulty({ behave, greeting }: Omit<Fault, "title" | "reason">) {
  const upstream = await RawUpstream.start(behave ?? OK);
  upstream.greeting = greeting ?? "listen";
  return upstream;
}

for (const subject of subjects) {
  describe(`an upstream that fails before its head (${subject.name})`, () => {
    for (const fault of BEFORE_HEAD) {
      it(`${fault.title}: GET moves on, POST is 502, and both avoid it next`, async () => {
        for (const method of ["GET", "POST"]) {
          await using faulty = await startFaulty(fault);
          await using spare = await RawUpstream.start(OK);
          await using proxy = await start(subject, [faulty, spare]);
          const place = { port: proxy.port };
          const what = { method, ...(method === "POST" && { body: "a body" }) };

          const first = await ask(place, what);
          const allowed = method === "GET" ? [200] : fault.post ?? [502];
          assert.ok(allowed.includes(first.status), `${method} got ${first.status}`);
          assert.equal(first.end, "whole");
          assert.equal(first.body.toString(), first.status === 200 ? "spare" : "");
          assert.equal(spare.calls.length, first.status === 200 ? 1 : 0);
          const penalty = await proxy.line(({ msg }) => msg === "upstream.penalised");
          assert.equal(penalty["seconds"], 30);
          const line = await proxy.line(({ msg }) => msg === "handled request");
          assert.match(String(line["failures"]), fault.reason);

          const asked = faulty.calls.length + faulty.knocks;
          assert.equal((await ask(place, what)).body.toString(), "spare");
          assert.equal(faulty.calls.length + faulty.knocks, asked);
        }
      });
    }

    it("answers 502 when it is the only one, and 503 with Retry-After while penalised", async () => {
      await using faulty = await startFaulty({ behave: (call) => call.close() });
      await using proxy = await start(subject, [faulty]);
      const place = { port: proxy.port };
      const failed = await ask(place);
      assert.deepEqual([failed.status, failed.body.length], [502, 0]);
      const barred = await ask(place);
      assert.deepEqual([barred.status, barred.body.length], [503, 0]);
      assert.match(barred.head, /\r\nretry-after: (30|29)(\r\n|$)/i);
    });

    it("answers 504 when no head comes in time, after GET has tried the others", async () => {
      await using silent = await RawUpstream.start(() => {});
      await using mute = await RawUpstream.start(() => {});
      await using proxy = await start(subject, [silent, mute]);
      const [get, post] = [
        await ask({ port: proxy.port }),
        await ask({ port: proxy.port }, { method: "POST", body: "a" }),
      ];
      assert.equal(get.status, 504);
      assert.equal(mute.calls.length, 1);
      assert.equal(post.status, 503);
      assert.ok(get.headMs > 1900 && get.headMs < 3000, `after ${get.headMs} ms`);
    });
  });
}
