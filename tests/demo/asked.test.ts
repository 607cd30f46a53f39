/** Untyped JSON of four APIs, read into one question. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Body, inputsOf, keepAliveOf, questionOf, readBody } from "../../src/demo/asked.ts";

const request = (body: string) => new Request("http://stand-in/", { method: "POST", body });

describe("readBody()", () => {
  const refused: [string, string, RegExp][] = [
    ["there is none", "", /missing request body/],
    ["it is no JSON", "{nope", /not a valid JSON object/],
    ["it is a list", "[]", /not a valid JSON object/],
    ["it is null", "null", /not a valid JSON object/],
  ];
  for (const [when, body, message] of refused) {
    it(`refuses the body when ${when}`, async () => {
      const read = await readBody(request(body));
      assert.ok(read.kind === "refused");
      assert.equal(read.status, 400);
      assert.match(read.message, message);
    });
  }

  it("gives the object when there is one", async () => {
    assert.deepEqual(await readBody(request('{"a":1}')), { kind: "read", body: { a: 1 } });
  });
});

describe("questionOf()", () => {
  const lengths: [string, Body, number | undefined][] = [
    ["options.num_predict is set", { options: { num_predict: 7 } }, 7],
    ["max_tokens is set", { max_tokens: 8 }, 8],
    ["max_completion_tokens is set", { max_completion_tokens: 9 }, 9],
    ["num_predict asks for no limit", { options: { num_predict: -1 } }, undefined],
    ["nothing is set", {}, undefined],
    ["num_predict is no number", { options: { num_predict: "7" } }, undefined],
  ];
  for (const [when, body, expected] of lengths) {
    it(`reads a length of ${expected} when ${when}`, () => {
      assert.equal(questionOf(body, true).tokensMax, expected);
    });
  }

  const prompts: [string, Body, string, boolean][] = [
    ["there is a prompt", { prompt: "why?" }, "why?", false],
    ["there is none", {}, "", true],
    ["messages are empty", { messages: [] }, "", true],
    ["a message is empty", { messages: [{ role: "user", content: "" }] }, "", false],
    [
      "content comes in parts",
      { messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] },
      "hi",
      false,
    ],
  ];
  for (const [when, body, prompt, empty] of prompts) {
    it(`reads the prompt ${JSON.stringify(prompt)} when ${when}`, () => {
      const question = questionOf(body, true);
      assert.deepEqual([question.prompt, question.empty], [prompt, empty]);
    });
  }

  it("streams as the API does when the request does not say", () => {
    assert.equal(questionOf({}, true).stream, true);
    assert.equal(questionOf({}, false).stream, false);
    assert.equal(questionOf({ stream: false }, true).stream, false);
  });

  it("never throws when the body is any object", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
      questionOf(body, true);
      inputsOf(body);
    }));
  });
});

describe("keepAliveOf()", () => {
  const cases: [unknown, number | undefined][] = [
    ["5m", 300_000],
    [30, 30_000],
    [0, 0],
    ["0", 0],
    [-1, Infinity],
    ["-1m", Infinity],
    ["soon", undefined],
    [undefined, undefined],
  ];
  for (const [value, expected] of cases) {
    it(`gives ${expected} when keep_alive is ${JSON.stringify(value)}`, () => {
      assert.equal(keepAliveOf({ keep_alive: value }), expected);
    });
  }
});
