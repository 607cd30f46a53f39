/** May a request go to the next upstream? Every row of the rule. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fields } from "../../src/fields.ts";
import type { FailureReason, Outcome } from "../../src/model.ts";
import type { Matcher, RetryRules } from "../../src/rules.ts";
import { isHarmless, mayFailOver } from "../../src/request/failover.ts";
import { retry } from "../support/fake_route.ts";
import { visit } from "../support/fake_visit.ts";

describe("isHarmless()", () => {
  const posts: Matcher = { kind: "method", methods: ["POST"] };
  const under = (path: string): Matcher => ({ kind: "prefix", paths: [path] });
  const both: Matcher = { kind: "all", of: [posts, under("/api/embed")] };
  const cases: [string, string, RetryRules["match"], boolean][] = [
    ["GET", "/", [], true],
    ["HEAD", "/", [], true],
    ["OPTIONS", "/", [], true],
    ["PUT", "/", [], true],
    ["DELETE", "/", [], true],
    ["POST", "/", [], false],
    ["PATCH", "/", [], false],
    ["get", "/", [], false],
    ["POST", "/api/embed", [both], true],
    ["POST", "/api/embed/x", [both], true],
    ["POST", "/api/embedding", [both], false],
    ["PATCH", "/api/embed", [both], false],
    ["POST", "/x", [posts], true],
    ["PATCH", "/x", [under("/x")], true],
    ["PATCH", "/y", [under("/x")], false],
  ];
  for (const [method, path, rule, expected] of cases) {
    it(`says ${expected} for ${method} ${path} when match is ${JSON.stringify(rule)}`, () => {
      const asked = visit({ method, target: path });
      assert.equal(isHarmless(method, asked, retry({ match: rule })), expected);
    });
  }
});

describe("mayFailOver()", () => {
  const failed = (sent: boolean, reason: FailureReason = "closed"): Outcome => {
    return { kind: "failed", reason, sent, detail: "" };
  };
  const response = {
    status: 200,
    reason: "",
    fields: Fields.empty(),
    body: undefined,
    tunnel: undefined,
  };
  const sure = { harmless: true, replayable: true, rescue: false };
  const post = { ...sure, harmless: false };
  const cases: [string, Outcome, typeof sure, boolean][] = [
    ["moves a POST that was never sent", failed(false, "refused"), post, true],
    ["keeps a POST that was sent", failed(true), post, false],
    ["moves a GET that was sent", failed(true), sure, true],
    ["keeps what cannot be replayed", failed(true), { ...sure, replayable: false }, false],
    ["keeps what cannot be replayed though unsent", failed(false), {
      ...sure,
      replayable: false,
    }, false],
    ["keeps a POST whose upstream went down", failed(true, "went_down"), post, false],
    ["moves a POST whose upstream went down when rescue is on", failed(true, "went_down"), {
      ...post,
      rescue: true,
    }, true],
    ["keeps a POST that was cut off though rescue is on", failed(true), {
      ...post,
      rescue: true,
    }, false],
    ["keeps an answer", { kind: "answered", response }, sure, false],
    ["keeps what the client abandoned", { kind: "abandoned" }, sure, false],
  ];
  for (const [title, outcome, rule, expected] of cases) {
    it(title, () => assert.equal(mayFailOver(outcome, rule), expected));
  }
});
