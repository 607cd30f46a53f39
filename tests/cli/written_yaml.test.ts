/** A Caddyfile as YAML: means the same, and keeps its comments. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toYaml } from "../../src/cli/written_yaml.ts";
import { load } from "../../src/config/load.ts";
import { CADDYFILE } from "../caddyfile/generator.ts";
import { readingOf } from "../caddyfile/reading.ts";

const SOURCES = {
  path: "config.yaml",
  env: () => undefined,
  readSecret: () => "",
  certificateNames: () => [],
};

describe("toYaml()", () => {
  it("means what importing directly means", async () => {
    let loaded = 0;
    await fc.assert(
      fc.asyncProperty(CADDYFILE, async (text) => {
        const { imported, config, problems } = await readingOf(text);
        if (imported.problems.length > 0) assert.deepEqual(imported.problems, [], text);
        const yaml = toYaml(imported.root);
        const again = await load(yaml, SOURCES);
        if (config === undefined) {
          // What the schema refuses, it refuses in both forms.
          assert.equal(again.kind, "refused", `${text}\n${problems.join("\n")}`);
          return;
        }
        loaded += 1;
        assert.deepEqual(again.kind === "loaded" ? again.config : again.problems, config, yaml);
      }),
      { numRuns: 120 },
    );
    assert.ok(loaded > 60, `Expected most to load but received ${loaded}`);
  });

  it("keeps every comment", async () => {
    await fc.assert(
      fc.asyncProperty(CADDYFILE, async (text) => {
        const { imported } = await readingOf(text);
        // What is left out as it is never reached takes its comments along.
        fc.pre(!imported.taken.some(({ note }) => note.includes("never reached")));
        const yaml = toYaml(imported.root);
        const count = (where: string) => where.split("# ends: with # more").length;
        assert.ok(count(yaml) >= count(text), `${text}\n${yaml}`);
      }),
      { numRuns: 60 },
    );
  });

  it("puts comments where they belong", async () => {
    const { imported } = await readingOf(`# all of it
{
	# not for long
	grace_period 5s # seconds
}

# a snippet
(s) {
	# inside
	encode gzip
}

# the site
:8080 {
	# where
	bind 127.0.0.1
	# with it
	import s
	# which
	@a path /a # ones
	# first
	respond @a hi # beside
	# second
	reverse_proxy 10.0.0.1 {
		# the way
		lb_policy first
	}
	# the end
}
# after
`);
    assert.equal(
      toYaml(imported.root),
      `# all of it
listen: 127.0.0.1:8080
# not for long
grace_period: 5s # seconds
# after
routes:
  # the site
  # where
  - steps:
      # a snippet
      # with it
      # inside
      - encode: [gzip]
      # which
      # ones
      # first
      # beside
      - match:
          path: /a
        respond: hi
      # second
      # the end
      - proxy:
          upstreams:
            - http://10.0.0.1
          # the way
          policy: first
          transport:
            keepalive: 2m
            keepalive_idle_conns: 32
            max_response_header: 10MiB
`,
    );
  });
});
