/** What browsers are told of our answers, and the policy of the page. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { page } from "../../src/ops/page/page.ts";
import { policyFor, shield } from "../../src/ops/shield.ts";

describe("policyFor()", () => {
  it("lets the document's own scripts and styles run, and nothing else", async () => {
    const policy = await policyFor("<style>a{}</style><script>1</script>");
    const directives = new Map(
      policy.split("; ").map((one) => {
        const [name = "", ...values] = one.split(" ");
        return [name, values.join(" ")];
      }),
    );
    assert.equal(directives.get("default-src"), "'none'");
    assert.equal(
      directives.get("script-src"),
      "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='",
    );
    assert.match(directives.get("style-src") ?? "", /^'sha256-[\w+/]{43}='$/);
    assert.equal(directives.get("frame-ancestors"), "'none'");
  });

  it("makes no exception for what stands inline", async () => {
    assert.doesNotMatch(await policyFor(page()), /unsafe/);
    assert.match(await policyFor("<p>bare</p>"), /script-src 'none'/);
  });
});

describe("shield()", () => {
  it("keeps a policy that is there", () => {
    const headers = new Headers({ "content-security-policy": "mine" });
    shield(headers);
    assert.equal(headers.get("content-security-policy"), "mine");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("cache-control"), "no-store");
  });
});
