/** A certificate from files that change under it: the new one when it is good, the old one otherwise. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CertificateError } from "../../src/platform/tls.ts";
import { FilePair, type PairCourse } from "../../src/tls/files.ts";
import { Shelf } from "../../src/tls/shelf.ts";
import { certificate, identity, workshop } from "../support/fake_tls.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

function textOf(serial: string): string {
  return identity(["a.example"], { from: 0, days: 90_000 }, serial).chain;
}

class Scene {
  readonly clock = new ManualClock();
  readonly shelf = new Shelf();
  readonly told: string[] = [];
  readonly files = new Map([["/etc/c.pem", textOf("1")], ["/etc/k.pem", "key 1"]]);
  readonly pair: FilePair;
  readonly #watchers = new Set<() => void>();

  constructor() {
    const at = (path: string) => ({ path, text: this.files.get(path) ?? "" });
    const source = { kind: "files", chain: at("/etc/c.pem"), key: at("/etc/k.pem") } as const;
    this.pair = new FilePair({ ...certificate([], source), source }, {
      clock: this.clock,
      shelf: this.shelf,
      workshop: {
        certificateFacts: (chain) => workshop.certificateFacts(chain),
        tlsContext: (material) => {
          const { serial } = workshop.certificateFacts(material.chain);
          if (material.key !== `key ${serial}`) throw new CertificateError("the key is another's");
          return workshop.tlsContext(material);
        },
      },
      readText: (path) => {
        const text = this.files.get(path);
        return text === undefined
          ? Promise.reject(new Error("no such file"))
          : Promise.resolve(text);
      },
      watchDirectory: (_, changed) => {
        this.#watchers.add(changed);
        return () => void this.#watchers.delete(changed);
      },
      tell: (_, course: PairCourse) =>
        this.told.push(course.kind === "refused" ? `refused: ${course.reason}` : course.kind),
    });
  }

  get serial(): string | undefined {
    return this.shelf.find("l", "a.example")?.facts.serial;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  async write(files: Record<string, string | undefined>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      if (text === undefined) this.files.delete(path);
      else this.files.set(path, text);
      for (const changed of this.#watchers) changed();
    }
    await this.clock.advance(1_000);
  }
}

describe("FilePair", () => {
  it("says nothing of files that go once it is stopped", async () => {
    const scene = new Scene();
    scene.files.delete("/etc/k.pem");
    scene.pair.look();
    scene.pair.stop();
    await settled();
    assert.deepEqual(scene.told, []);
  });

  it("shows what the loader has read, and tells nothing of it", async () => {
    const scene = new Scene();
    await settled();
    assert.equal(scene.serial, "1");
    await scene.clock.advance(1_000);
    assert.deepEqual(scene.told, []);
    scene.pair.stop();
  });

  it("shows a new pair once both files are there", async () => {
    const scene = new Scene();
    await scene.write({ "/etc/c.pem": textOf("2"), "/etc/k.pem": "key 2" });
    assert.equal(scene.serial, "2");
    assert.equal(scene.told.at(-1), "reloaded");
    scene.pair.stop();
  });

  it("keeps the old pair while the new one does not go together", async () => {
    const scene = new Scene();
    await scene.write({ "/etc/c.pem": textOf("2") });
    assert.equal(scene.serial, "1");
    assert.deepEqual(scene.told, ["refused: the key is another's"]);
    await scene.write({ "/etc/k.pem": "key 2" });
    assert.equal(scene.serial, "2");
    assert.deepEqual(scene.told, ["refused: the key is another's", "reloaded"]);
    assert.equal(scene.pair.problem, undefined);
    scene.pair.stop();
  });

  it("keeps the old pair when a file is gone, and says so once", async () => {
    const scene = new Scene();
    await scene.write({ "/etc/c.pem": undefined });
    await scene.write({ "/etc/k.pem": "key 1" });
    assert.equal(scene.serial, "1");
    assert.deepEqual(scene.told, ["refused: no such file"]);
    scene.pair.stop();
  });

  it("sees a change that no watch tells of, in time", async () => {
    const scene = new Scene();
    scene.files.set("/etc/c.pem", textOf("3"));
    scene.files.set("/etc/k.pem", "key 3");
    await scene.clock.advance(11 * 60_000);
    assert.equal(scene.serial, "3");
    scene.pair.stop();
  });

  it("look() reads the files at once", async () => {
    const scene = new Scene();
    scene.files.set("/etc/c.pem", textOf("2")).set("/etc/k.pem", "key 2");
    scene.pair.look();
    await settled();
    assert.deepEqual([scene.serial, scene.told], ["2", ["reloaded"]]);
  });

  it("has no problem any more once files that were gone are back as they were", async () => {
    const scene = new Scene();
    await scene.write({ "/etc/k.pem": undefined });
    assert.notEqual(scene.pair.problem, undefined);
    await scene.write({ "/etc/k.pem": "key 1" });
    scene.pair.look();
    await settled();
    assert.equal(scene.pair.problem, undefined);
  });

  it("stop() shows nothing of what was being read", async () => {
    const scene = new Scene();
    scene.files.set("/etc/c.pem", textOf("2")).set("/etc/k.pem", "key 2");
    scene.pair.look();
    scene.pair.stop();
    scene.shelf.remove(scene.pair.rules.id);
    await settled();
    assert.equal(scene.serial, undefined);
  });

  it("stop() leaves neither watch nor timer", async () => {
    const scene = new Scene();
    await settled();
    scene.pair.stop();
    await settled();
    assert.deepEqual([scene.watchers, scene.clock.pending], [0, 0]);
  });
});
