/** Which requests `tail` shows and in which words, and how it listens. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import { UsageError } from "../../src/cli/command.ts";
import { tail } from "../../src/cli/tail.ts";
import { NOW, pairStatus } from "../support/admin_status.ts";
import { json, ranIn } from "../support/fake_admin.ts";
import { clockTime } from "../../src/ops/log.ts";

const LINE = {
  ts: NOW / 1000,
  request: { method: "GET", host: "a.test", uri: "/api/tags" },
  status: 200,
  duration: 0.012,
  size: 2048,
  upstream: "gpu",
  outcome: "answered",
};
const AT = clockTime(NOW);

/** Runs it over these lines; the connection ends after them, and so does the command. */
async function tailed(words: readonly string[], lines: readonly object[], columns?: number) {
  let interrupt = () => {};
  const stream = lines.map((line) => `event: request\ndata: ${JSON.stringify(line)}\n\n`).join("");
  return await ranIn(tail, words, {
    answers: {
      "GET /api/status": json(pairStatus()),
      "GET /api/requests": () => new Response(`: hello\n\nevent: dropped\ndata: {}\n\n${stream}`),
    },
    ...(columns !== undefined && { columns }),
    platform: {
      onSignal(name, handler) {
        if (name === "SIGINT") interrupt = handler;
        return () => {};
      },
      clock: {
        ...platform.clock,
        sleep: () => Promise.resolve(interrupt()),
      },
    },
  });
}

describe("tail", () => {
  it("shows requests in the words of the access log", async () => {
    const { code, stdout, stderr } = await tailed([], [
      LINE,
      {
        ...LINE,
        status: 503,
        upstream: undefined,
        outcome: "unavailable",
        failures: ["gpu: refused"],
      },
      { ...LINE, user: "ann", request: { ...LINE.request, uri: "/\x1b[31m" } },
    ]);
    assert.deepEqual(stdout.split("\n"), [
      `${AT} 200 GET  a.test/api/tags → gpu 12 ms, 2.0 KiB`,
      `${AT} 503 GET  a.test/api/tags → nobody 12 ms, 2.0 KiB  unavailable  after gpu: refused`,
      `${AT} 200 GET  a.test/\\x1b[31m → gpu 12 ms, 2.0 KiB  by ann`,
      "",
    ]);
    assert.deepEqual([code, stderr], [0, "http://127.0.0.1:2020 ended; trying again\n"]);
  });

  it("is colourful at a terminal", async () => {
    assert.ok((await tailed([], [LINE], 80)).stdout.includes("\x1b[32m200\x1b[0m"));
  });

  it("passes the log's own lines on for programs", async () => {
    assert.equal((await tailed(["--json"], [LINE])).stdout, `${JSON.stringify(LINE)}\n`);
  });

  const lines = [
    LINE,
    { ...LINE, status: 404, upstream: "slow" },
    { ...LINE, status: 503, upstream: undefined, duration: 2 },
  ];
  const filters: [string[], number[]][] = [
    [[], [200, 404, 503]],
    [["--upstream", "gpu"], [200]],
    [["--upstream", "gpu", "--upstream", "slow"], [200, 404]],
    [["--status", "5xx"], [503]],
    [["--status", "404", "--status", "2xx"], [200, 404]],
    [["--slow", "2s"], [503]],
    [["--slow", "1s", "--upstream", "gpu"], []],
  ];
  for (const [words, expected] of filters) {
    it(`shows ${expected.join(", ") || "none"} for "${words.join(" ")}"`, async () => {
      const { stdout } = await tailed(words, lines);
      const shown = stdout.split("\n").slice(0, -1).map((line) => Number(line.split(" ")[1]));
      assert.deepEqual(shown, expected);
    });
  }

  for (const words of [["--status", "bad"], ["--status", "20x"], ["--slow", "5"]]) {
    it(`refuses ${words.join(" ")}`, async () => {
      await assert.rejects(tailed(words, []), UsageError);
    });
  }
});
