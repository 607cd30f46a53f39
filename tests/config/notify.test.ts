/** The settings of who is told: what they mean, and what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { config, problems } from "../support/config_text.ts";

const ROUTES = "routes: [{ upstreams: [http://a] }]\n";

describe("load() reads notify", () => {
  it("fills in defaults", async () => {
    const { notify } = await config(`notify: { url: "https://hooks.test/x" }\n${ROUTES}`);
    assert.deepEqual(notify, [{
      secretUrl: "https://hooks.test/x",
      format: "webhook",
      on: ["down", "up", "unavailable", "certificate_failed"],
      template: undefined,
      headers: [],
      token: undefined,
      debounceMs: 30_000,
    }]);
  });

  it("takes everything there is, several times", async () => {
    const one = `{ url: "http://n.test/t", format: ntfy, on: [failover, failover], debounce: 0s, ` +
      `token_file: /words.txt, headers: { X-A: b }, template: "{text}" }`;
    const { notify } = await config(`notify: [${one}, { url: "http://m.test" }]\n${ROUTES}`);
    assert.deepEqual(notify.map(({ secretUrl }) => secretUrl), [
      "http://n.test/t",
      "http://m.test/",
    ]);
    assert.deepEqual(notify[0], {
      secretUrl: "http://n.test/t",
      format: "ntfy",
      on: ["failover"],
      template: "{text}",
      headers: [{ name: "X-A", value: "b" }],
      token: "hush",
      debounceMs: 0,
    });
  });

  const cases: [string, RegExp][] = [
    ["{}", /Expected a key "url" but received none/],
    ["{ url: hooks.test }", /Expected a URL such as .* but received "hooks.test"$/],
    ["{ url: 'ftp://hooks.test' }", /Expected a URL such as/],
    ["{ url: 'https://ann:hush@hooks.test' }", /without a user but received one with a user$/],
    ["{ url: 'https://h.test', on: dwon }", /Expected "down", .*did you mean "down"/i],
    ["{ url: 'https://h.test', format: slack }", /Expected "webhook", "ntfy" or "gotify"/],
    ["{ url: 'https://h.test', token: 'a b' }", /Expected a token .* but received something else$/],
  ];
  for (const [written, expected] of cases) {
    it(`refuses ${written}`, async () => {
      const all = await problems(`notify: ${written}\n${ROUTES}`);
      assert.ok(all.some((problem) => expected.test(problem)), all.join("\n"));
      assert.ok(!all.some((problem) => problem.includes("hush")));
    });
  }
});
