/**
 * Debian's Caddy and understudy, side by side: the same Caddyfile, the same upstreams, the same
 * requests. What the client got and what the upstreams saw is alike, or the difference is listed with
 * its reason; one that is listed and does not occur fails as well.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { unavailable } from "../support/beside.ts";
import type { Difference } from "../support/beside_facets.ts";
import { Stage } from "../support/beside_stage.ts";
import { isWire } from "../support/engine.ts";
import { subject } from "../support/processes.ts";
import { DIFFERENCES, EVERYWHERE, REASONS } from "./beside/differences.ts";
import type { Question } from "./beside/question.ts";
import { FORWARDED } from "./beside/requests_forwarded.ts";
import { HANDLED } from "./beside/requests_handled.ts";
import { TURNS } from "./beside/turns.ts";

const QUESTIONS: readonly Question[] = [...FORWARDED, ...HANDLED];

const obstacle = isWire ? unavailable : "compares the wire engine";

/** What is asked after each turn. */
const AFTERWARDS: readonly Question[] = [
  { site: "probed", title: "GET" },
  { site: "probed", title: "POST", method: "POST", body: "kept" },
];

describe("understudy beside Caddy", { skip: obstacle ?? false }, () => {
  const seen = new Map<string, readonly Difference[]>();
  let stage: Stage | undefined;

  // Asked in one go, as upstreams remember what was before.
  before(async () => {
    stage = await Stage.open(subject);
    for (const question of QUESTIONS) seen.set(question.title, await stage.compare(question));
    for (const turn of TURNS) {
      for (const name of turn.stops ?? []) await stage.stop(name);
      for (const name of turn.revives ?? []) await stage.revive(name);
      for (const name of turn.ails ?? []) stage.ail(name, true);
      for (const name of turn.recovers ?? []) stage.ail(name, false);
      const facet = /^\d{3}$/.test(turn.answers) ? "client status" : "client body";
      await stage.settled({ site: "probed", title: "" }, { facet, value: turn.answers });
      for (const question of AFTERWARDS) {
        seen.set(`${turn.title}: ${question.title}`, await stage.compare(question));
      }
    }
  });
  after(() => stage?.[Symbol.asyncDispose]());

  const titles = [
    ...QUESTIONS.map(({ title }) => title),
    ...TURNS.flatMap((turn) => AFTERWARDS.map(({ title }) => `${turn.title}: ${title}`)),
  ];

  for (const title of titles) {
    const known = DIFFERENCES[title];
    it(
      known === undefined ? `is alike: ${title}` : `differs: ${title} (${REASONS[known.why]})`,
      () => {
        const differences = (seen.get(title) ?? assert.fail("not asked"))
          .filter(({ facet }) => !EVERYWHERE.some((one) => one.facet.test(facet)))
          .filter(({ facet }) => !(known?.loose ?? []).includes(facet));
        assert.deepEqual(
          differences.map(({ facet, caddy, ours }) => [facet, caddy, ours]),
          known?.facets ?? [],
        );
      },
    );
  }

  for (const { facet, why } of EVERYWHERE) {
    it(`differs here and there: ${facet.source} (${why})`, () => {
      assert.ok([...seen.values()].flat().some((one) => facet.test(one.facet)));
    });
  }

  it("gives no reason that is none", () => {
    const given = new Set<string>(Object.values(DIFFERENCES).map(({ why }) => why));
    assert.deepEqual(Object.keys(REASONS).filter((why) => !given.has(why)), []);
  });

  it("lists differences of requests that are asked, and asks each once", () => {
    assert.deepEqual(Object.keys(DIFFERENCES).filter((title) => !titles.includes(title)), []);
    assert.equal(new Set(titles).size, titles.length);
  });
});
