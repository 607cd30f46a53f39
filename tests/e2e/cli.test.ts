/**
 * The front door as people and scripts use it: commands, help, wrong words, and a pool served
 * without any file.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import manifest from "../../package.json" with { type: "json" };
import { folder, run } from "../support/commands.ts";
import { unavailable } from "../support/netns.ts";
import { Child, type Subject, subjects } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask } from "../support/streams.ts";

const COMMANDS = [
  ...["init", "run", "validate", "fmt", "adapt", "proxy", "demo", "status", "tail", "explain"],
  ...["drain", "undrain", "probe", "failback", "reload", "certificate", "trust", "service"],
  ...["completion", "version"],
];
const COLUMNS_MAX = 80;

async function startProxy({ command }: Subject, args: readonly string[]) {
  const child = new Child([...command, "proxy", ...args]);
  const started = await child.line(({ msg }) => msg === "proxy.started");
  return { child, port: Number(/:(\d+)"/.exec(JSON.stringify(started["listening"]))?.[1]) };
}

for (const subject of subjects) {
  describe(`understudy (${subject.name})`, () => {
    it("lists its commands when asked for help", { timeout: 20_000 }, async () => {
      for (const words of [["help"], ["--help"], ["-h"]]) {
        const { code, stdout, stderr } = await run(subject, words);
        assert.deepEqual([code, stderr], [0, ""]);
        for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} +\\w`, "m"));
      }
    });

    it("explains each command, within 80 columns, when asked", { timeout: 120_000 }, async () => {
      for (const command of COMMANDS) {
        const { code, stdout } = await run(subject, [command, "--help"]);
        assert.equal(code, 0);
        assert.match(stdout, new RegExp(`^Usage: understudy ${command}\\b`));
        const longest = Math.max(...stdout.split("\n").map((line) => line.length));
        assert.ok(longest <= COLUMNS_MAX, `${command} --help has ${longest} columns`);
        assert.equal((await run(subject, ["help", command])).stdout, stdout);
      }
    });

    it("says its version and the runtime's", { timeout: 20_000 }, async () => {
      for (const words of [["version"], ["--version"]]) {
        const { code, stdout } = await run(subject, words);
        assert.equal(code, 0);
        const runtime = subject.name === "deno" ? "Deno" : "Bun";
        assert.match(
          stdout,
          new RegExp(`^understudy ${manifest.version} \\(${runtime} [\\d.]+\\)\n$`),
        );
      }
    });

    const wrong: [string, string[], RegExp][] = [
      ["the command is unknown", ["rum"], /^Unknown command "rum"; expected one of init, run, /],
      ["the topic of help is unknown", ["help", "rum"], /^Unknown command "rum"/],
      [
        "a flag is unknown",
        ["run", "--confg", "x"],
        /^Unknown option '--confg'\nSee: understudy run --help\n$/,
      ],
      ["a flag of the default command is unknown", ["--confg", "x"], /^Unknown option '--confg'/],
      ["a flag lacks its value", ["run", "--config"], /--config.*argument missing/],
      ["an argument is too many", ["run", "a.yaml"], /^Unexpected argument "a\.yaml"\n/],
      ["there is nowhere to forward to", ["proxy"], /^Expected at least one --to URL\n/],
      ["an upstream is none", ["proxy", "--to", "ftp://x"], /upstreams\[0\].*Expected an upstream/],
      [
        "an address is none",
        ["proxy", "--from", "x:y", "--to", "http://x"],
        /listen.*Expected an address/,
      ],
    ];
    for (const [title, words, expected] of wrong) {
      it(`exits with 2 when ${title}`, { timeout: 20_000 }, async () => {
        const { code, stdout, stderr } = await run(subject, words);
        assert.match(stderr, expected);
        assert.deepEqual([code, stdout], [2, ""]);
      });
    }

    it("serves a name with HTTPS without a file when started as proxy for it", {
      ...{ timeout: 20_000, skip: unavailable },
    }, async () => {
      await using kept = await folder();
      // Where ports are nobody else's.
      const alone = { prefix: ["unshare", "-n"], env: { STATE_DIRECTORY: kept.path } };
      const words = ["--from", "gpu.lan", "--to", "http://127.0.0.1:9", "--health-uri", "off"];
      await using child = new Child([...subject.command, "proxy", ...words], alone);
      const started = await child.line(({ msg }) => msg === "proxy.started");
      assert.deepEqual(started["listening"], ["https://0.0.0.0:443", "http://0.0.0.0:80"]);
      const issued = await child.line(({ msg }) => msg === "certificate.issued");
      assert.deepEqual([issued["certificate"], issued["issuer"]], ["gpu.lan", "internal"]);
    });

    it("forwards and fails over without a file when started as proxy", {
      timeout: 20_000,
    }, async () => {
      await using first = await StreamUpstream.open("first");
      await using second = await StreamUpstream.open("second");
      const args = ["--from", "127.0.0.1:0", "--to", first.url, "--to", second.url];
      const { child, port } = await startProxy(subject, [...args, "--health-interval", "1h"]);
      await using _child = child;
      assert.equal((await ask(port)).body, "first");
      await first[Symbol.asyncDispose]();
      for (let count = 0; count < 3; count++) {
        assert.deepEqual(await ask(port), { status: 200, body: "second", end: "whole" });
      }
      child.kill("SIGTERM");
      assert.deepEqual(await child.exited, { code: 0, signal: null });
    });
  });
}
