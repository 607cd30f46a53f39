/** Watching a file, on a clock and a directory that the test moves by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { watchFile } from "../src/watch.ts";

/** A directory with one file, and the one timer that watching sets. */
class Scene {
  text: string | undefined;
  readonly told: string[] = [];
  readonly stop: () => void;
  directory = "";
  isWatching = true;
  #changed = (): void => {};
  #timer: (() => void) | undefined;

  constructor(text: string | undefined, path = "/etc/u/config.yaml", loaded?: string) {
    this.text = text;
    const platform = {
      clock: {
        after: (ms: number, callback: () => void) => {
          assert.equal(ms, 150);
          this.#timer = callback;
          return () => void (this.#timer = undefined);
        },
      },
      readText: () =>
        this.text === undefined
          ? Promise.reject(new Error("no such file"))
          : Promise.resolve(this.text),
      watchDirectory: (directory: string, changed: () => void) => {
        this.directory = directory;
        this.#changed = changed;
        return () => void (this.isWatching = false);
      },
    };
    const events = {
      changed: (now: string) => void this.told.push(now),
      unreadable: (reason: string) => void this.told.push(`! ${reason}`),
    };
    this.stop = watchFile(platform, path, events, loaded);
  }

  /** Something happens in the directory. */
  stir(): void {
    this.#changed();
  }

  /** The debounce time passes, and whatever it started ends. */
  async settle(): Promise<void> {
    const timer = this.#timer;
    this.#timer = undefined;
    timer?.();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  get isTimerSet(): boolean {
    return this.#timer !== undefined;
  }
}

describe("watchFile()", () => {
  it("tells the new text once when many events make one change", async () => {
    const scene = new Scene("old");
    await scene.settle();
    scene.text = "half";
    scene.stir();
    scene.text = "new";
    scene.stir();
    await scene.settle();
    assert.deepEqual(scene.told, ["new"]);
  });

  it("is silent when the content is the same", async () => {
    const scene = new Scene("old");
    await scene.settle();
    scene.stir();
    await scene.settle();
    assert.deepEqual(scene.told, []);
  });

  it("tells once when the file is gone, and again when it is back and different", async () => {
    const scene = new Scene("old");
    await scene.settle();
    scene.text = undefined;
    scene.stir();
    await scene.settle();
    scene.stir();
    await scene.settle();
    scene.text = "old";
    scene.stir();
    await scene.settle();
    scene.text = "new";
    scene.stir();
    await scene.settle();
    assert.deepEqual(scene.told, ["! no such file", "new"]);
  });

  it("tells a change between loading and watching when it knows what was loaded", async () => {
    const scene = new Scene("new", "config.yaml", "old");
    await scene.settle();
    assert.deepEqual(scene.told, ["new"]);
  });

  it("sets no timer and tells nothing when it was stopped", async () => {
    const scene = new Scene("old");
    await scene.settle();
    scene.text = "new";
    scene.stir();
    scene.stop();
    assert.ok(!scene.isTimerSet && !scene.isWatching);
    scene.stir();
    await scene.settle();
    assert.deepEqual(scene.told, []);
  });

  const paths: [string, string][] = [
    ["config.yaml", "."],
    ["./config.yaml", "."],
    ["/config.yaml", "/"],
    ["/etc/understudy/config.yaml", "/etc/understudy"],
    ["C:\\understudy\\config.yaml", "C:\\understudy"],
  ];
  for (const [path, directory] of paths) {
    it(`watches ${directory} when the file is ${path}`, () => {
      assert.equal(new Scene("", path).directory, directory);
    });
  }
});
