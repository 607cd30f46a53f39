/** Locks among processes: real ones that are killed, on both runtimes at once, and claims of holders that cannot be seen. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { platform } from "#platform";
import { locker } from "../../src/platform/host_lock.ts";
import { FileError } from "../../src/platform/platform.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Child } from "../support/processes.ts";
import { within } from "./support.ts";

const bin = (name: string) =>
  fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url).href);
const holder = fileURLToPath(new URL("./fixtures/lock_holder.ts", import.meta.url).href);
const RUNTIMES = [
  [bin("bun"), "run", holder],
  [bin("deno"), "run", "-A", "--no-lock", "--quiet", holder],
];

const SILENCE_MS = 60_000;

describe("lockFile()", () => {
  let folder = "";
  let path = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "understudy-lock-"));
    path = join(folder, "locks", "a");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const child = (runtime: readonly string[], ...words: string[]) =>
    new Child([...runtime, path, ...words]);

  async function taken(): Promise<() => Promise<void>> {
    const release = await platform.lockFile(path);
    assert.ok(release !== undefined);
    return release;
  }

  it("is held by one at a time, also within a process", async () => {
    const release = await taken();
    assert.equal(await platform.lockFile(path), undefined);
    await release();
    await (await taken())();
    // The first one is over: it must not end the next one's.
    const again = await taken();
    await release();
    assert.equal(await platform.lockFile(path), undefined);
    await again();
    assert.deepEqual((await readdir(path)).toSorted(), ["1", "2", "3"]);
  });

  it("rejects in words where no lock can be", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await assert.rejects(
      platform.lockFile(file),
      new FileError(`Cannot make directory "${file}": something else has that name`),
    );
  });

  for (const [at, runtime] of RUNTIMES.entries()) {
    const name = ["Bun", "Deno"][at] ?? "";
    it(`is taken over at once from a process on ${name} that was killed, and not before`, async () => {
      await using other = child(runtime, "hold");
      await other.until(() => other.stdout.includes("holds"));
      assert.equal(await platform.lockFile(path), undefined);
      other.kill("SIGSTOP");
      assert.equal(await platform.lockFile(path), undefined);
      other.kill("SIGKILL");
      await within("the holder's end", other.exited);
      const release = await taken();
      assert.equal(await platform.lockFile(path), undefined);
      await release();
    });
  }

  it("never lets two hold it, whoever dies meanwhile", { timeout: 60_000 }, async () => {
    const racers = [...RUNTIMES, ...RUNTIMES].flatMap((runtime, at) => [
      child(runtime, "race", "25"),
      ...[1, 4, 7].map((times) => child(runtime, "race", String(times + at), "die")),
    ]);
    try {
      const ends = await Promise.all(racers.map(({ exited }) => exited));
      assert.deepEqual(racers.map(({ stderr }) => stderr).join(""), "");
      const said = racers.map(({ stdout }) => stdout);
      assert.deepEqual(said.filter((text) => text.includes("two")), []);
      assert.equal(said.filter((text) => text === "done\n").length, 4);
      assert.equal(ends.filter(({ signal }) => signal === "SIGKILL").length, 12);
      await (await taken())();
    } finally {
      for (const racer of racers) await racer[Symbol.asyncDispose]();
    }
  });

  /** What a holder of this process writes; it holds no more. */
  async function ownClaim(): Promise<string> {
    const release = await taken();
    const claim = await readFile(join(path, "1"), "utf8");
    await release();
    await rm(path, { recursive: true });
    await mkdir(path);
    return claim;
  }

  async function deadPid(): Promise<number> {
    await using dead = new Child(["true"]);
    await dead.exited;
    return dead.pid;
  }

  const isLinux = process.platform === "linux";
  const claims: [string, (own: string) => string | Promise<string>, number, boolean][] = [
    ["its process lives", (own) => own, 2 * SILENCE_MS, !isLinux],
    [
      "its number is another process's by now",
      (own) => own.replace(/\d+ held/, "1 held"),
      0,
      isLinux,
    ],
    [
      "its process is gone",
      async (own) => own.replace(/ \d+ (\d+ held)/, ` ${await deadPid()} $1`),
      ...[0, true] as const,
    ],
    [
      "it is of another machine and spoke lately",
      (own) => `x${own}`,
      ...[SILENCE_MS - 5000, false] as const,
    ],
    [
      "it is of another machine and has released it",
      (own) => `x${own.replace("held", "free")}`,
      0,
      true,
    ],
    [
      "it knows not where it is, and spoke lately",
      (own) => own.replace(/^\S+ \d+/, "- 999999999"),
      ...[0, false] as const,
    ],
    ["it is of another machine and silent", (own) => `x${own}`, SILENCE_MS + 1000, true],
    ["it is damaged and young", () => "", 0, false],
    ["it is damaged and old", (own) => own.slice(0, 20), SILENCE_MS + 1000, true],
    [
      "its process may not be looked at and spoke lately",
      (own) => own.replace(/\d+ held/, "- held"),
      ...[0, false] as const,
    ],
  ];
  for (const [title, make, ageMs, isFree] of claims) {
    it(`${isFree ? "takes a lock over" : "leaves a lock alone"} when of its holder ${title}`, async () => {
      await writeFile(join(path, "7"), await make(await ownClaim()));
      const touchedAt = new Date(Date.now() - ageMs);
      await utimes(join(path, "7"), touchedAt, touchedAt);

      const release = await platform.lockFile(path);
      assert.equal(release !== undefined, isFree);
      assert.deepEqual((await readdir(path)).toSorted(), isFree ? ["7", "8"] : ["7"]);
      await release?.();
    });
  }

  it("keeps the last claims, and removes what is older or was given up", async () => {
    await ownClaim();
    for (const name of ["5", "89", "90", "99", ".abandoned"]) {
      await writeFile(join(path, name), "");
      await utimes(join(path, name), new Date(0), new Date(0));
    }
    await (await taken())();
    assert.deepEqual((await readdir(path)).toSorted(), ["100", "90", "99"]);
  });

  it("shows every 15 s that its holder lives, until it is released", async () => {
    const clock = new ManualClock();
    const release = await locker(clock)(path);
    for (let beat = 1; beat <= 2; beat++) {
      await utimes(join(path, "1"), new Date(0), new Date(0));
      const text = await readFile(join(path, "1"), "utf8");
      await clock.advance(14_999);
      assert.equal((await stat(join(path, "1"))).mtimeMs, 0);
      await clock.advance(1);
      const beaten = async (): Promise<void> => {
        while ((await stat(join(path, "1"))).mtimeMs === 0) await platform.clock.sleep(1);
      };
      await within("a beat", beaten());
      assert.equal(await readFile(join(path, "1"), "utf8"), text);
    }
    await release?.();
    assert.equal(clock.pending, 0);
  });

  it("keeps out of the way of one that took its holder for dead", async () => {
    const release = await taken();
    const claim = await readFile(join(path, "1"), "utf8");
    await writeFile(join(path, "2"), claim);
    await release();
    assert.equal(await readFile(join(path, "2"), "utf8"), claim);
    assert.equal(await platform.lockFile(path), undefined);
  });
});
