/** What a disk did not take: tried again, told of once, and never put over something newer. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Unsaved } from "../../src/tls/unsaved.ts";
import { MemoryStore } from "../support/memory_store.ts";

const PATH = "certificates/a.pem";
const never = new AbortController().signal;

/** Something that could not be stored. */
async function scene() {
  const store = new MemoryStore();
  const unsaved = new Unsaved();
  store.full = "the disk is full";
  unsaved.keep(PATH, "ours");
  assert.equal(await unsaved.save(store), "the disk is full");
  return { store, unsaved };
}

describe("Unsaved", () => {
  it("saveLate() stores it once there is room, and tells the same reason no second time", async () => {
    const { store, unsaved } = await scene();
    const isOld = () => Promise.resolve(false);
    assert.equal(await unsaved.saveLate(store, isOld, never), undefined);
    assert.equal(unsaved.reason, "the disk is full");
    store.full = undefined;
    assert.equal(await unsaved.saveLate(store, isOld, never), undefined);
    assert.deepEqual([unsaved.reason, store.files.get(PATH)], [undefined, "ours"]);
  });

  it("saveLate() leaves alone what another process has stored since", async () => {
    const { store, unsaved } = await scene();
    store.full = undefined;
    store.inTurn = () => void store.files.set(PATH, "theirs");
    await unsaved.saveLate(store, () => Promise.resolve(true), never);
    assert.deepEqual([unsaved.reason, store.files.get(PATH)], [undefined, "theirs"]);
    await unsaved.save(store);
    assert.equal(store.files.get(PATH), "theirs");
  });

  it("saveLate() takes no turn where nothing waits", async () => {
    const store = new MemoryStore();
    store.inTurn = () => assert.fail();
    await new Unsaved().saveLate(store, () => Promise.resolve(false), never);
  });
});
