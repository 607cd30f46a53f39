/** What `trust` does on systems of every kind, made up but for the authority; and its words where something is in the way. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { platform as real } from "#platform";
import { UsageError } from "../../src/cli/command.ts";
import { trust } from "../../src/cli/trust.ts";
import { FileError, type Platform } from "../../src/platform/platform.ts";
import { ranIn } from "../support/fake_admin.ts";

const DEBIAN = "/usr/local/share/ca-certificates";
const DATABASE = "/home/ann/.mozilla/firefox/a1.default";

interface Kind {
  /** Folders that are there. */
  readonly folders?: readonly string[];
  /** Programs that are not, or that fail. */
  readonly ends?: Readonly<Record<string, number>>;
  /** Files outside of the storage. */
  readonly files?: Record<string, string>;
}

/** A machine whose own files are made up, and which notes what is run. */
function machine({ folders = [DEBIAN], ends = {}, files = {} }: Kind = {}) {
  const ran: string[] = [];
  const below = (path: string) => Object.keys(files).filter((one) => one.startsWith(`${path}/`));
  const isStorage = (path: string) => path.startsWith(tmpdir());
  const platform: Partial<Platform> = {
    userId: () => 0,
    ownerOf: (path) =>
      isStorage(path) || below(path).length > 0
        ? Promise.resolve({ userId: 0, groupId: 0 })
        : Promise.resolve(undefined),
    listDirectory(path) {
      const names = below(path).map((one) => one.slice(path.length + 1).split("/")[0] ?? "");
      if (names.length > 0 || folders.includes(path)) return Promise.resolve([...new Set(names)]);
      return Promise.reject(new FileError("no such directory"));
    },
    listFiles: (path) => Promise.resolve(below(path).map((one) => one.slice(path.length + 1))),
    readIfAny: (path) => isStorage(path) ? real.readIfAny(path) : Promise.resolve(files[path]),
    writePrivate: (path, text) =>
      isStorage(path) ? real.writePrivate(path, text) : Promise.resolve(void (files[path] = text)),
    removeFile: (path) => Promise.resolve(void delete files[path]),
    fileExists: (path) => Promise.resolve(files[path] !== undefined),
    runProgram(file, args) {
      const line = [file, ...args].join(" ");
      ran.push(line);
      const isQuestion = line.includes(" -L ");
      const code = ends[file] ?? (isQuestion ? 1 : 0);
      return Promise.resolve({ code, stdout: "", stderr: code === 0 ? "" : "why\nnot\n" });
    },
  };
  return { ran, files, scene: { env: { HOME: "/home/ann" }, platform } };
}

