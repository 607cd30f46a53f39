/** What operators do to upstreams: the request that is made of it, and the words for what came of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../../src/cli/command.ts";
import { deeds } from "../../src/cli/operate.ts";
import type { ActionResult } from "../../src/ops/status.ts";
import { NOW, upstreamStatus } from "../support/admin_status.ts";
import { json, ranIn } from "../support/fake_admin.ts";

const deed = (name: string) => deeds.find((one) => one.name === name) ?? assert.fail();
const probe = { at: NOW, ms: 12, passed: true, status: 200, reason: "answered 200" };

describe("drain, undrain, probe, failback", () => {
  const cases: [string, ActionResult, number, string][] = [
    ["drain", { upstream: upstreamStatus("gpu") }, 0, "gpu is drained; nothing runs there"],
    [
      "drain",
      { upstream: upstreamStatus("gpu", { inFlight: 2 }) },
      0,
      "gpu is drained; 2 still run there",
    ],
    ["undrain", { upstream: upstreamStatus("gpu") }, 0, "gpu takes requests again"],
    [
      "undrain",
      { upstream: upstreamStatus("gpu", { phase: "down" }) },
      0,
      "gpu takes requests again, as soon as it is up",
    ],
    [
      "probe",
      { upstream: upstreamStatus("gpu"), probe },
      0,
      "gpu passed in 12 ms: answered 200; it is up",
    ],
    [
      "probe",
      {
        upstream: upstreamStatus("gpu", { phase: "down" }),
        probe: { ...probe, passed: false, reason: "refused the connection" },
      },
      1,
      "gpu failed in 12 ms: refused the connection; it is down",
    ],
    ["failback", { upstream: upstreamStatus("gpu") }, 0, "Requests go to gpu again"],
    [
      "failback",
      { upstream: upstreamStatus("gpu", { available: false }) },
      1,
      "gpu cannot take requests now",
    ],
  ];
  for (const [name, result, expected, text] of cases) {
    it(`${name} says "${text}"`, async () => {
      const answers = { [`POST /api/upstreams/gpu/${name}`]: json(result) };
      const { code, stdout, stderr } = await ranIn(deed(name), ["gpu"], { answers });
      assert.deepEqual([code, stdout, stderr], [expected, `${text}\n`, ""]);
    });
  }

  it("passes any name on whole", async () => {
    const { asked } = await ranIn(deed("drain"), ["a.test/x|gpu 1"]);
    const line = "POST http://127.0.0.1:2020/api/upstreams/a.test%2Fx%7Cgpu%201/drain";
    assert.deepEqual(asked.map((one) => one.line), [line]);
  });

  it("lists what was meant perhaps when a name is several's", async () => {
    const answers = {
      "POST /api/upstreams/gpu/drain": json({
        error: 'Expected one upstream but several are "gpu"',
        candidates: ["a|gpu", "b|gpu"],
      }, 409),
    };
    const { code, stderr } = await ranIn(deed("drain"), ["gpu"], { answers });
    assert.deepEqual(
      [code, stderr],
      [1, 'Expected one upstream but several are "gpu"\n  a|gpu\n  b|gpu\n'],
    );
  });

  it("wants a name", async () => {
    await assert.rejects(ranIn(deed("probe"), []), UsageError);
  });
});
