/** How news is spelled for those who receive it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Message } from "../../src/ops/digest.ts";
import { letterOf } from "../../src/ops/letter.ts";
import type { NotifyRules } from "../../src/rules.ts";

const RULES: NotifyRules = {
  secretUrl: "http://hooks.test/x",
  format: "webhook",
  on: ["down"],
  template: undefined,
  headers: [],
  token: undefined,
  debounceMs: 30_000,
};

const MESSAGE: Message = {
  event: "down",
  title: "gpü is down",
  text: 'gpü is down: said "no"\n',
  pool: "*/",
  upstream: "gpü",
  certificate: "",
  from: "up",
  to: "down",
  reason: 'said "no"\n',
  at: Date.parse("2026-11-22T12:00:00Z"),
  count: 1,
};

function letter(changes: Partial<NotifyRules>) {
  const { url, headers, body } = letterOf(MESSAGE, { ...RULES, ...changes });
  return { url, headers: Object.fromEntries(headers), body };
}

describe("letterOf()", () => {
  it("sends a webhook everything as JSON", () => {
    const { url, headers, body } = letter({ token: "t" });
    assert.equal(url, "http://hooks.test/x");
    assert.deepEqual(headers, {
      "Content-Type": "application/json",
      "Authorization": "Bearer t",
    });
    assert.deepEqual(JSON.parse(body), { ...MESSAGE, at: "2026-11-22T12:00:00.000Z" });
  });

  it("fills a template of JSON in, whatever is in the words", () => {
    const { headers, body } = letter({
      template: '{"content": "{text}", "embeds": [{"at": "{time}"}]}',
    });
    assert.equal(headers["Content-Type"], "application/json");
    assert.deepEqual(JSON.parse(body), {
      content: MESSAGE.text,
      embeds: [{ at: "2026-11-22T12:00:00.000Z" }],
    });
  });

  it("names the certificate that it is about", () => {
    const about = { upstream: "", pool: "", certificate: "a.example", title: "a.example" };
    const { body } = letterOf(
      { ...MESSAGE, event: "certificate_failed", ...about },
      { ...RULES, template: "{event} {certificate}{upstream}" },
    );
    assert.equal(body, "certificate_failed a.example");
  });

  it("fills any other template in as text, and leaves strange braces alone", () => {
    const { headers, body } = letter({ template: "{event} {upstream} {nothing} {}" });
    assert.equal(headers["Content-Type"], "text/plain; charset=utf-8");
    assert.equal(body, "down gpü {nothing} {}");
  });

  it("speaks as ntfy wants it", () => {
    const { headers, body } = letter({ format: "ntfy", token: "t" });
    assert.equal(body, MESSAGE.text);
    assert.deepEqual(headers, {
      "Content-Type": "text/plain; charset=utf-8",
      "Title": "gp? is down",
      "Priority": "4",
      "Tags": "red_circle",
      "Authorization": "Bearer t",
    });
  });

  for (const base of ["http://g.test", "http://g.test/", "http://g.test/message"]) {
    it(`speaks as Gotify at ${base} wants it`, () => {
      const { url, headers, body } = letter({ format: "gotify", secretUrl: base, token: "t" });
      assert.equal(url, "http://g.test/message");
      assert.equal(headers["X-Gotify-Key"], "t");
      assert.deepEqual(JSON.parse(body), {
        title: MESSAGE.title,
        message: MESSAGE.text,
        priority: 6,
      });
    });
  }

  it("lets the operator's fields take the place of its own", () => {
    const { headers } = letter({ format: "ntfy", headers: [{ name: "priority", value: "5" }] });
    assert.equal(headers["priority"], "5");
    assert.equal(headers["Priority"], undefined);
  });
});
