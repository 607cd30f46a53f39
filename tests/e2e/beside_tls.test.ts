/**
 * Debian's Caddy and understudy, side by side where TLS is concerned: the same Caddyfile with certificates
 * from files, the same requests with TLS and in the clear. What is alike and what differs is told as in
 * beside_caddy.test.ts.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { unavailable } from "../support/beside.ts";
import type { Difference } from "../support/beside_facets.ts";
import { TlsStage } from "../support/beside_tls_stage.ts";
import { isWire } from "../support/engine.ts";
import { subject } from "../support/processes.ts";
import { EVERYWHERE } from "./beside/differences.ts";
import { TLS_DIFFERENCES, TLS_REASONS } from "./beside/differences_tls.ts";
import { TLS_QUESTIONS } from "./beside/requests_tls.ts";

const obstacle = isWire ? unavailable : "compares the wire engine";

describe("understudy beside Caddy, with TLS", { skip: obstacle ?? false }, () => {
  const seen = new Map<string, readonly Difference[]>();
  let stage: TlsStage | undefined;

  before(async () => {
    stage = await TlsStage.open(subject);
    for (const question of TLS_QUESTIONS) seen.set(question.title, await stage.compare(question));
  });
  after(() => stage?.[Symbol.asyncDispose]());

  for (const { title } of TLS_QUESTIONS) {
    const known = TLS_DIFFERENCES[title];
    const name = known === undefined
      ? `is alike: ${title}`
      : `differs: ${title} (${TLS_REASONS[known.why]})`;
    it(name, () => {
      const differences = (seen.get(title) ?? assert.fail("not asked"))
        .filter(({ facet }) => !EVERYWHERE.some((one) => one.facet.test(facet)));
      assert.deepEqual(
        differences.map(({ facet, caddy, ours }) => [facet, caddy, ours]),
        known?.facets ?? [],
      );
    });
  }

  it("gives no reason that is none", () => {
    const given = new Set<string>(Object.values(TLS_DIFFERENCES).map(({ why }) => why));
    assert.deepEqual(Object.keys(TLS_REASONS).filter((why) => !given.has(why)), []);
  });

  it("lists differences of requests that are asked, and asks each once", () => {
    const titles = TLS_QUESTIONS.map(({ title }) => title);
    assert.deepEqual(Object.keys(TLS_DIFFERENCES).filter((title) => !titles.includes(title)), []);
    assert.equal(new Set(titles).size, titles.length);
  });
});
