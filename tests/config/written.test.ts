/** Configurations that come from another language: same rules, problems at the places they came from. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { formatProblem, load, type LoadSources, loadWritten } from "../../src/config/load.ts";
import type { PlaceOf } from "../../src/config/written.ts";

const SOURCES: LoadSources = {
  path: "Caddyfile",
  env: (name) => name === "UP" ? "http://a" : undefined,
  readSecret: () => "secret\0",
  certificateNames: () => [],
};

async function problems(value: unknown, placeOf: PlaceOf): Promise<string[]> {
  const result = await loadWritten(value, placeOf, SOURCES);
  return result.kind === "refused" ? result.problems.map(formatProblem) : [];
}

describe("loadWritten()", () => {
  it("gives what load() gives when the same is written in YAML", async () => {
    const text = `
listen: [":80"]
routes:
  - host: a.com
    upstreams: ["\${UP}", http://b:1-3]
    health: { uri: /, headers: { Host: x }, expect_body: "^ok" }
`;
    const loaded = await loadWritten(parse(text), () => undefined, SOURCES);
    assert.equal(loaded.kind, "loaded");
    assert.deepEqual(loaded, await load(text, SOURCES));
  });

  it("tells problems with file, line and column of the place, in the order of the files", async () => {
    const places: Record<string, [string, number, number]> = {
      "value:": ["Caddyfile", 1, 1],
      "key:routes.0.polciy": ["lib.caddy", 9, 5],
      "key:routes.0.health": ["Caddyfile", 3, 5],
      "value:routes.0.health.timeout": ["Caddyfile", 4, 20],
      "value:routes.0.upstreams": ["Caddyfile", 2, 3],
      "value:routes.0.host": ["Caddyfile", 1, 1],
    };
    const told = await problems(
      {
        routes: [{
          polciy: "first",
          host: "${NOPE}",
          upstreams: ["http://a/x"],
          health: { interval: "1s", timeout: "5" },
        }],
      },
      (path, part) => {
        const [file, line, column] = places[`${part}:${path.join(".")}`] ?? [];
        return file === undefined || line === undefined || column === undefined
          ? undefined
          : { file, line, column };
      },
    );
    assert.deepEqual(told, [
      'Caddyfile:1:1 routes[0].host: Expected the environment variable "NOPE" to be set but received nothing',
      'Caddyfile:2:3 routes[0].upstreams[0]: Expected an upstream without a path but received "http://a/x"',
      'Caddyfile:3:5 routes[0].health: Expected "uri" or "port", which turn probing on but received neither',
      'Caddyfile:4:20 routes[0].health.timeout: Expected a duration such as "5s" but received 5, a number without a unit',
      'lib.caddy:9:5 routes[0].polciy: Expected a known key but received "polciy", did you mean "policy"?',
    ]);
  });

  it("hides what came from a file and tells a problem once when a snippet repeats it", async () => {
    const place = { file: "a", line: 2, column: 7 };
    const route = { upstreams: ["http://a"], stream_close_delay_file: "/run/x" };
    const told = await problems(
      { routes: [{ host: "a.com", ...route }, { host: "b.com", ...route }] },
      () => place,
    );
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^a:2:7 .* but received what the file "\/run\/x" holds$/);
  });

  it("never throws and agrees with load() on what is right when given any value", async () => {
    const value = fc.anything({
      maxDepth: 4,
      key: fc.constantFrom("routes", "upstreams", "host", "retry", "steps", "match", "x"),
      values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
    });
    await fc.assert(
      fc.asyncProperty(value, async (inner) => {
        const whole = { routes: [inner] };
        const written = await loadWritten(whole, () => undefined, SOURCES);
        const read = await load(stringify(whole), SOURCES);
        assert.equal(written.kind, read.kind);
      }),
      { numRuns: 300 },
    );
  });
});
