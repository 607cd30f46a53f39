/** The store: what it keeps, what paths it refuses, and the turns that callers and processes take. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { platform } from "#platform";
import { FileError } from "../../src/platform/platform.ts";
import type { Store } from "../../src/tls/issuer.ts";
import { openStore } from "../../src/tls/store.ts";
import { within } from "../platform/support.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Child } from "../support/processes.ts";

const NEVER = new AbortController().signal;

describe("openStore()", () => {
  let parent = "";
  let folder = "";
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "understudy-store-"));
    folder = join(parent, "a", "store");
  });
  afterEach(() => rm(parent, { recursive: true }));

  const open = (clock = platform.clock) => openStore(folder, { files: platform, clock });
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  it("makes the folder, and says nothing where all is well", async () => {
    assert.deepEqual((await open()).notices, []);
    assert.equal(await modeOf(folder), "700");
    assert.deepEqual((await open()).notices, []);
  });

  it("closes the folder to others, and says so", async () => {
    await open();
    await chmod(folder, 0o755);
    assert.deepEqual((await open()).notices, [
      `"${folder}" had mode 0755 and has 0700 now, so that it is ours alone`,
    ]);
    assert.equal(await modeOf(folder), "700");
  });

  it("rejects in words where there can be no folder", async () => {
    await writeFile(join(parent, "a"), "");
    await assert.rejects(open(), new FileError(`Cannot make directory "${folder}": no such file`));
  });

  it("keeps texts by path, in folders of ours alone", async () => {
    const { store } = await open();
    assert.equal(await store.read("x/y/key.pem"), undefined);
    assert.deepEqual(await store.list("x/y"), []);
    await store.write("x/y/key.pem", "one");
    await store.write("x/y/key.pem", "two");
    await store.write("top", "three");
    assert.equal(await store.read("x/y/key.pem"), "two");
    assert.deepEqual(await store.list("x/y"), ["key.pem"]);
    assert.deepEqual(await store.list("x"), []);
    assert.deepEqual(
      [await modeOf(join(folder, "x")), await modeOf(join(folder, "x/y/key.pem"))],
      ["700", "600"],
    );
    await store.remove("x/y/key.pem");
    await store.remove("x/y/key.pem");
    assert.equal(await store.read("x/y/key.pem"), undefined);
    assert.equal((await open()).store.read("top") instanceof Promise, true);
    assert.equal(await (await open()).store.read("top"), "three");
  });

  const stray = [
    "",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    ".",
    "a//b",
    "a/",
    "a\\b",
    "a\0",
    "c:",
  ];
  for (const path of stray) {
    it(`refuses the path ${JSON.stringify(path)}`, async () => {
      const { store } = await open();
      const refused = (error: unknown) => error instanceof RangeError;
      await assert.rejects(store.read(path), refused);
      await assert.rejects(store.write(path, ""), refused);
      await assert.rejects(store.remove(path), refused);
      await assert.rejects(store.list(path), refused);
    });
  }

  describe("exclusively()", () => {
    it("lets callers in one by one, in order, whatever becomes of them", async () => {
      const { store } = await open();
      const seen: string[] = [];
      const work = (name: string, fails = false) =>
        store.exclusively("a", NEVER, async () => {
          seen.push(`${name} begins`);
          await within("a moment", platform.clock.sleep(1));
          seen.push(`${name} ends`);
          if (fails) throw new Error(name);
          return name;
        });
      const all = await Promise.allSettled([work("one"), work("two", true), work("three")]);
      assert.deepEqual(all.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
      assert.deepEqual(
        seen,
        ["one", "two", "three"].flatMap((name) => [
          `${name} begins`,
          `${name} ends`,
        ]),
      );
    });

    it("has turns of other names at the same time", async () => {
      const { store } = await open();
      const inner = await store.exclusively(
        "a",
        NEVER,
        () => store.exclusively("b", NEVER, () => Promise.resolve("both")),
      );
      assert.equal(inner, "both");
    });

    it("gives up waiting for others here when aborted, and does nothing then", async () => {
      const { store } = await open();
      const first = Promise.withResolvers<void>();
      const seen: string[] = [];
      const turn = (name: string, signal: AbortSignal) =>
        store.exclusively("a", signal, () => Promise.resolve(void seen.push(name)));
      const before = store.exclusively("a", NEVER, () => first.promise);
      const control = new AbortController();
      const given = turn("given up", control.signal);
      const last = turn("last", NEVER);
      control.abort(new Error("no more"));
      await assert.rejects(given, /no more/);
      await assert.rejects(turn("late", control.signal), /no more/);
      assert.deepEqual(seen, []);
      first.resolve();
      await Promise.all([before, last]);
      assert.deepEqual(seen, ["last"]);
    });

    /** As another process would have it. */
    async function locked(store: Store, name: string): Promise<() => Promise<void>> {
      await store.exclusively(name, NEVER, () => Promise.resolve());
      const release = await platform.lockFile(join(folder, "locks", name));
      assert.ok(release !== undefined);
      return release;
    }

    it("asks for another's lock four times a second, for as long as it takes", async () => {
      const polls: (() => void)[] = [];
      const clock = {
        ...platform.clock,
        sleep: (ms: number) => {
          assert.equal(ms, 250);
          return new Promise<void>((resolve) => polls.push(resolve));
        },
      };
      const { store } = await open(clock);
      const release = await locked(store, "a");
      let isIn = false;
      const turn = store.exclusively("a", NEVER, () => Promise.resolve(void (isIn = true)));
      for (let poll = 0; poll < 50; poll++) {
        while (polls.length <= poll) await within("a moment", platform.clock.sleep(0));
        if (poll === 49) await release();
        assert.equal(isIn, false);
        polls[poll]?.();
      }
      await within("its turn", turn);
      assert.equal(isIn, true);
    });

    it("lets in without a lock where the disk takes none", async () => {
      for (const code of ["ENOSPC", "EROFS", "EACCES"]) {
        const cause = Object.assign(new Error(code), { code });
        const lockFile = () => Promise.reject(new FileError("no lock", { cause }));
        const files = { ...platform, lockFile };
        const { store } = await openStore(folder, { files, clock: platform.clock });
        const turn = store.exclusively("a", NEVER, () => Promise.resolve("in"));
        if (code === "EACCES") await assert.rejects(turn, FileError);
        else assert.equal(await turn, "in");
      }
    });

    it("gives up waiting for another process when aborted", async () => {
      const clock = new ManualClock();
      const { store } = await open(clock);
      const release = await locked(store, "a");
      const control = new AbortController();
      const turn = store.exclusively("a", control.signal, () => Promise.resolve());
      while (clock.pending === 0) await within("a moment", platform.clock.sleep(0));
      control.abort(new Error("no more"));
      await assert.rejects(within("the end", turn), /no more/);
      await release();
      await store.exclusively("a", NEVER, () => Promise.resolve());
    });

    it("names its locks so that they are files", async () => {
      const { store } = await open();
      await store.exclusively("*.a/../b:1", NEVER, () => Promise.resolve());
      assert.deepEqual(await readdir(join(folder, "locks")), ["wildcard_.a%2f..%2fb_1"]);
    });

    it("takes turns with processes of both runtimes", { timeout: 30_000 }, async () => {
      await open();
      await writeFile(join(folder, "count"), "0");
      const bin = (name: string) =>
        fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url).href);
      const fixture = fileURLToPath(new URL("./fixtures/take_turns.ts", import.meta.url).href);
      const bun = [bin("bun"), "run", fixture, folder, "8"];
      const deno = [bin("deno"), "run", "-A", "--no-lock", "--quiet", fixture, folder, "8"];
      const children = [bun, deno, bun, deno].map((command) => new Child(command));
      try {
        for (const child of children) assert.equal((await child.exited).code, 0, child.stderr);
        assert.equal(await readFile(join(folder, "count"), "utf8"), "32");
      } finally {
        for (const child of children) await child[Symbol.asyncDispose]();
      }
    });
  });
});
