/** How evenly keys are spread, and how few of them move. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Member } from "../../src/model.ts";
import { rendezvous } from "../../src/request/policy_hash.ts";
import { FakeStanding, upstream } from "../support/fake_route.ts";

const members = (...names: string[]): Member[] =>
  names.map((name) => ({ upstream: upstream(name), standing: new FakeStanding() }));
const FIVE = members(...[1, 2, 3, 4, 5].map((last) => `192.168.1.${last}:11434`));
const LETTERS = members(..."abcdefgh".split(""));

describe("rendezvous()", () => {
  const spreads: [string, typeof FIVE, (at: number) => string][] = [
    ["addresses of clients", FIVE, (at) => `10.0.${at >> 8}.${at & 255}`],
    ["IPv6 addresses", FIVE, (at) => `2001:db8::${at.toString(16)}`],
    ["numbers", FIVE, String],
    ["paths that differ in their middle", FIVE, (at) => `/user/${at}/settings`],
    ["words among short names", LETTERS, (at) => `session-${at * 7919}`],
  ];
  for (const [title, among, key] of spreads) {
    it(`spreads ${title} evenly`, () => {
      const counts = new Map<string | undefined, number>();
      for (let at = 0; at < 20_000; at++) {
        const name = rendezvous(key(at), among)?.upstream.name;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const fair = 20_000 / among.length;
      assert.equal(counts.size, among.length);
      for (const [name, got] of counts) {
        assert.ok(Math.abs(got / fair - 1) < 0.1, `${name}: ${got} instead of ${fair}`);
      }
    });
  }

  it("moves only the keys of the one that goes, and shares them out among all others", () => {
    const gone = FIVE[2];
    const rest = FIVE.filter((member) => member !== gone);
    const heirs = new Map<string | undefined, number>();
    for (let at = 0; at < 10_000; at++) {
      const before = rendezvous(`key ${at}`, FIVE);
      const after = rendezvous(`key ${at}`, rest);
      if (before !== gone) assert.equal(after, before);
      else heirs.set(after?.upstream.name, (heirs.get(after?.upstream.name) ?? 0) + 1);
    }
    assert.equal(heirs.size, 4);
    for (const got of heirs.values()) assert.ok(got > 400 && got < 600, String(got));
  });

  it("does not go by the order of the list", () => {
    fc.assert(
      fc.property(fc.string(), fc.shuffledSubarray(LETTERS, { minLength: 8 }), (key, all) => {
        assert.equal(rendezvous(key, all), rendezvous(key, LETTERS));
      }),
    );
  });

  it("keeps a key where it is when any others go", () => {
    fc.assert(fc.property(fc.string(), fc.subarray([...LETTERS], { minLength: 1 }), (key, rest) => {
      const before = rendezvous(key, LETTERS);
      if (before !== undefined && rest.includes(before)) {
        assert.equal(rendezvous(key, rest), before);
      }
    }));
  });

  it("has nobody when there is nobody", () => {
    assert.equal(rendezvous("key", []), undefined);
  });

  it("stays as it is from release to release, or instances would disagree", () => {
    const chosen = ["", "10.0.0.1", "/", "é", "zoe"].map((key) =>
      rendezvous(key, LETTERS)?.upstream.name
    );
    assert.deepEqual(chosen, ["f", "d", "g", "d", "c"]);
  });
});
