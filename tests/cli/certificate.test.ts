/** What `certificate` asks of the one that runs, and what it says of the answer. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { certificate } from "../../src/cli/certificate.ts";
import { UsageError } from "../../src/cli/command.ts";
import type { Platform } from "../../src/platform/platform.ts";
import { json, ranIn } from "../support/fake_admin.ts";
import { certificateStatus } from "../support/fake_status.ts";
import { ManualClock } from "../support/manual_clock.ts";

const RENEWED = {
  certificate: certificateStatus(ManualClock.EPOCH, {
    issuer: "ca.test",
    validTo: ManualClock.EPOCH + 90 * 86_400_000,
  }),
};
const platform: Partial<Platform> = { clock: new ManualClock() };

describe("certificate", () => {
  const deeds: [string[], string, string][] = [
    [["renew", "a.example"], "a.example/renew", ""],
    [["renew", "*.a.example"], "*.a.example/renew", ""],
    [["revoke", "a.example"], "a.example/revoke", "; the old one is called back"],
    [
      ["revoke", "a.example", "--reason", "superseded"],
      "a.example/revoke?reason=superseded",
      "; the old one is called back",
    ],
  ];
  for (const [words, path, more] of deeds) {
    it(`asks for ${words.join(" ")} and says what came of it`, async () => {
      const line = `POST http://127.0.0.1:2020/api/certificates/${path}`;
      const { code, stdout, asked } = await ranIn(certificate, words, {
        ...{ platform, answers: { [line]: json(RENEWED) } },
      });
      assert.deepEqual(asked.map((one) => one.line), [line]);
      const said = `${words[1]} has a new certificate from ca.test, good for 90d${more}\n`;
      assert.deepEqual([code, stdout], [0, said]);
    });
  }

  it("gives programs the whole answer", async () => {
    const answers = { "POST /api/certificates/a.example/renew": json(RENEWED) };
    const { stdout } = await ranIn(certificate, ["renew", "a.example", "--json"], {
      ...{ platform, answers },
    });
    assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(RENEWED)));
  });

  it("fails with the words of the authority", async () => {
    const error = { error: "ca.test refuses a.example: no such name" };
    const answers = { "POST /api/certificates/a.example/renew": json(error, 409) };
    const { code, stderr } = await ranIn(certificate, ["renew", "a.example"], { answers });
    assert.deepEqual([code, stderr], [1, `${error.error}\n`]);
  });

  const wrong = [[], ["renew"], ["burn", "a.example"], [
    ...["renew", "a.example", "--reason", "superseded"],
  ]];
  for (const words of wrong) {
    it(`knows no "${words.join(" ")}"`, async () => {
      await assert.rejects(ranIn(certificate, words), UsageError);
    });
  }
});
