/** The table of support, the importer and the page say the same. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { importCaddyfile } from "../../src/caddyfile/caddyfile.ts";
import { CORE_SUPPORT } from "../../src/caddyfile/support_core.ts";
import { PROXY_SUPPORT, SUPPORT, supportOf } from "../../src/caddyfile/support_table.ts";
import { supportPage } from "../../src/caddyfile/support_table_doc.ts";
import { type Case, type Outcome, outcomeOf } from "./cases.ts";
import { ADDRESS_CASES } from "./cases_addresses.ts";
import { CHOOSING_CASES } from "./cases_choosing.ts";
import { exampleOf } from "./cases_core.ts";
import { DYNAMIC_CASES } from "./cases_dynamic.ts";
import { HEADER_CASES } from "./cases_headers.ts";
import { HEALTH_CASES } from "./cases_health.ts";
import { RESPONSE_CASES } from "./cases_responses.ts";
import { RETRY_MATCH_CASES } from "./cases_retry_match.ts";
import { STREAMING_CASES } from "./cases_streaming.ts";
import { TRANSPORT_CASES } from "./cases_transport.ts";
import { storedPage } from "./support_page.ts";

const CASES: readonly Case[] = [
  ...ADDRESS_CASES,
  ...CHOOSING_CASES,
  ...DYNAMIC_CASES,
  ...HEADER_CASES,
  ...HEALTH_CASES,
  ...RESPONSE_CASES,
  ...RETRY_MATCH_CASES,
  ...STREAMING_CASES,
  ...TRANSPORT_CASES,
];

const SOURCES = {
  path: "Caddyfile",
  env: () => "x",
  readText: () => Promise.reject(new Error("no such file")),
  listDirectory: () => Promise.resolve([]),
};

describe("SUPPORT", () => {
  let outcomes: readonly Outcome[] = [];

  before(async () => {
    outcomes = await Promise.all(CASES.map(({ text }) => outcomeOf(text)));
  });

  it("has each name once", () => {
    const names = SUPPORT.map(({ name }) => name);
    assert.deepEqual(names.filter((name, at) => names.indexOf(name) !== at), []);
  });

  it("says of everything refused what to use instead, and of nothing else", () => {
    const odd = SUPPORT.filter(({ verdict, nearest }) =>
      (verdict === "refused") !== (nearest !== undefined)
    );
    assert.deepEqual(odd.map(({ name }) => name), []);
  });

  it("says of everything that is not the same in what it differs", () => {
    const bare = SUPPORT.filter(({ verdict, note }) => verdict !== "same" && note === "");
    assert.deepEqual(bare.map(({ name }) => name), []);
  });

  it("has a row for everything that is taken over", () => {
    const taken = outcomes.flatMap((outcome) => outcome.taken.map(({ where }) => where));
    const ours = taken.filter((where) => /^(?:reverse_proxy|forward_auth|copy_)/.test(where));
    assert.deepEqual([...new Set(ours)].filter((where) => supportOf(where) === undefined), []);
  });

  it("takes over every row of proxying that is not refused", () => {
    const fit = outcomes.filter(({ problems }) => problems.length === 0);
    const taken = new Set(fit.flatMap((outcome) => outcome.taken.map(({ where }) => where)));
    const rows = PROXY_SUPPORT.filter(({ verdict }) => verdict !== "refused");
    assert.deepEqual(rows.map(({ name }) => name).filter((name) => !taken.has(name)), []);
  });

  it("refuses every row of proxying that is refused, in its words", () => {
    const problems = outcomes.flatMap((outcome) => outcome.problems);
    const rows = PROXY_SUPPORT.filter(({ verdict }) => verdict === "refused");
    const unsaid = rows.filter(({ name, note, nearest = "" }) =>
      !problems.some((text) =>
        text.includes(` ${name}: `) && text.includes(note) && text.endsWith(`; use ${nearest}`)
      )
    );
    assert.deepEqual(unsaid.map(({ name }) => name), []);
  });
});

describe("CORE_SUPPORT", () => {
  for (const { name, verdict, note } of CORE_SUPPORT) {
    it(`${verdict === "refused" ? "refuses" : "takes over"} ${name}`, async () => {
      const { problems, taken } = await importCaddyfile(exampleOf(name), SOURCES);
      if (verdict !== "refused") {
        assert.deepEqual(problems, []);
        const isOfLine = /^(?:tls|global)\b/.test(name);
        return assert.ok(!isOfLine || taken.some(({ where }) => where === name), "not told of");
      }
      assert.notDeepEqual(problems, []);
      // Of what has no place of its own in the file, the words around it say more than the row.
      if (/^(?:placeholder|site|import)\b/.test(name)) return;
      assert.ok(
        problems.some(({ where, message }) => where === name && message.includes(note)),
        JSON.stringify(problems),
      );
    });
  }
});

describe("supportPage()", () => {
  it("is docs/from-caddy.md (else: bun tests/caddyfile/support_page.ts --write)", async () => {
    assert.equal(await storedPage(), supportPage());
  });

  it("has every row", () => {
    const lines = supportPage().split("\n").filter((line) => line.startsWith("| `"));
    assert.equal(lines.length, SUPPORT.length);
  });
});
