/** What pages of other origins are told, and what upstreams see of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CorsRules } from "../../src/rules.ts";
import { auth, cors, guard } from "../support/fake_guard.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { route } from "../support/fake_route.ts";
import { answer } from "../support/fake_transport.ts";

const CHAT = "https://chat.test";
const LISTED = cors({ origins: [/^https:\/\/chat\.test$/] });

function bench(rules: CorsRules): RelayBench {
  return new RelayBench(route({ guard: guard({ cors: rules }) }));
}

/** What it says under that name of the CORS protocol. */
async function told(
  rules: CorsRules,
  asked: Parameters<RelayBench["ask"]>[0],
): Promise<(name: string) => string | undefined> {
  const { exchange } = await bench(rules).ask(asked);
  return (name) => exchange.reply?.fields.joined(`access-control-${name}`);
}

function preflight(origin: string, headers?: string): Parameters<RelayBench["ask"]>[0] {
  return {
    method: "OPTIONS",
    fields: [
      ["Origin", origin],
      ["Access-Control-Request-Method", "POST"],
      ...(headers === undefined ? [] : [["Access-Control-Request-Headers", headers] as const]),
    ],
  };
}

describe("createRelay() answers the browser's question", () => {
  const cases: [string, CorsRules, string, Record<string, string | undefined>][] = [
    ["any origin", cors(), CHAT, {
      "allow-origin": "*",
      "allow-methods": "GET, POST",
      "allow-headers": "content-type,x-a",
      "allow-credentials": undefined,
      "max-age": "600",
    }],
    ["a listed origin by its name", LISTED, CHAT, { "allow-origin": CHAT }],
    ["only listed header fields", cors({ headers: ["X-A", "X-B"] }), CHAT, {
      "allow-headers": "X-A, X-B",
    }],
    ["with credentials", { ...LISTED, credentials: true }, CHAT, {
      "allow-origin": CHAT,
      "allow-credentials": "true",
    }],
  ];
  for (const [title, rules, origin, expected] of cases) {
    it(`for ${title}`, async () => {
      const field = await told(rules, preflight(origin, "content-type,x-a"));
      const names = Object.keys(expected);
      assert.deepEqual(Object.fromEntries(names.map((name) => [name, field(name)])), expected);
    });
  }

  it("with a refusal for an origin that is not listed, and asks no upstream in either case", async () => {
    const one = bench(LISTED);
    const refused = await one.ask(preflight("https://evil.test"));
    const answered = await one.ask(preflight(CHAT));
    assert.deepEqual([refused.account.status, refused.account.outcome], [403, "refused"]);
    assert.deepEqual([answered.account.status, answered.account.outcome], [204, "answered"]);
    assert.equal(refused.exchange.reply?.fields.has("access-control-allow-origin"), false);
    assert.deepEqual(one.transport.asked, []);
  });

  it("but passes OPTIONS on that are no such question", async () => {
    const one = bench(cors());
    await one.ask({ method: "OPTIONS" });
    await one.ask({ method: "OPTIONS", fields: [["Origin", CHAT]] });
    assert.deepEqual(one.transport.asked, ["a", "a"]);
  });
});

describe("createRelay() says who may read an answer", () => {
  const own = answer(200, {
    fields: [
      ["Access-Control-Allow-Origin", "http://localhost"],
      ["Access-Control-Allow-Methods", "GET"],
      ["Vary", "Accept"],
      ["X-Count", "1"],
    ],
  });

  it("whatever its upstream said of it", async () => {
    const one = bench(LISTED);
    one.transport.on("a", own);
    const { exchange } = await one.ask({ fields: [["Origin", CHAT]] });
    const fields = exchange.reply?.fields;
    assert.equal(fields?.joined("access-control-allow-origin"), CHAT);
    assert.equal(fields?.has("access-control-allow-methods"), false);
    assert.equal(fields?.joined("access-control-expose-headers"), "*");
    assert.equal(fields?.joined("vary"), "Accept, Origin");
  });

  it("by naming all its fields where credentials make the star a name", async () => {
    const one = bench({ ...LISTED, credentials: true });
    one.transport.on("a", own);
    const { exchange } = await one.ask({ fields: [["Origin", CHAT]] });
    const names = exchange.reply?.fields.get("access-control-expose-headers")?.split(", ") ?? [];
    assert.ok(names.includes("X-Count"));
    assert.ok(!names.some((name) => name.startsWith("Access-")));
  });

  it("to nobody where the origin is not listed or not said", async () => {
    const one = bench(LISTED);
    one.transport.on("a", own);
    for (const fields of [[["Origin", "https://evil.test"]] as const, []]) {
      const { exchange } = await one.ask({ fields });
      assert.equal(exchange.reply?.fields.has("access-control-allow-origin"), false);
      assert.equal(exchange.reply?.fields.joined("vary"), "Accept, Origin");
    }
  });

  it("of refusals too, so that the page can tell them from a broken line", async () => {
    const one = new RelayBench(route({ guard: guard({ cors: cors(), auth: auth() }) }));
    const { exchange } = await one.ask({ fields: [["Origin", CHAT]] });
    assert.equal(exchange.reply?.status, 401);
    assert.equal(exchange.reply.fields.get("access-control-allow-origin"), "*");
  });
});

describe("createRelay() shows upstreams the origin", () => {
  const cases: [string, CorsRules, string, boolean][] = [
    ["not of a page that was let in here", LISTED, CHAT, false],
    ["of a page that was not", LISTED, "https://evil.test", true],
    ["of its own pages, which they may want to know by it", cors(), "http://proxy.test", true],
  ];
  for (const [title, rules, origin, seen] of cases) {
    it(title, async () => {
      const one = bench(rules);
      await one.ask({ fields: [["Origin", origin]] });
      assert.equal(one.transport.attempts[0]?.fields.get("origin"), seen ? origin : undefined);
    });
  }
});
