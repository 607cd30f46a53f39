/** Following a Caddyfile and its imports, on files and a clock that the test moves by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readCaddyfile } from "../../src/cli/caddyfile_source.ts";
import { followCaddyfile } from "../../src/cli/follow_caddyfile.ts";
import { FileError } from "../../src/platform/platform.ts";

class Scene {
  readonly files: Map<string, string>;
  readonly told: string[] = [];
  readonly watched = new Map<string, () => void>();
  #timer: (() => void) | undefined;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files));
  }

  readonly platform = {
    env: () => undefined,
    clock: {
      after: (_ms: number, callback: () => void) => {
        this.#timer = callback;
        return () => void (this.#timer = undefined);
      },
    },
    readText: (path: string): Promise<string> => {
      const text = this.files.get(path);
      const error = new FileError(`Cannot read "${path}": no such file`);
      return text === undefined ? Promise.reject(error) : Promise.resolve(text);
    },
    listDirectory: (directory: string): Promise<readonly string[]> =>
      Promise.resolve(
        [...this.files.keys()].filter((path) => path.startsWith(directory))
          .map((path) => path.slice(directory.length)),
      ),
    watchDirectory: (directory: string, changed: () => void) => {
      this.watched.set(directory, changed);
      return () => void this.watched.delete(directory);
    },
  };

  async follow(): Promise<() => void> {
    const { fingerprint } = await readCaddyfile("/c/Caddyfile", this.platform);
    const stop = followCaddyfile(this.platform, "/c/Caddyfile", {
      changed: () => void this.told.push("changed"),
      unreadable: (reason) => void this.told.push(reason),
    }, fingerprint);
    await this.#turns();
    return stop;
  }

  /** Something happens in a directory, and the debounce time passes. */
  async stir(directory: string): Promise<void> {
    this.watched.get(directory)?.();
    const timer = this.#timer;
    this.#timer = undefined;
    timer?.();
    await this.#turns();
  }

  async #turns(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  }
}

const FILES = {
  "/c/Caddyfile": ":80 {\n import sites/*\n import /other/x\n}",
  "/c/sites/a": "respond hi",
  "/other/x": "encode gzip",
};

describe("followCaddyfile()", () => {
  it("watches every directory that something comes from", async () => {
    const scene = new Scene(FILES);
    const stop = await scene.follow();
    assert.deepEqual([...scene.watched.keys()].toSorted(), ["/c/", "/c/sites/", "/other/"]);
    stop();
    assert.equal(scene.watched.size, 0);
  });

  it("tells of changes of the file, of an import, and of new files that a pattern finds", async () => {
    const scene = new Scene(FILES);
    const stop = await scene.follow();
    scene.files.set("/other/x", "encode zstd");
    await scene.stir("/other/");
    scene.files.set("/c/sites/b", "header A b");
    await scene.stir("/c/sites/");
    scene.files.delete("/c/sites/b");
    await scene.stir("/c/sites/");
    scene.files.set("/c/Caddyfile", ":80 {\n import /more/y\n}");
    scene.files.set("/more/y", "respond 200");
    await scene.stir("/c/");
    assert.deepEqual(scene.told, ["changed", "changed", "changed", "changed"]);
    assert.ok(scene.watched.has("/more/"));
    stop();
  });

  it("is silent when nothing it reads has changed", async () => {
    const scene = new Scene(FILES);
    const stop = await scene.follow();
    scene.files.set("/c/unrelated", "x");
    await scene.stir("/c/");
    assert.deepEqual(scene.told, []);
    stop();
  });

  it("tells once that the file is gone, and of its new text when it is back", async () => {
    const scene = new Scene(FILES);
    const stop = await scene.follow();
    scene.files.delete("/c/Caddyfile");
    await scene.stir("/c/");
    await scene.stir("/c/");
    scene.files.set("/c/Caddyfile", ":80 {\n}");
    await scene.stir("/c/");
    assert.deepEqual(scene.told, ['Cannot read "/c/Caddyfile": no such file', "changed"]);
    stop();
  });
});
