/** Where records belong and whether they can be seen, with a name service that a test writes down. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NameAnswer, NameQuestion, Names } from "../../../src/platform/platform.ts";
import { Zones } from "../../../src/tls/dns/zones.ts";

const SYSTEM = "system";
const RECORD = { name: "_acme-challenge.a.example.org", value: "proof" };

/** What is known, and to whom: `"TXT a.example.org @ 192.0.2.1:53": ["x"]`. */
class WrittenNames implements Names {
  readonly asked: string[] = [];
  readonly #known: Readonly<Record<string, readonly string[]>>;

  constructor(known: Readonly<Record<string, readonly string[]>>) {
    this.#known = known;
  }

  addresses(question: NameQuestion, families: readonly (4 | 6)[]): Promise<NameAnswer<string>> {
    return this.#answer(families[0] === 4 ? "A" : "AAAA", question);
  }

  texts(question: NameQuestion): Promise<NameAnswer<string>> {
    return this.#answer("TXT", question);
  }

  servers(question: NameQuestion): Promise<NameAnswer<string>> {
    return this.#answer("NS", question);
  }

  aliases(question: NameQuestion): Promise<NameAnswer<string>> {
    return this.#answer("CNAME", question);
  }

  services(): Promise<never> {
    throw new Error("Nobody asks for services");
  }

  #answer(type: string, { name, servers }: NameQuestion): Promise<NameAnswer<string>> {
    for (const place of servers.length === 0 ? [SYSTEM] : servers) {
      const asked = `${type} ${name} @ ${place}`;
      this.asked.push(asked);
      const items = this.#known[asked];
      if (items !== undefined) return Promise.resolve({ kind: "found", items });
    }
    return Promise.resolve({ kind: "failed", detail: "nothing" });
  }
}

const SERVERS = {
  "NS example.org @ system": ["ns1.example.org", "ns2.example.org"],
  "A ns1.example.org @ system": ["192.0.2.1"],
  "AAAA ns2.example.org @ system": ["2001:db8::2"],
};
const [ONE, TWO] = ["192.0.2.1:53", "[2001:db8::2]:53"];

function signal(): AbortSignal {
  return new AbortController().signal;
}

describe("home()", () => {
  const { name } = RECORD;
  const cases: [string, Record<string, readonly string[]>, readonly string[], string][] = [
    ["the name itself", SERVERS, [], name],
    ["the name itself where nobody knows anything", {}, [], name],
    [
      "what it stands for, by the servers of its zone",
      { ...SERVERS, [`CNAME ${name} @ ${ONE}`]: ["X.keeper.example"] },
      [],
      "x.keeper.example",
    ],
    [
      "what that stands for in turn",
      {
        ...{ ...SERVERS, [`CNAME ${name} @ ${ONE}`]: ["x.keeper.example"] },
        "NS keeper.example @ system": ["ns.keeper.example"],
        "A ns.keeper.example @ system": ["192.0.2.9"],
        "CNAME x.keeper.example @ 192.0.2.9:53": ["y.keeper.example"],
      },
      [],
      "y.keeper.example",
    ],
    [
      "what the system says where the zone's servers say nothing",
      { ...SERVERS, [`CNAME ${name} @ system`]: ["x.keeper.example"] },
      [],
      "x.keeper.example",
    ],
    [
      "what the resolvers say where the zone's servers are unknown",
      { [`CNAME ${name} @ 10.0.0.1:53`]: ["x.lan"] },
      ["10.0.0.1:53"],
      "x.lan",
    ],
  ];
  for (const [title, known, resolvers, expected] of cases) {
    it(`home() is ${title}`, async () => {
      const zones = new Zones(new WrittenNames(known), resolvers);
      assert.equal(await zones.home(name, signal()), expected);
    });
  }

  it("home() follows names that stand for each other to no end", async () => {
    const names = new WrittenNames({
      "CNAME a.example.org @ system": ["b.example.org"],
      "CNAME b.example.org @ system": ["a.example.org"],
    });
    await new Zones(names, []).home("a.example.org", signal());
    assert.ok(names.asked.length < 100);
  });

  it("home() asks nobody for the proof's name who would remember that there is none", async () => {
    const names = new WrittenNames(SERVERS);
    await new Zones(names, ["10.0.0.1:53"]).home(name, signal());
    assert.deepEqual(names.asked.filter((asked) => asked.includes("10.0.0.1")), []);
    assert.deepEqual(names.asked.filter((asked) => asked.startsWith("NS _acme-challenge")), []);
  });
});

describe("blind()", () => {
  const { name } = RECORD;
  const seen = ["other", "proof"];
  const cases: [string, Record<string, readonly string[]>, readonly string[], string[]][] = [
    [
      "nobody where all servers of the zone show it",
      { ...SERVERS, [`TXT ${name} @ ${ONE}`]: seen, [`TXT ${name} @ ${TWO}`]: seen },
      [],
      [],
    ],
    [
      "the server that shows another one",
      { ...SERVERS, [`TXT ${name} @ ${ONE}`]: seen, [`TXT ${name} @ ${TWO}`]: ["other"] },
      [],
      ["ns2.example.org"],
    ],
    ["all where nobody shows anything", SERVERS, [], ["ns1.example.org", "ns2.example.org"]],
    [
      "one of the resolvers, where there are any",
      { ...SERVERS, [`TXT ${name} @ 10.0.0.1:53`]: seen },
      ["10.0.0.1:53", "10.0.0.2:53"],
      ["10.0.0.2:53"],
    ],
    ["nobody where the system shows it", { [`TXT ${name} @ system`]: seen }, [], []],
    ["the system where that is all there is", {}, [], ["the system's"]],
  ];
  for (const [title, known, resolvers, expected] of cases) {
    it(`blind() is ${title}`, async () => {
      const zones = new Zones(new WrittenNames(known), resolvers);
      assert.deepEqual(await zones.blind(RECORD, signal()), expected);
    });
  }
});
