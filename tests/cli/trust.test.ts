/** `trust` on this very machine, in a view of its files that is the test's own: who takes the certificates before, between and after. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { InternalAuthority } from "../../src/tls/internal.ts";
import { openStore } from "../../src/tls/store.ts";
import { DAY_MS, NEVER, serving } from "../support/local_authority.ts";
import { Machine, noMounts } from "../support/mounts.ts";
import { subjects } from "../support/processes.ts";

/** Nobody in particular. */
const STRANGER = 65_534;
const CHROMIUM = "/usr/bin/chromium";
/** What curl says of a certificate that it does not trust. */
const NOT_TRUSTED = 60;

async function authorityIn(folder: string): Promise<InternalAuthority> {
  const { store } = await openStore(folder, { files: platform, clock: platform.clock });
  return new InternalAuthority({
    store: () => Promise.resolve(store),
    clock: platform.clock,
    randomBytes: (count) => platform.randomBytes(count),
    certificateFacts: (chain) => platform.certificateFacts(chain),
  });
}

describe("trust", { skip: noMounts }, () => {
  for (const { name, command } of subjects) {
    it(
      `makes this machine's programs trust, and ends it, by ${name}`,
      { timeout: 60_000 },
      async () => {
        await using machine = await Machine.open();
        const storage = join(machine.folder, "storage");
        const trust = (...words: string[]) =>
          machine.run([
            "sh",
            "-c",
            'umask 077; exec "$@"',
            "sh",
            ...command,
            "trust",
            ...words,
            "--storage",
            storage,
          ]);
        const listed = async () =>
          (await machine.run(["ls", "/usr/local/share/ca-certificates"])).stdout.trim();
        const inBrowser = async () =>
          (await machine.run(["certutil", "-L", "-d", `sql:${machine.home}/.pki/nssdb`])).stdout;

        // Asked for first, it is made; and changes nothing.
        const printed = await trust("--print");
        assert.deepEqual([printed.code, printed.stderr], [0, ""]);
        const root = new X509Certificate(printed.stdout);
        const mark = root.fingerprint256.replaceAll(":", "").slice(0, 8).toLowerCase();
        const file = `/usr/local/share/ca-certificates/understudy-${mark}.crt`;
        const authority = await authorityIn(storage);
        assert.equal(await authority.root(NEVER), printed.stdout);
        await using server = await serving(
          await authority.issue(["localhost", "127.0.0.1"], DAY_MS, NEVER),
        );
        const curl = async (host: string) =>
          (await machine.run(["curl", "-sS", `https://${host}:${server.port}/`])).code;
        assert.deepEqual([await curl("localhost"), await listed()], [NOT_TRUSTED, ""]);

        const installed = await trust();
        assert.deepEqual([installed.code, installed.stderr], [0, ""]);
        const [subject = "", until = "", sha = "", ...did] =
          installed.stdout.split("\n\n")[0]?.split("\n") ?? [];
        assert.match(subject, /^Root {9}understudy local authority \S+ \S+, kept in \//);
        assert.match(until, /^Good until {3}20\d\d-\d\d-\d\d$/);
        assert.equal(sha, `SHA-256      ${root.fingerprint256}`);
        assert.deepEqual(did, [
          `Wrote ${file}`,
          "Ran update-ca-certificates",
          `Added it to ${machine.home}/.pki/nssdb`,
        ]);
        for (
          const words of ["Firefox", `NODE_EXTRA_CA_CERTS=${file}`, "add-trusted-cert", "-addstore"]
        ) {
          assert.ok(installed.stdout.includes(words), words);
        }
        assert.deepEqual([await curl("localhost"), await curl("127.0.0.1")], [0, 0]);
        assert.match(await inBrowser(), new RegExp(`^understudy ${mark} +C,,`, "m"));
        // Whatever the umask said.
        assert.equal((await machine.run(["stat", "-c", "%a", file])).stdout, "644\n");

        if (existsSync(CHROMIUM)) {
          const flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--dump-dom",
          ];
          const page = await machine.run([CHROMIUM, ...flags, `https://localhost:${server.port}/`]);
          assert.match(page.stdout, /<title>served</);
        }

        const again = await trust();
        assert.equal(again.code, 0);
        assert.deepEqual(again.stdout.split("\n").slice(3, 6), [
          `${file} is there already`,
          "Ran update-ca-certificates",
          `${machine.home}/.pki/nssdb has it already`,
        ]);
        assert.equal(await listed(), `understudy-${mark}.crt`);

        const ended = await trust("--uninstall");
        assert.deepEqual([ended.code, ended.stderr], [0, ""]);
        const undid = ended.stdout.split("\n").slice(3);
        assert.deepEqual(undid.slice(0, 2), [
          `Removed ${file}`,
          "Ran update-ca-certificates --fresh",
        ]);
        assert.ok(undid.includes(`Removed it from ${machine.home}/.pki/nssdb`));
        assert.deepEqual([await curl("localhost"), await listed()], [NOT_TRUSTED, ""]);
        assert.doesNotMatch(await inBrowser(), /understudy/);
        const links = await machine.run(["find", "/etc/ssl/certs", "-xtype", "l"]);
        assert.equal(links.stdout, "");
        assert.equal(await authority.root(NEVER), printed.stdout);

        const over = await trust("--uninstall");
        assert.deepEqual([over.code, over.stdout.split("\n")[3]], [0, `${file} is not there`]);
      },
    );

    it(`leaves an authority to whose folder it is, by ${name}`, async () => {
      await using machine = await Machine.open();
      const storage = join(machine.folder, "theirs", "storage");
      await mkdir(join(machine.folder, "theirs"));
      await chown(join(machine.folder, "theirs"), STRANGER, STRANGER);
      // The way there, which a temporary folder closes.
      await machine.run(["chmod", "755", machine.folder]);
      const { code, stdout, stderr } = await machine.run([
        ...command,
        "trust",
        "--storage",
        storage,
      ]);
      assert.deepEqual([code, stderr], [0, ""], stdout);
      for (const path of ["", "internal", "internal/root.key", "internal/root.pem", "locks"]) {
        assert.equal((await stat(join(storage, path))).uid, STRANGER, path);
      }
    });

    it(`says what to type where it is not root, and makes nothing, by ${name}`, async () => {
      await using machine = await Machine.open();
      await machine.run(["chmod", "777", machine.folder]);
      const storage = join(machine.folder, "a b");
      const drop = [
        "setpriv",
        "--reuid",
        String(STRANGER),
        "--regid",
        String(STRANGER),
        "--clear-groups",
      ];
      const words = [...drop, ...command, "trust", "--storage", storage];
      const { code, stdout, stderr } = await machine.run(words);
      assert.deepEqual([code, stdout], [1, ""]);
      const program = stderr.replace(/^.*; try: sudo | trust --storage.*\n$/g, "");
      assert.equal(
        stderr,
        `Cannot change what this machine trusts as this user; try: sudo ${program} trust --storage '${storage}'\n`,
      );
      assert.ok(existsSync(program.split(" ")[0] ?? ""), program);
      assert.ok(!(await readdir(machine.folder)).includes("a b"));
    });
  }
});
