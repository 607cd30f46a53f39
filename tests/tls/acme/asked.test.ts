/**
 * What an authority is asked, and how its refusals are taken: against pebble, with a relay ahead of it for
 * what pebble does not know (RFC 9773, profiles, limits, servers that fail for a moment).
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import { within } from "../../platform/support.ts";
import { Relay, type Reply } from "../../support/acme_relay.ts";
import { unavailable } from "../../support/pebble.ts";
import { AcmeLab, failure, hurried, unending } from "./lab.ts";

/** What most tests are content with; the others open a lab of their own. */
let shared: AcmeLab;

before(async () => {
  if (unavailable === undefined) shared = await AcmeLab.open();
});

after(async () => await shared?.[Symbol.asyncDispose]());

const NEW_ORDER = "/order-plz";
const RENEWAL = "/renewals";
const HOUR_MS = 3_600_000;

function problem(status: number, type: string, more: Partial<Reply> = {}): Reply {
  const body = {
    type: `urn:ietf:params:acme:error:${type}`,
    detail: `so much for ${type}`,
    status,
  };
  return { status, body, ...more };
}

/** The first `count` times, and then no more. */
function times<T>(count: number, value: T): () => T | undefined {
  let left = count;
  return () => left-- > 0 ? value : undefined;
}

describe("acmeIssuer() and what is said of renewals", { skip: unavailable }, () => {
  it("renewal() gives the authority's advice", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    relay.offers = { renewalInfo: `${relay.origin}${RENEWAL}` };
    const { directory } = relay;
    const { chain } = await lab.issue(["a.example"], { directory });
    const start = "2026-12-01T00:00:00Z";
    const end = "2026-12-02T00:00:00Z";
    const body = { suggestedWindow: { start, end } };
    relay.answer = ({ path }) =>
      path.startsWith(RENEWAL)
        ? { status: 200, headers: { "retry-after": "7200" }, body }
        : undefined;
    const advice = await lab.issuer({ directory }).renewal(chain, unending());
    const span = { from: Date.parse(start), to: Date.parse(end) };
    assert.deepEqual(advice, { ...span, againMs: 2 * HOUR_MS });
    const asked = relay.asked.at(-1);
    assert.equal(asked?.method, "GET");
    assert.match(asked?.path ?? "", /^\/renewals\/[\w-]{27}\.[\w-]+$/);
  });

  it("renewal() has none where asking fails", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    relay.offers = { renewalInfo: `${relay.origin}${RENEWAL}` };
    const { directory } = relay;
    const { chain } = await lab.issue(["a.example"], { directory });
    const issuer = lab.issuer({ directory });
    const replies: (Reply | "broken")[] = [
      problem(500, "serverInternal"),
      { status: 200, body: 7 },
      "broken",
    ];
    for (const reply of replies) {
      relay.answer = ({ path }) => path.startsWith(RENEWAL) ? reply : undefined;
      assert.equal(await issuer.renewal(chain, unending()), undefined);
    }
    assert.equal(await issuer.renewal("no certificate", unending()), undefined);
  });

  it("issue() says which certificate the new one replaces, where the authority wants to know", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    const { directory } = relay;
    const { chain: replaced } = await lab.issue(["a.example"], { directory });
    const issuer = lab.issuer({ directory });
    await issuer.issue(["a.example"], { replaced, signal: unending() });
    relay.offers = { renewalInfo: `${relay.origin}${RENEWAL}` };
    await issuer.issue(["a.example"], { replaced, signal: unending() });
    const [, silent, told] = relay.at(NEW_ORDER).map(({ payload }) => payload["replaces"]);
    assert.equal(silent, undefined);
    assert.match(String(told), /^[\w-]{27}\.[\w-]+$/);
  });

  const reasons: [number, string][] = [[409, "alreadyReplaced"], [400, "malformed"], [
    404,
    "notFound",
  ]];
  for (const [status, type] of reasons) {
    it(`issue() orders without it where the authority answers ${type}`, async () => {
      const lab = shared.anew();
      await using relay = await Relay.open(lab.pebble);
      const { directory } = relay;
      const { chain: replaced } = await lab.issue(["a.example"], { directory });
      relay.offers = { renewalInfo: `${relay.origin}${RENEWAL}` };
      relay.answer = ({ path, payload }) =>
        path === NEW_ORDER && "replaces" in payload ? problem(status, type) : undefined;
      await lab.issuer({ directory }).issue(["a.example"], { replaced, signal: unending() });
      const orders = relay.at(NEW_ORDER).map(({ payload }) => "replaces" in payload);
      assert.deepEqual(orders, [false, true, false]);
    });
  }
});

