/** Certificates that are kept on a disk which is full, or read-only by now: shown all the same, and stored later. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { Course } from "../../src/tls/course.ts";
import { InternalAuthority } from "../../src/tls/internal.ts";
import { Keeper } from "../../src/tls/keeper.ts";
import { Shelf } from "../../src/tls/shelf.ts";
import { openStore } from "../../src/tls/store.ts";
import { Turns } from "../../src/tls/turns.ts";
import { within } from "../platform/support.ts";
import { certificate } from "../support/fake_tls.ts";

const RULES = certificate(["app.lan"], { kind: "internal", lifetimeMs: 3_600_000 });
const isRoot = process.getuid?.() === 0 && process.platform === "linux";

/** A disk of its own, with an authority on it that has signed before. */
async function opened() {
  const folder = await mkdtemp(join(tmpdir(), "understudy-disk-"));
  const mount = (...options: string[]) => {
    const { status, stderr } = spawnSync("mount", [...options, folder], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  mount("-t", "tmpfs", "-o", "size=256k,mode=700", "none");
  const { store } = await openStore(folder, { files: platform, clock: platform.clock });
  const parts = {
    store: () => Promise.resolve(store),
    clock: platform.clock,
    randomBytes: (count: number) => platform.randomBytes(count),
    certificateFacts: (chain: string) => platform.certificateFacts(chain),
  };
  const never = new AbortController().signal;
  await new InternalAuthority(parts).issue(["first.lan"], 3_600_000, never);
  // As after a restart, and a week in which the intermediate has ended.
  await store.remove("internal/intermediate.pem");
  const shelf = new Shelf();
  const courses: Course[] = [];
  let stir = (): void => {};
  const keeper = new Keeper(RULES, [new InternalAuthority(parts).issuer(3_600_000)], {
    ...{ clock: platform.clock, random: () => 0, workshop: platform, shelf, store: parts.store },
    ...{ turns: new Turns(1), questions: new Turns(1) },
    tell: (_, course) => {
      courses.push(course);
      stir();
    },
  });
  return {
    ...{ folder, mount, keeper, shelf, courses, store },
    async told(kind: Course["kind"]): Promise<void> {
      const has = () => courses.some((course) => course.kind === kind);
      while (!has()) await within(kind, new Promise<void>((resolve) => (stir = resolve)));
    },
    async [Symbol.asyncDispose]() {
      keeper.stop();
      spawnSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true });
    },
  };
}

describe("Keeper on a disk that takes nothing", { skip: !isRoot && "needs root" }, () => {
  for (const state of ["full", "read-only"]) {
    it(`run() shows what it gets while the disk is ${state}, and leaves no half of a file`, async () => {
      await using scene = await opened();
      if (state === "full") {
        const filling = writeFile(join(scene.folder, "filler"), new Uint8Array(1024 * 1024));
        await assert.rejects(filling);
      } else scene.mount("-o", "remount,ro");
      const running = scene.keeper.run();
      await scene.told("unsaved");
      assert.deepEqual(scene.courses.map(({ kind }) => kind), ["issued", "unsaved"]);
      assert.deepEqual(scene.shelf.get(RULES.id)?.facts.names, ["app.lan"]);
      assert.match(scene.keeper.problem ?? "", /the disk is full|read-only/);
      assert.equal(await scene.store.read("certificates/internal/app.lan.pem"), undefined);

      if (state === "full") await rm(join(scene.folder, "filler"));
      else scene.mount("-o", "remount,rw");
      assert.equal(await scene.keeper.renew(), undefined);
      assert.equal(scene.keeper.problem, undefined);
      assert.match(await scene.store.read("certificates/internal/app.lan.pem") ?? "", /PRIVATE/);
      scene.keeper.stop();
      await running;
      const left = await readdir(join(scene.folder, "certificates/internal"));
      assert.deepEqual(left, ["app.lan.pem"]);
    });
  }
});
