/** The roll: whoever joins is on it once, whoever leaves is off, also amid a round of calls. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Enrolled, Roll } from "../src/roll.ts";

interface Member extends Enrolled {
  readonly name: number;
}

function called(roll: Roll<Member>): number[] {
  const names: number[] = [];
  roll.each(({ name }) => names.push(name));
  return names.sort((one, other) => one - other);
}

describe("Roll", () => {
  it("holds whom a Set would hold, whatever comes and goes", () => {
    const step = fc.tuple(fc.constantFrom("add", "delete"), fc.nat(7));
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const members = Array.from({ length: 8 }, (_, name): Member => ({ name, place: -1 }));
      const roll = new Roll<Member>();
      const known = new Set<number>();
      for (const [what, name] of steps) {
        const member = members[name];
        if (member === undefined) continue;
        if (what === "add") {
          roll.add(member);
          known.add(name);
        } else {
          roll.delete(member);
          known.delete(name);
        }
        assert.equal(roll.size, known.size);
        assert.deepEqual(called(roll), [...known].sort((one, other) => one - other));
      }
    }));
  });

  it("calls nobody twice, and nobody who has left, when members leave meanwhile", () => {
    const leavers = fc.array(fc.array(fc.nat(5), { maxLength: 3 }), {
      minLength: 6,
      maxLength: 6,
    });
    fc.assert(fc.property(leavers, (leaving) => {
      const members = leaving.map((_, name): Member => ({ name, place: -1 }));
      const roll = new Roll<Member>();
      for (const member of members) roll.add(member);
      const heard: number[] = [];
      const gone = new Set<number>();
      roll.each(({ name }) => {
        assert.equal(gone.has(name), false);
        heard.push(name);
        for (const other of leaving[name] ?? []) {
          const member = members[other];
          if (member !== undefined) roll.delete(member);
          gone.add(other);
        }
      });
      assert.equal(new Set(heard).size, heard.length);
      for (const { name } of members) assert.ok(heard.includes(name) || gone.has(name));
    }));
  });

  it("lets members join again after it was cleared", () => {
    const roll = new Roll<Member>();
    const member: Member = { name: 1, place: -1 };
    roll.add(member);
    roll.clear();
    assert.deepEqual([roll.size, member.place], [0, -1]);
    roll.add(member);
    assert.deepEqual(called(roll), [1]);
  });
});