describe("acmeIssuer() and profiles", { skip: unavailable }, () => {
  const profiles = { classic: "as ever", shortlived: "for six days" };

  it("issue() asks for a profile that is offered", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    relay.offers = { meta: { profiles } };
    await lab.issue(["a.example"], { directory: relay.directory, profile: "shortlived" });
    assert.equal(relay.at(NEW_ORDER)[0]?.payload["profile"], "shortlived");
  });

  it("issue() says what is offered where that profile is not", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    relay.offers = { meta: { profiles } };
    const rules = { directory: relay.directory, profile: "eternal" };
    const { message } = await failure(lab.issue(["a.example"], rules));
    assert.match(message, /it has no profile "eternal" but classic, shortlived$/);
    const plain = await failure(lab.issue(["a.example"], { profile: "eternal" }));
    assert.match(plain.message, /it has no profile "eternal" but none$/);
  });
});

describe("acmeIssuer() and authorities that refuse", { skip: unavailable }, () => {
  it("issue() tells how long to wait where too much was asked", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    const headers = { "retry-after": "3600" };
    relay.answer = ({ path }) =>
      path === NEW_ORDER ? problem(429, "rateLimited", { headers }) : undefined;
    const refused = await failure(lab.issue(["a.example"], { directory: relay.directory }));
    assert.equal(refused.retryAfterMs, HOUR_MS);
    assert.match(
      refused.message,
      /urn:ietf:params:acme:error:rateLimited: so much for rateLimited$/,
    );
    assert.equal(relay.at(NEW_ORDER).length, 1);
  });

  it("issue() tells what is said of single names", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    const subproblems = [{
      type: "urn:ietf:params:acme:error:caa",
      detail: "CAA forbids it",
      identifier: { type: "dns", value: "b.example" },
    }];
    const body = {
      type: "urn:ietf:params:acme:error:rejectedIdentifier",
      detail: "no",
      subproblems,
    };
    relay.answer = ({ path }) => path === NEW_ORDER ? { status: 403, body } : undefined;
    const names = ["a.example", "b.example"];
    const { message } = await failure(lab.issue(names, { directory: relay.directory }));
    assert.match(
      message,
      /rejectedIdentifier: no \("b\.example": urn:ietf:params:acme:error:caa: CAA forbids it\)$/,
    );
  });

  it("issue() says what status came where an answer is no problem document", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    relay.answer = ({ path }) => path === NEW_ORDER ? { status: 403, body: "<html>" } : undefined;
    const { message } = await failure(lab.issue(["a.example"], { directory: relay.directory }));
    assert.match(message, /from 127\.0\.0\.1-\d+: status 403$/);
  });

  const passing: [string, Reply | "broken"][] = [
    ["that is too busy", problem(503, "serverInternal")],
    [
      "that says when to come again",
      problem(429, "rateLimited", { headers: { "retry-after": "2" } }),
    ],
    ["that breaks a connection", "broken"],
  ];
  for (const [title, reply] of passing) {
    it(`issue() asks an authority again ${title}`, async () => {
      const slept: number[] = [];
      const lab = shared.anew();
      await using relay = await Relay.open(lab.pebble);
      lab.clock = hurried(slept);
      const turns = new Map<string, () => Reply | "broken" | undefined>();
      // Each resource fails twice; the directory is asked for once only.
      relay.answer = ({ path, method }) => {
        if (method !== "POST") return undefined;
        const turn = turns.get(path) ?? times(2, reply);
        turns.set(path, turn);
        return turn();
      };
      const identity = await lab.issue(["a.example"], { directory: relay.directory });
      assert.deepEqual(platform.certificateFacts(identity.chain).names, ["a.example"]);
      const pausesMs = title.includes("when") ? [2000, 2000] : [1000, 4000];
      assert.deepEqual(slept.slice(0, 2), pausesMs);
    });
  }

  it("issue() gives an authority up that stays down", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    lab.clock = hurried();
    relay.answer = ({ path }) => path === NEW_ORDER ? problem(500, "serverInternal") : undefined;
    const { message } = await failure(lab.issue(["a.example"], { directory: relay.directory }));
    assert.match(message, /serverInternal: so much for serverInternal$/);
    assert.equal(relay.at(NEW_ORDER).length, 3);
  });

  it("issue() goes on where the answers to its doings were lost", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    lab.clock = hurried();
    const lost = new Set<string>();
    const { directory } = relay;
    // Done by pebble, and told to nobody: the first proof, and the signing.
    relay.amend = ({ path }) => {
      const doing = /^\/(chalZ|finalize-order)\//.exec(path)?.[1];
      if (doing === undefined || lost.has(doing)) return {};
      lost.add(doing);
      return "broken";
    };
    const identity = await within("a certificate", lab.issue(["a.example"], { directory }));
    assert.deepEqual(platform.certificateFacts(identity.chain).names, ["a.example"]);
    assert.deepEqual([...lost], ["chalZ", "finalize-order"]);
  });

  it("issue() waits between its looks for as long as the authority says", async () => {
    const slept: number[] = [];
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    lab.clock = hurried(slept);
    const pending = times(3, { headers: { "retry-after": "5" } });
    relay.amend = ({ path }, text) => {
      const amended = path.startsWith("/authZ/") ? pending() : undefined;
      return amended ? { ...amended, text: text.replace(/"valid"/, '"pending"') } : {};
    };
    await lab.issue(["a.example"], { directory: relay.directory });
    // It was looked at once before it was proved.
    assert.deepEqual(slept.slice(0, 2), [5000, 5000]);
  });

  const stuck: [string, RegExp, string, RegExp][] = [
    ["an order that stays unsigned", /^\/my-order\//, '"processing"', /still processing/],
    ["a proof that is never looked at", /^\/authZ\//, '"pending"', /no verdict/],
  ];
  for (const [title, path, status, words] of stuck) {
    it(`issue() gives up ${title}, after two minutes each`, async () => {
      const slept: number[] = [];
      const lab = shared.anew();
      await using relay = await Relay.open(lab.pebble);
      lab.clock = {
        ...hurried(slept),
        elapsed: () => slept.reduce((sum, ms) => sum + ms, 0),
      };
      relay.amend = (asked, text) =>
        path.test(asked.path)
          ? { text: text.replace(/"status": "(?:valid|ready)"/, `"status": ${status}`) }
          : {};
      const { directory } = relay;
      const { message } = await failure(lab.issue(["a.example"], { directory }));
      assert.match(message, words);
      const sum = slept.reduce((all, ms) => all + ms, 0);
      assert.ok(sum >= 120_000 && sum < 300_000, `${sum} ms`);
    });
  }

  it("issue() shows nothing for a name that it did not order", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    relay.amend = ({ path }, text) =>
      path.startsWith("/authZ/") ? { text: text.replace('"a.example"', '"b.example"') } : {};
    const { message } = await failure(lab.issue(["a.example"], { directory: relay.directory }));
    assert.match(message, /it wants "b\.example" proved, which was not ordered$/);
    assert.ok(!relay.asked.some(({ path }) => path.startsWith("/chalZ/")));
  });

  it("issue() refuses a certificate that is for something else", async () => {
    const lab = shared.anew();
    await using relay = await Relay.open(lab.pebble);
    const { directory } = relay;
    const { chain } = await lab.issue(["a.example"], { directory });
    const swapped = (text: string) => ({ status: 200, headers: { "x-swapped": "1" }, body: text });
    for (const [text, words] of [[chain, "for another key"], ["nothing", "is no certificate"]]) {
      relay.answer = ({ path }) => path.startsWith("/certZ/") ? swapped(text ?? "") : undefined;
      const { message } = await failure(lab.issue(["a.example"], { directory }));
      assert.match(message, new RegExp(`${words}$`));
    }
  });
});

describe("revoke()", { skip: unavailable }, () => {
  it("revoke() tells the authority, with the reason", async () => {
    const lab = shared.anew();
    const { chain } = await lab.issue(["a.example"]);
    const { serial } = platform.certificateFacts(chain);
    const revoke = () => lab.issuer().revoke?.(chain, "superseded", unending()) ?? assert.fail();
    await revoke();
    const { Status, Reason } = await lab.pebble.standing(serial);
    assert.deepEqual([Status, Reason], ["Revoked", 4]);
    const { message } = await failure(revoke());
    assert.match(message, /^Cannot revoke the certificate at 127\.0\.0\.1-\d+: .*alreadyRevoked/);
  });

  it("revoke() and issue() replace what cannot be trusted any more", async () => {
    const lab = shared.anew();
    const { chain } = await lab.issue(["a.example"]);
    await lab.issuer().revoke?.(chain, "key_compromise", unending());
    const fresh = await lab.issuer().issue(["a.example"], { replaced: chain, signal: unending() });
    const { serial } = platform.certificateFacts(fresh.chain);
    assert.equal((await lab.pebble.standing(serial)).Status, "Valid");
  });
});
