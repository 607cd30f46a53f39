/** Header fields as they were sent: order, case and repetition stay, names match in any case. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Fields, sameName } from "../src/fields.ts";

const name = fc.constantFrom("Accept", "accept", "ACCEPT", "Cookie", "cookie", "X-A", "x-a", "Via");
const pairs = fc.array(fc.tuple(name, fc.string({ maxLength: 3 })), { maxLength: 8 });

function sample(): Fields {
  return Fields.from([["A", "1"], ["b", "2"], ["a", "3"], ["C", "4"]]);
}

describe("sameName()", () => {
  const cases: [string, string, boolean][] = [
    ["Host", "host", true],
    ["HOST", "hOsT", true],
    ["Host", "Hosts", false],
    ["Host", "Hoss", false],
    ["", "", true],
  ];
  for (const [one, other, expected] of cases) {
    it(`says ${expected} when given "${one}" and "${other}"`, () => {
      assert.equal(sameName(one, other), expected);
    });
  }
});

describe("Fields", () => {
  it("keeps order, case and repetition when iterated", () => {
    assert.deepEqual([...sample()], [["A", "1"], ["b", "2"], ["a", "3"], ["C", "4"]]);
    assert.equal(sample().size, 4);
  });

  it("get() gives the first and joined() all when a field is repeated", () => {
    assert.equal(sample().get("a"), "1");
    assert.equal(sample().joined("A"), "1, 3");
    assert.equal(sample().joined("missing"), undefined);
    assert.equal(sample().get("missing"), undefined);
  });

  it("set() takes the first one's place and removes the others when a field is repeated", () => {
    const fields = sample();
    fields.set("a", "9");
    assert.deepEqual([...fields], [["A", "9"], ["b", "2"], ["C", "4"]]);
  });

  it("set() appends when there is no such field", () => {
    const fields = sample();
    fields.set("D", "5");
    assert.deepEqual([...fields].at(-1), ["D", "5"]);
  });

  it("replace() rewrites every field of that name when it is repeated", () => {
    const fields = sample();
    fields.replace("a", (value) => `<${value}>`);
    assert.equal(fields.joined("a"), "<1>, <3>");
    assert.equal(fields.get("b"), "2");
  });

  it("clone() stays as it was when the original changes", () => {
    const fields = sample();
    const copy = fields.clone();
    fields.delete("A");
    assert.equal(copy.joined("a"), "1, 3");
  });

  it("fromFlat() reads names and values in turn", () => {
    assert.deepEqual([...Fields.fromFlat(["a", "1", "b", "2"])], [["a", "1"], ["b", "2"]]);
  });

  it("agrees with a plain list of pairs when edited at will", () => {
    const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
    fc.assert(fc.property(pairs, name, fc.string({ maxLength: 3 }), (list, key, value) => {
      const fields = Fields.from(list);
      const found = list.filter(([other]) => same(other, key));
      assert.equal(fields.get(key), found[0]?.[1]);
      assert.equal(fields.has(key), found.length > 0);

      const removed = fields.clone();
      removed.delete(key);
      assert.deepEqual([...removed], list.filter(([other]) => !same(other, key)));

      fields.set(key, value);
      assert.deepEqual([...fields].filter(([other]) => same(other, key)).length, 1);
      assert.equal(fields.get(key), value);
      assert.equal(fields.size, list.length - found.length + 1);
    }));
  });
});
