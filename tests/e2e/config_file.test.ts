/**
 * Configuration files as `validate` and `run` take them: everything that is wrong at once and in
 * its place, and the file at the top level, which must always be good.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { configFor, folder, NOWHERE, run } from "../support/commands.ts";
import { Child, subjects } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask } from "../support/streams.ts";

const TOP_LEVEL = fileURLToPath(new URL("../../config.yaml", import.meta.url));

const FIVE_MISTAKES = `listen: 8080
grace_period: 10

routes:
  - host: ollama.example.com
    upstreams:
      - http://192.168.1.5:11434
      - http://192.168.1.6:11434/api
    health:
      uri: /
      intervall: 10s
      timeout: soon
`;

for (const subject of subjects) {
  describe(`understudy (${subject.name}) checks a configuration`, () => {
    it("and reports five problems in their lines when there are five", {
      timeout: 20_000,
    }, async () => {
      await using at = await folder({ "config.yaml": FIVE_MISTAKES });
      for (const words of [["validate"], ["run"]]) {
        const { code, stdout, stderr } = await run(subject, words, { cwd: at.path });
        assert.deepEqual([code, stdout], [1, ""]);
        const places = stderr.trimEnd().split("\n").map((line) =>
          /^(config\.yaml:\d+):\d+ (\S+?):? /.exec(line)?.slice(1).join(" ") ?? line
        );
        assert.deepEqual(places, [
          "config.yaml:1 listen",
          "config.yaml:2 grace_period",
          "config.yaml:8 routes[0].upstreams[1]",
          "config.yaml:11 routes[0].health.intervall",
          "config.yaml:12 routes[0].health.timeout",
        ]);
        assert.match(stderr, /did you mean "interval"/);
      }
    });

    it("and finds the one at the top level good", { timeout: 20_000 }, async () => {
      const { code, stdout } = await run(subject, ["validate", TOP_LEVEL]);
      assert.equal(stdout, `${TOP_LEVEL} is good: 1 route, 2 upstreams\n`);
      assert.equal(code, 0);
    });

    const bad: [string, string, RegExp][] = [
      ["it is no YAML", "routes: [\n", /^config\.yaml:\d+:\d+ /],
      ["it is empty", "", /^config\.yaml:1:1: Expected a map but received nothing\n$/],
      [
        "a key stands twice",
        "listen: ':1'\nlisten: ':2'\nroutes: []\n",
        /^config\.yaml:2:1: Expected each key once/,
      ],
      ["a variable is not set", configFor("http://${NO_SUCH_NAME}:1"), /:5:\d+ .*NO_SUCH_NAME/],
      ["a secret's file is missing", configFor(NOWHERE, "x_file: /nowhere/x"), /config\.yaml:3:/],
    ];
    for (const [title, text, expected] of bad) {
      it(`and exits with 1 when ${title}`, { timeout: 20_000 }, async () => {
        await using at = await folder({ "config.yaml": text });
        const { code, stderr } = await run(subject, ["validate"], { cwd: at.path });
        assert.match(stderr, expected);
        assert.equal(code, 1);
        assert.doesNotMatch(stderr, /^\s+at /m);
      });
    }

    it("and fills in variables of the environment", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      await using at = await folder({
        "config.yaml": configFor("http://127.0.0.1:${UPSTREAM_PORT}", "grace_period: ${GRACE:-1s}"),
      });
      await using child = new Child(subject.command, {
        cwd: at.path,
        env: { UPSTREAM_PORT: String(upstream.port) },
      });
      const started = await child.line(({ msg }) => msg === "proxy.started");
      const port = Number(/:(\d+)"/.exec(JSON.stringify(started["listening"]))?.[1]);
      assert.equal((await ask(port)).body, "raw");
      child.kill("SIGTERM");
      const began = await child.line(({ msg }) => msg === "drain.began");
      assert.equal(began["seconds"], 1);
    });
  });
}
