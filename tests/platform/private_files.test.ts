/** Files with secrets: modes whatever the umask says, wholeness whatever fails, folders of others. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { platform } from "#platform";
import { FileError } from "../../src/platform/platform.ts";

/** Nobody in particular. */
const STRANGER = 65_534;
const isRoot = process.getuid?.() === 0;
const asRoot = { skip: !isRoot && "needs root" };

describe("private files", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "understudy-private-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

  for (const umask of [0o000, 0o077, 0o277]) {
    it(`are for us alone under umask ${umask.toString(8)}, as are the folders made for them`, async () => {
      const path = join(folder, "a", "b", "key.pem");
      await chmod(folder, 0o755);
      const before = process.umask(umask);
      try {
        await platform.makeDirectory(join(folder, "a", "b"));
        await platform.writePrivate(path, "one");
        await platform.writePrivate(path, "two");
      } finally {
        process.umask(before);
      }
      assert.equal(await platform.readIfAny(path), "two");
      assert.equal(await modeOf(path), "600");
      assert.deepEqual([await modeOf(join(folder, "a")), await modeOf(join(folder, "a", "b"))], [
        ...["700", "700"],
      ]);
      assert.equal(await modeOf(folder), "755");
    });
  }

  it("makeDirectory() leaves what is there as it is, and rejects in words", async () => {
    await chmod(folder, 0o750);
    await platform.makeDirectory(folder);
    assert.equal(await modeOf(folder), "750");
    const file = join(folder, "file");
    await writeFile(file, "");
    await assert.rejects(
      platform.makeDirectory(file),
      new FileError(`Cannot make directory "${file}": something else has that name`),
    );
    await assert.rejects(
      platform.makeDirectory(join(file, "a")),
      new FileError(`Cannot make directory "${join(file, "a")}": no such file`),
    );
  });

  it("writePrivate() replaces whole texts: nobody ever reads a part of one", async () => {
    const path = join(folder, "a");
    const texts = ["a", "b"].map((letter) => letter.repeat(300_000));
    await platform.writePrivate(path, texts[0] ?? "");
    let writing = true;
    const writer = async (): Promise<void> => {
      for (let round = 0; round < 40; round++) {
        await platform.writePrivate(path, texts[round % 2] ?? "");
      }
      writing = false;
    };
    const done = writer();
    let reads = 0;
    for (; writing; reads++) assert.ok(texts.includes(await platform.readIfAny(path) ?? ""));
    await done;
    assert.ok(reads > 0);
    assert.deepEqual(await readdir(folder), ["a"]);
  });

  it("writePrivate() leaves nothing behind when it fails", async () => {
    const inTheWay = join(folder, "a");
    await mkdir(join(inTheWay, "b"), { recursive: true });
    await assert.rejects(
      platform.writePrivate(inTheWay, "x"),
      new FileError(`Cannot write "${inTheWay}": it is a directory`),
    );
    assert.deepEqual(await readdir(folder), ["a"]);
    const missing = join(folder, "none", "a");
    await assert.rejects(
      platform.writePrivate(missing, "x"),
      new FileError(`Cannot write "${missing}": no such file`),
    );
  });

  void it("writePrivate() keeps the old text when the disk is full", asRoot, async () => {
    const disk = mounted("size=64k");
    try {
      const path = join(folder, "a");
      await platform.writePrivate(path, "old");
      await assert.rejects(
        platform.writePrivate(path, "x".repeat(100_000)),
        new FileError(`Cannot write "${path}": the disk is full`),
      );
      assert.equal(await platform.readIfAny(path), "old");
      assert.deepEqual(await readdir(folder), ["a"]);
    } finally {
      disk.unmount();
    }
  });

  it("readIfAny(), listFiles() and removeFile() take absence for an answer, and nothing else", async () => {
    const missing = join(folder, "none", "a");
    assert.equal(await platform.readIfAny(missing), undefined);
    assert.deepEqual(await platform.listFiles(missing), []);
    await platform.removeFile(missing);
    await assert.rejects(
      platform.readIfAny(folder),
      new FileError(`Cannot read "${folder}": it is a directory`),
    );
    await assert.rejects(
      platform.removeFile(folder),
      new FileError(`Cannot remove "${folder}": it is a directory`),
    );
    const loop = join(folder, "loop");
    await symlink(loop, loop);
    await assert.rejects(platform.listFiles(loop), FileError);
    await assert.rejects(platform.readIfAny(loop), FileError);
  });

  it("listFiles() names files, not folders nor what is on its way to be a file", async () => {
    for (const name of ["b", "a", ".draft"]) await writeFile(join(folder, name), "");
    await mkdir(join(folder, "c"));
    assert.deepEqual((await platform.listFiles(folder)).toSorted(), ["a", "b"]);
    await platform.removeFile(join(folder, "a"));
    assert.deepEqual(await platform.listFiles(folder), ["b"]);
  });

  it("ownerOf() tells whose a file is", async () => {
    const { uid, gid } = await stat(folder);
    assert.deepEqual(await platform.ownerOf(folder), { userId: uid, groupId: gid });
    assert.equal(platform.userId(), uid);
    assert.equal(await platform.ownerOf(join(folder, "none")), undefined);
  });

  describe("keepPrivate()", () => {
    const modes: [number, string[]][] = [
      [0o700, []],
      [0o755, ["had mode 0755 and has 0700 now, so that it is ours alone"]],
      [0o770, ["had mode 0770 and has 0700 now, so that it is ours alone"]],
      [0o500, ["had mode 0500 and has 0700 now, so that it is ours alone"]],
      [0o1777, ["had mode 1777 and has 0700 now, so that it is ours alone"]],
    ];
    for (const [mode, words] of modes) {
      it(`says ${words.length === 0 ? "nothing" : "so"} of a folder with mode ${mode.toString(8)}`, async () => {
        await chmod(folder, mode);
        const said = await platform.keepPrivate(folder);
        assert.deepEqual(said, words.map((rest) => `"${folder}" ${rest}`));
        assert.equal(await modeOf(folder), "700");
        assert.deepEqual(await platform.keepPrivate(folder), []);
      });
    }

    it("refuses what is missing, and what is no folder", async () => {
      const path = join(folder, "a");
      await assert.rejects(
        platform.keepPrivate(path),
        new FileError(`Cannot keep secrets in "${path}": no such file`),
      );
      await writeFile(path, "");
      await assert.rejects(
        platform.keepPrivate(path),
        new FileError(`Cannot keep secrets in "${path}": it is no directory`),
      );
    });

    void it("refuses a file system that cannot be written", asRoot, async () => {
      const disk = mounted("size=64k,ro,mode=700");
      try {
        await assert.rejects(
          platform.keepPrivate(folder),
          new FileError(`Cannot keep secrets in "${folder}": the file system is read-only`),
        );
      } finally {
        disk.unmount();
      }
    });

    const fixture = fileURLToPath(new URL("./fixtures/keep_private.ts", import.meta.url).href);
    const run = platform.runtime.startsWith("Bun")
      ? [process.execPath, "run"]
      : [process.execPath, "run", "-A", "--no-lock", "--quiet"];
    /** What somebody else is told of the folder. */
    function asStranger(): string {
      const words = ["--reuid", String(STRANGER), "--regid", String(STRANGER), "--clear-groups"];
      const { stdout } = spawnSync("setpriv", [...words, ...run, fixture, folder], {
        encoding: "utf8",
      });
      return stdout;
    }

    const owners: [string, number, number, number, string][] = [
      [
        "is another user's",
        1234,
        STRANGER,
        0o770,
        'FileError: Cannot keep secrets in "$": it belongs to user 1234, and this is user 65534',
      ],
      [
        "is root's and closed",
        0,
        0,
        0o700,
        'FileError: Cannot keep secrets in "$": permission denied',
      ],
      [
        "is root's and shared with us",
        0,
        STRANGER,
        0o2770,
        '"$" is open to others (mode 2770), and cannot be closed to them',
      ],
      ["is ours", STRANGER, STRANGER, 0o700, "fine\n"],
    ];
    for (const [title, user, group, mode, words] of owners) {
      void it(`speaks of a folder that ${title}`, asRoot, async () => {
        await chown(folder, user, group);
        await chmod(folder, mode);
        assert.equal(asStranger(), words.replace("$", folder));
      });
    }

    void it("tells root of a folder's owner", asRoot, async () => {
      await chown(folder, 1234, 1234);
      assert.deepEqual(await platform.keepPrivate(folder), [
        `"${folder}" belongs to user 1234, who can read and replace what is kept there`,
      ]);
    });
  });

  /** A small disk of its own in the folder's place. */
  function mounted(options: string) {
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", options, "none", folder]);
    assert.equal(mount.status, 0, String(mount.stderr));
    return { unmount: () => spawnSync("umount", [folder]) };
  }
});

describe("randomBytes()", () => {
  it("gives as many bytes as asked for, never the same", () => {
    const drawn = Array.from({ length: 50 }, () => platform.randomBytes(16));
    assert.ok(drawn.every(({ length }) => length === 16));
    assert.equal(new Set(drawn.map((bytes) => bytes.join())).size, 50);
    assert.equal(platform.randomBytes(0).length, 0);
  });
});
