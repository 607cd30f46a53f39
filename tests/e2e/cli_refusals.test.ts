/**
 * A start that cannot be: one line that says why, and the exit code that scripts go by.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { configFor, folder, NOWHERE, run } from "../support/commands.ts";
import { subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";

const isRoot = process.getuid?.() === 0;
const mayBecomeNobody = existsSync("/usr/bin/setpriv");

for (const subject of subjects) {
  describe(`understudy (${subject.name}) says in one line why it cannot start`, () => {
    it("exits with 1 when the port is taken", { timeout: 20_000 }, async () => {
      await using other = await StreamUpstream.open();
      const config = configFor(NOWHERE, "", `127.0.0.1:${other.port}`);
      await using at = await folder({ "config.yaml": config });
      const { code, stderr } = await run(subject, ["run"], { cwd: at.path });
      assert.equal(stderr, `Cannot listen on 127.0.0.1:${other.port}: the port is taken\n`);
      assert.equal(code, 1);
    });

    it("exits with 1 when another understudy has the port", { timeout: 20_000 }, async () => {
      await using first = await Understudy.start(subject, configFor(NOWHERE));
      const config = configFor(NOWHERE, "", `127.0.0.1:${first.port}`);
      await using at = await folder({ "config.yaml": config });
      const { code, stderr } = await run(subject, ["run"], { cwd: at.path });
      assert.equal(stderr, `Cannot listen on 127.0.0.1:${first.port}: the port is taken\n`);
      assert.equal(code, 1);
    });

    const listens: [string, string, RegExp][] = [
      ["the host to listen on is unknown", "nowhere.invalid:8080", /nowhere\.invalid:8080: \S/],
      [
        "the address is not this machine's",
        "192.0.2.1:8080",
        /192\.0\.2\.1:8080: this machine has no such address/,
      ],
    ];
    for (const [title, listen, expected] of listens) {
      it(`exits with 1 when ${title}`, { timeout: 30_000 }, async () => {
        await using at = await folder({ "config.yaml": configFor(NOWHERE, "", listen) });
        const { code, stderr } = await run(subject, ["run"], { cwd: at.path });
        assert.match(stderr, /^Cannot listen on [^\n]+\n$/);
        assert.match(stderr, expected);
        assert.equal(code, 1);
      });
    }

    it("exits with 1 when the named file is missing", { timeout: 20_000 }, async () => {
      const { code, stderr } = await run(subject, ["run", "--config", "/nowhere/config.yaml"]);
      assert.equal(stderr, `Cannot read "/nowhere/config.yaml": no such file\n`);
      assert.equal(code, 1);
    });

    it("exits with 1 when there is no file in the usual places", {
      timeout: 20_000,
      skip: existsSync("/etc/understudy/config.yaml") ? "this machine has one" : false,
    }, async () => {
      await using at = await folder();
      const { code, stderr } = await run(subject, [], { cwd: at.path });
      assert.match(stderr, /^Cannot find a configuration: [^\n]+--config PATH\n$/);
      assert.equal(code, 1);
    });

    it("exits with 1 when the file may not be read", {
      timeout: 20_000,
      skip: isRoot && !mayBecomeNobody ? "root may read every file" : false,
    }, async () => {
      await using at = await folder({ "config.yaml": configFor(NOWHERE) });
      const path = join(at.path, "config.yaml");
      await chmod(path, 0);
      const prefix = isRoot ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
      const { code, stderr } = await run(subject, ["run", "--config", path], { prefix });
      assert.equal(stderr, `Cannot read "${path}": permission denied\n`);
      assert.equal(code, 1);
    });

    it("exits with 1 when the file is a directory", { timeout: 20_000 }, async () => {
      await using at = await folder();
      const { code, stderr } = await run(subject, ["run", "--config", at.path]);
      assert.equal(stderr, `Cannot read "${at.path}": it is a directory\n`);
      assert.equal(code, 1);
    });
  });
}
