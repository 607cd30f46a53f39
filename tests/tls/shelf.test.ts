/** Which certificate is shown for which name on which listener. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Shelf, Shown } from "../../src/tls/shelf.ts";
import { certificate, type FakeContext, identity, workshop } from "../support/fake_tls.ts";

const FILES = {
  kind: "files",
  chain: { path: "/c", text: "" },
  key: { path: "/k", text: "" },
} as const;

function shown(serial: string, names: readonly string[] = []): Shown {
  return new Shown(identity(names, { from: 0 }, serial), workshop);
}

function serialOf(found: Shown | undefined): string | undefined {
  return found?.facts.serial;
}

describe("Shelf", () => {
  it("find() prefers a name to a wildcard, and that to the pair for all", () => {
    const shelf = new Shelf();
    shelf.put(certificate([], FILES), shown("all", ["held.example"]));
    shelf.put(certificate(["*.a.example"]), shown("wild"));
    shelf.put(certificate(["x.a.example"]), shown("exact"));
    const cases: [string, string][] = [
      ["x.a.example", "exact"],
      ["y.a.example", "wild"],
      ["a.example", "all"],
      ["z.y.a.example", "all"],
      ["held.example", "all"],
      ["192.0.2.1", "all"],
    ];
    for (const [name, expected] of cases) assert.equal(serialOf(shelf.find("l", name)), expected);
  });

  it("find() prefers what is for that listener alone", () => {
    const shelf = new Shelf();
    const source = { kind: "internal", lifetimeMs: 1 } as const;
    shelf.put(certificate(["a.lan"]), shown("general"));
    shelf.put(certificate(["a.lan"], source, ["here"]), shown("own"));
    assert.equal(serialOf(shelf.find("here", "a.lan")), "own");
    assert.equal(serialOf(shelf.find("there", "a.lan")), "general");
  });

  it("find() takes the certificate made for a name before one that happens to hold it", () => {
    const shelf = new Shelf();
    shelf.put(certificate(["a.example"]), shown("made"));
    shelf.put(certificate([], FILES), shown("pair", ["a.example"]));
    assert.equal(serialOf(shelf.find("l", "a.example")), "made");
  });

  it("find() finds nothing where nothing fits", () => {
    const shelf = new Shelf();
    shelf.put(certificate(["a.example"]), shown("a"));
    assert.equal(shelf.find("l", "b.example"), undefined);
  });

  it("find() shows a former pair for all to nobody but by its own names, and former() to who waits", () => {
    const shelf = new Shelf();
    const rules = certificate([], FILES, ["here"]);
    shelf.put(rules, shown("pair", ["a.example"]));
    shelf.retire(rules.id);
    assert.equal(serialOf(shelf.find("here", "a.example")), "pair");
    assert.equal(shelf.find("here", "b.example"), undefined);
    assert.equal(shelf.find("there", "b.example"), undefined);
    assert.equal(serialOf(shelf.former("here")), "pair");
  });

  it("identities() has each name once, of the one that is shown for it", () => {
    const shelf = new Shelf();
    const both = certificate(["a.example", "b.example"]);
    shelf.put(both, shown("both"));
    shelf.put(certificate([], FILES), shown("pair", ["a.example", "c.example"]));
    shelf.put(certificate(["a.example"]), shown("a"));
    shelf.put(certificate(["d.example"], undefined, ["there"]), shown("d"));
    shelf.retire(both.id);
    const told = shelf.identities("here").map(({ names, chain }) => [
      workshop.certificateFacts(chain).serial,
      ...names,
    ]);
    assert.deepEqual(told, [["pair", "c.example"], ["both", "b.example"], ["a", "a.example"]]);
  });

  it("put() takes the place of what was shown, and remove() lets go of it", () => {
    const shelf = new Shelf();
    const rules = certificate(["a.example"]);
    shelf.put(rules, shown("1"));
    shelf.put(rules, shown("2"));
    assert.equal(serialOf(shelf.find("l", "a.example")), "2");
    assert.ok(shelf.has("a.example"));
    shelf.remove(rules.id);
    assert.equal(shelf.find("l", "a.example"), undefined);
    assert.equal(shelf.has("a.example"), false);
  });

  it("context() is made once for the same clients and version", () => {
    const one = shown("1");
    assert.equal(one.context([], "1.2"), one.context([], "1.2"));
    assert.notEqual(one.context(["CA"], "1.2"), one.context([], "1.2"));
    const { material } = one.context(["CA"], "1.3") as FakeContext;
    assert.deepEqual([material.clientAuthorities, material.minVersion], [["CA"], "1.3"]);
  });
});
