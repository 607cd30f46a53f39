/** What the operator is shown of the door and of receivers: everything but what opens them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redactedConfig } from "../../src/ops/redact.ts";
import { config } from "../support/config_text.ts";
import { HICCUP } from "../support/fake_guard.ts";

describe("redactedConfig()", () => {
  it("hides keys, hashes, tokens and the addresses of receivers, and shows their names", async () => {
    const loaded = await config(`
notify:
  url: http://ntfy.test/hidden-topic
  token: hidden-token
  headers: { X-Auth: hidden-field }
routes:
  - upstreams: [http://a]
    auth:
      keys: { laptop: hidden-key }
      basic: { users: { bob: ${HICCUP} } }
`);
    const shown = JSON.stringify(redactedConfig(loaded));
    assert.ok(!/hidden|\$2b/.test(shown), shown);
    for (const name of ["laptop", "bob"]) assert.ok(shown.includes(`"${name}"`), name);
  });
});