describe("trust on", () => {
  let storage = "";
  beforeEach(async () => {
    storage = await mkdtemp(join(tmpdir(), "understudy-trust-"));
  });
  afterEach(() => rm(storage, { recursive: true }));

  const run = (words: string[], { scene }: ReturnType<typeof machine>) =>
    ranIn(trust, [...words, "--storage", storage], scene);

  const systems: [string, string, string, string][] = [
    ["Fedora", "/etc/pki/ca-trust/source/anchors", "update-ca-trust extract", ""],
    ["Debian", DEBIAN, "update-ca-certificates", " --fresh"],
    ["Arch", "/etc/ca-certificates/trust-source/anchors", "trust extract-compat", ""],
    ["openSUSE", "/etc/pki/trust/anchors", "update-ca-certificates", " --fresh"],
  ];
  for (const [name, folder, refresh, more] of systems) {
    it(`${name} puts the root where it belongs, and takes it back`, async () => {
      const here = machine({ folders: [folder] });
      const { code, stderr, stdout } = await run([], here);
      assert.deepEqual([code, stderr], [0, ""]);
      const [file = "", ...rest] = Object.keys(here.files);
      assert.match(file, new RegExp(`^${folder}/understudy-[0-9a-f]{8}\\.crt$`));
      assert.deepEqual(rest, []);
      assert.match(
        here.files[file] ?? "",
        /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/,
      );
      assert.deepEqual(here.ran, [`chmod 0644 ${file}`, refresh]);
      assert.ok(stdout.includes(`Wrote ${file}\nRan ${refresh}\n`), stdout);

      assert.equal((await run(["--uninstall"], here)).code, 0);
      assert.deepEqual(here.files, {});
      assert.deepEqual(here.ran.slice(2), [refresh + more]);
    });
  }

  it("an unknown system says how it is done elsewhere, and makes nothing", async () => {
    const { code, stdout, stderr } = await run([], machine({ folders: [] }));
    assert.equal(code, 1);
    assert.match(
      stdout,
      /macOS +sudo security add-trusted-cert[\s\S]+Windows +certutil -addstore -f ROOT/,
    );
    assert.equal(stderr, "Cannot find where this system keeps the roots that it trusts\n");
    assert.deepEqual(await readdir(storage), []);
  });

  const refusals: [string, Record<string, number>, RegExp][] = [
    [
      "is missing",
      { "update-ca-certificates": 127 },
      /^Cannot do "update-ca-certificates": there is no such program\n$/,
    ],
    ["fails", { "update-ca-certificates": 2 }, /^Cannot do "update-ca-certificates": why\nnot\n$/],
  ];
  for (const [title, ends, words] of refusals) {
    it(`Debian says so when what it needs ${title}`, async () => {
      const { code, stderr } = await run([], machine({ ends }));
      assert.match(stderr, words);
      assert.equal(code, 1);
    });
  }

  it("Debian tells Firefox of it, and says where it cannot", async () => {
    const files = () => ({
      [`${DATABASE}/cert9.db`]: "",
      "/home/ann/.mozilla/firefox/profiles.ini": "",
    });
    const nss = machine({ files: files() });
    const { stdout } = await run([], nss);
    assert.match(stdout, new RegExp(`^Added it to ${DATABASE}$`, "m"));
    assert.match(
      nss.ran.at(-1) ?? "",
      new RegExp(
        `^certutil -d sql:${DATABASE} -A -t C,, -n understudy ([0-9a-f]{8}) -i ${DEBIAN}/understudy-\\1.crt$`,
      ),
    );
    for (
      const [code, why] of [
        [127, "certutil is missing (package libnss3-tools or nss-tools)"],
        [1, "why"],
      ] as const
    ) {
      const without = await run([], machine({ files: files(), ends: { certutil: code } }));
      assert.equal(without.code, 0);
      assert.ok(without.stdout.includes(`Left ${DATABASE} as it is: ${why}\n`), without.stdout);
    }
  });

  it("Debian does not forget Java, which forgets nothing", async () => {
    const here = machine({ files: { "/etc/ssl/certs/java/cacerts": "" } });
    await run([], here);
    const { stdout } = await run(["--uninstall"], here);
    assert.match(
      stdout,
      /^Java may have it still: keytool -delete -noprompt -keystore \/etc\/ssl\/certs\/java\/cacerts -alias debian:understudy-[0-9a-f]{8}\.pem$/m,
    );
  });

  it("Debian ends no trust in a root that it does not know, and makes none for that", async () => {
    const path = join(storage, "internal/root.pem");
    const none = await run(["--uninstall"], machine());
    assert.deepEqual([none.code, none.stderr], [
      1,
      `Cannot find the root to end trust in: there is no "${path}", and nothing of understudy's in ${DEBIAN}\n`,
    ]);
    const other = `${DEBIAN}/understudy-01234567.crt`;
    const others = await run(
      ["--uninstall"],
      machine({ files: { [other]: "", [`${DEBIAN}/a.crt`]: "" } }),
    );
    assert.deepEqual([others.code, others.stderr], [
      1,
      `Cannot find the root to end trust in: there is no "${path}"; others are trusted here, and are removed by: ` +
      `sudo rm ${other} && sudo update-ca-certificates --fresh\n`,
    ]);
    assert.deepEqual(await readdir(storage), []);
  });

  it("Debian says so when the authority is damaged", async () => {
    await run(["--print"], machine());
    await writeFile(join(storage, "internal/root.pem"), "x");
    const ended = await run(["--uninstall"], machine());
    const path = join(storage, "internal/root.pem");
    assert.deepEqual([ended.code, ended.stderr], [
      1,
      `Cannot read the root in "${path}": it is damaged\n`,
    ]);
    await writeFile(join(storage, "internal/root.key"), "x");
    const installed = await run([], machine());
    assert.equal(installed.code, 1);
    assert.match(
      installed.stderr,
      /^Cannot use the key of the local authority: "internal\/root.key" is damaged/,
    );
    await writeFile(join(storage, "file"), "");
    const nowhere = await ranIn(trust, ["--storage", join(storage, "file")], machine().scene);
    assert.equal(nowhere.code, 1);
    assert.match(
      nowhere.stderr,
      /^Cannot make directory ".*file": something else has that name\n$/,
    );
  });

  it("any system refuses wrong words", async () => {
    await assert.rejects(run(["--uninstall", "--print"], machine()), UsageError);
    await assert.rejects(run(["--config", "a"], machine()), UsageError);
  });
});
