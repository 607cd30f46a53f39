/** Lines in both formats, by level, in batches. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LogRules } from "../../src/rules.ts";
import { clockTime, Logger } from "../../src/ops/log.ts";

const NOON = Date.parse("2026-11-22T12:00:00.250Z");

class Bench {
  readonly written: string[] = [];
  readonly later: (() => void)[] = [];
  readonly log: Logger;

  constructor(rules: Partial<LogRules> = {}, colours = false) {
    this.log = new Logger({ format: "json", level: "info", ...rules }, {
      now: () => NOON,
      write: (text) => void this.written.push(text),
      later: (callback) => void this.later.push(callback),
      colours,
    });
  }

  get text(): string {
    this.log.flush();
    return this.written.join("");
  }
}

describe("Logger", () => {
  it("writes one JSON object a line with Caddy's first names", () => {
    const bench = new Bench();
    bench.log.warn("health.changed", { upstream: "a", left: undefined, n: 1 });
    assert.equal(bench.text.endsWith("\n"), true);
    assert.deepEqual(JSON.parse(bench.text), {
      level: "warn",
      ts: NOON / 1000,
      logger: "understudy",
      msg: "health.changed",
      upstream: "a",
      n: 1,
    });
  });

  it("writes for people when the format is text", () => {
    const bench = new Bench({ format: "text" });
    bench.log.info("proxy.started", { listening: ["a", "b"], name: "x", none: undefined });
    assert.equal(bench.text, `${clockTime(NOON)} proxy.started  listening=["a","b"]  name=x\n`);
  });

  it("colours only where it may", () => {
    for (const colours of [true, false]) {
      const bench = new Bench({ format: "text" }, colours);
      bench.log.error("bug.caught");
      assert.equal(bench.text.includes("\x1b[31mbug.caught\x1b[0m"), colours);
    }
  });

  it("keeps what peers sent from steering the terminal", () => {
    const bench = new Bench({ format: "text" });
    bench.log.warn("health.changed", { reason: "redirected to \x1b[2J\r\nfake" });
    assert.doesNotMatch(bench.text.trimEnd(), /\p{Cc}/u);
  });

  const levels = ["debug", "info", "warn", "error"] as const;
  for (const [at, level] of levels.entries()) {
    it(`writes ${level} and above when the level is ${level}`, () => {
      const bench = new Bench({ level });
      for (const one of levels) bench.log[one](one);
      const lines = bench.text.trim().split("\n").map((line) => JSON.parse(line).msg);
      assert.deepEqual(lines, levels.slice(at));
      assert.equal(bench.log.wants("error"), true);
    });
  }

  it("writes nothing, and makes no text, when it is off", () => {
    const bench = new Bench({ format: "off" });
    const text = () => assert.fail("made for nobody");
    bench.log.line({ level: "error", logger: "l", msg: "m", json: () => "", text });
    assert.equal(bench.text, "");
  });

  it("makes no text when the format is JSON", () => {
    const bench = new Bench();
    const text = () => assert.fail("made for nobody");
    bench.log.line({ level: "error", logger: "l", msg: "m", json: () => "", text });
    assert.equal(JSON.parse(bench.text).logger, "l");
  });

  it("hands lines over in one piece, a little later", () => {
    const bench = new Bench();
    bench.log.info("one");
    bench.log.info("two");
    assert.deepEqual([bench.written.length, bench.later.length], [0, 1]);
    bench.later[0]?.();
    assert.equal(bench.written.length, 1);
    assert.equal(bench.written[0]?.split("\n").length, 3);

    bench.log.info("three");
    assert.equal(bench.later.length, 2);
  });

  it("does not wait when much has come", () => {
    const bench = new Bench();
    bench.log.info("long", { text: "x".repeat(70_000) });
    assert.equal(bench.written.length, 1);
  });

  it("flush() writes what waits, once", () => {
    const bench = new Bench();
    bench.log.info("one");
    bench.log.flush();
    bench.log.flush();
    bench.later[0]?.();
    assert.equal(bench.written.length, 1);
  });

  it("configure() takes new rules over", () => {
    const bench = new Bench();
    bench.log.configure({ format: "json", level: "error" });
    bench.log.info("unheard");
    assert.equal(bench.text, "");
  });
});
