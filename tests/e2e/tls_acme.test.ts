/**
 * Certificates from a real authority, on real processes: first ones, new ones, those called back, and all
 * that keeps one from coming. pebble refuses good nonces all the while, as Let's Encrypt may.
 */
import assert from "node:assert/strict";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePort } from "../platform/support.ts";
import { AcmeStage, step } from "../support/acme_stage.ts";
import { Relay } from "../support/acme_relay.ts";
import { unavailable } from "../support/pebble.ts";
import { subject as last, wireSubjects } from "../support/processes.ts";

const SLOW = { timeout: 120_000 };
const NAME = "gpu.lab-of-tests.org";
const OTHER = "slow.lab-of-tests.org";
const MOODY = { nonceReject: 20, authzReuse: 50 };

for (const subject of wireSubjects) {
  describe(`certificates by ACME (${subject.name})`, { skip: unavailable }, () => {
    /** It takes half a minute, and what it is about is the same for all. */
    const LAST = { ...SLOW, skip: subject !== last && "tried with another subject" };

    it("come by themselves, and curl and openssl believe them", SLOW, async () => {
      await using stage = await AcmeStage.open(subject, MOODY);
      const proxy = await stage.begin([NAME]);
      await proxy.line(step("issued"));
      for (const version of ["1.1", "2"]) {
        const answer = await stage.ask(NAME, `--http${version}`);
        assert.deepEqual([answer.status, answer.version, answer.body.toString()], [
          ...[200, version, "hello"],
        ]);
      }
      assert.equal((await stage.shown(NAME))?.subjectAltName, `DNS:${NAME}`);
      assert.equal(await stage.shown(OTHER), undefined);

      for (const entry of await readdir(stage.at("kept"), { recursive: true })) {
        const found = await stat(join(stage.at("kept"), entry));
        assert.equal(found.mode & 0o777, found.isDirectory() ? 0o700 : 0o600, entry);
      }
    });

    const noTls = subject.name === "deno" && "Deno shows no proofs by TLS";
    it(
      "come by a proof in a handshake, for a bound account",
      { ...SLOW, skip: noTls },
      async () => {
        const binding = {
          keyId: "kid-7",
          secretKey: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG",
        };
        await using stage = await AcmeStage.open(subject, { ...MOODY, binding });
        const eab = `eab: { key_id: ${binding.keyId}, hmac: ${binding.secretKey} }`;
        const proxy = await stage.begin([NAME], { acme: `, ${eab}, challenges: [tls-alpn-01]` });
        await proxy.line(step("issued"));
        assert.equal((await stage.ask(NAME)).status, 200);
      },
    );

    it("are renewed as soon as the authority wants it", SLOW, async () => {
      await using stage = await AcmeStage.open(subject, { ...MOODY, validityS: 600 });
      await using relay = await Relay.open(stage.pebble);
      relay.offers = { renewalInfo: `${relay.origin}/renewals` };
      // A window that is over: a hundredth of its life must pass, as the authority may be in error.
      const over = { start: "2020-01-01T00:00:00Z", end: "2020-01-02T00:00:00Z" };
      relay.answer = ({ path }) =>
        path.startsWith("/renewals")
          ? { status: 200, headers: { "retry-after": "21600" }, body: { suggestedWindow: over } }
          : undefined;
      const proxy = await stage.begin([NAME], { directory: relay.directory });
      await proxy.line(step("issued"));
      const first = await stage.shown(NAME);
      await proxy.line(step("renewed"), 30_000);
      assert.notEqual((await stage.shown(NAME))?.serialNumber, first?.serialNumber);
      // The last, as each may have been refused for its nonce.
      const { payload } = relay.at("/order-plz").at(-1) ?? {};
      assert.match(String(payload?.["replaces"]), /^[\w-]{27}\.[\w-]+$/);
    });

    it("are there after a death, with the authority away", SLOW, async () => {
      await using stage = await AcmeStage.open(subject, MOODY);
      const first = await stage.begin([NAME]);
      await first.line(step("issued"));
      const before = await stage.shown(NAME);
      first.kill("SIGKILL");
      await first.exited;
      await stage.pebble.end();

      const second = await stage.begin([NAME]);
      await second.line(step("loaded"));
      assert.equal((await stage.ask(NAME)).status, 200);
      assert.equal((await stage.shown(NAME))?.serialNumber, before?.serialNumber);
    });

    it("are renewed and called back when the operator wants it", SLOW, async () => {
      await using stage = await AcmeStage.open(subject, MOODY);
      const proxy = await stage.begin([NAME]);
      await proxy.line(step("issued"));
      const first = await stage.shown(NAME);

      const renewed = await stage.told(proxy, "renew", NAME);
      assert.equal(renewed.code, 0, renewed.stderr);
      assert.match(
        renewed.stdout,
        /gpu\.lab-of-tests\.org has a new certificate from 127\.0\.0\.1/,
      );
      const second = await stage.shown(NAME);
      assert.notEqual(second?.serialNumber, first?.serialNumber);
      assert.equal((await stage.pebble.standing(first?.serialNumber ?? "")).Status, "Valid");

      const revoked = await stage.told(proxy, "revoke", NAME, "--reason", "key_compromise");
      assert.equal(revoked.code, 0, revoked.stderr);
      const third = await stage.shown(NAME);
      const { Status, Reason } = await stage.pebble.standing(second?.serialNumber ?? "");
      assert.deepEqual([Status, Reason], ["Revoked", 1]);
      assert.equal((await stage.pebble.standing(third?.serialNumber ?? "")).Status, "Valid");
      assert.equal(second?.checkPrivateKey === undefined, false);
      assert.notDeepEqual(third?.publicKey.export(SPKI), second?.publicKey.export(SPKI));
      assert.equal((await stage.ask(NAME)).status, 200);
    });

    it(
      "say why there is none where the name leads elsewhere, and come once it does not",
      SLOW,
      async () => {
        await using stage = await AcmeStage.open(subject, MOODY);
        await stage.pebble.write("add-a", { host: `${OTHER}.`, addresses: ["127.0.0.9"] });
        const proxy = await stage.begin([NAME, OTHER]);
        const failed = await proxy.line(step("failed"));
        assert.match(
          String(failed["problem"]),
          /127\.0\.0\.1-\d+: "slow\.lab-of-tests\.org" by http-01: .*127\.0\.0\.9.*refused/,
        );
        await proxy.line(step("issued"));
        assert.equal((await stage.ask(NAME)).status, 200, "the other name is served");

        const again = await stage.told(proxy, "renew", OTHER);
        assert.deepEqual([again.code, again.stderr.includes("127.0.0.9")], [1, true], again.stderr);

        await stage.pebble.write("clear-a", { host: `${OTHER}.` });
        const mended = await stage.told(proxy, "renew", OTHER);
        assert.equal(mended.code, 0, mended.stderr);
        assert.equal((await stage.ask(OTHER)).status, 200);
      },
    );

    it("come once an authority is there that was away", LAST, async () => {
      await using stage = await AcmeStage.open(subject, MOODY);
      await stage.pebble.end();
      const proxy = await stage.begin([NAME]);
      const failed = await proxy.line(step("failed"));
      assert.match(String(failed["problem"]), /refused/);
      assert.ok(Date.parse(String(failed["again"])) > Date.now());

      await stage.pebble.begin();
      await stage.trust();
      // By itself, after the first pause of half a minute or so.
      await proxy.until(() => proxy.lines.some(step("issued")), 60_000);
      assert.equal((await stage.ask(NAME)).status, 200);
    });

    it("hold fifty names in one", SLOW, async () => {
      const names = Array.from({ length: 50 }, (_, at) => `n${at}.lab-of-tests.org`);
      await using stage = await AcmeStage.open(subject, MOODY);
      const tls = `certificates: [{ hosts: [${names.join(", ")}] }]`;
      const proxy = await stage.begin(names, { tls });
      await proxy.until(() => proxy.lines.some(step("issued")), 60_000);
      assert.equal(
        (await stage.shown("n49.lab-of-tests.org"))?.subjectAltName?.split(",").length,
        50,
      );
      assert.equal((await stage.ask("n7.lab-of-tests.org")).status, 200);
      assert.equal(proxy.lines.filter(step("issued")).length, 1);
    });

    it("are ordered once by two processes that keep them in one place", SLOW, async () => {
      await using stage = await AcmeStage.open(subject, MOODY);
      const others = { tls: await freePort(), plain: await freePort() };
      const acme = await recording(stage);
      const names = [NAME, `*.${NAME}`];
      const tls = `certificates: [{ hosts: ["${names.join('", "')}"] }]`;
      const both = await Promise.all([
        stage.begin(names, { acme, tls }),
        stage.begin(names, { acme, tls }, others),
      ]);
      const steps = await Promise.all(both.map(async (proxy) => {
        const line = await proxy.line((one) => step("issued")(one) || step("loaded")(one), 60_000);
        return String(line["msg"]);
      }));
      assert.deepEqual(steps.toSorted((a, b) => a.localeCompare(b)), [
        "certificate.issued",
        "certificate.loaded",
      ]);
      const shown = [await stage.shown(NAME), await stage.shown(`x.${NAME}`, others)];
      assert.equal(shown[0]?.serialNumber, shown[1]?.serialNumber);
      assert.equal((await stage.ask(`y.${NAME}`)).status, 200);
    });
  });
}

const SPKI = { type: "spki", format: "pem" } as const;

/** Proves names by records, which a program writes where pebble's name server takes them. */
async function recording(stage: AcmeStage): Promise<string> {
  const { pebble } = stage;
  const program = `#!/bin/sh
case $1 in
  present) curl -sf -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ${pebble.place("set-txt")} ;;
  cleanup) curl -sf -d "{\\"host\\":\\"$2.\\"}" ${pebble.place("clear-txt")} ;;
esac
`;
  const path = stage.at("record.sh");
  await writeFile(path, program, { mode: 0o700 });
  const how = `provider: exec, command: ["${path}"], delay: 0s, resolvers: ["${pebble.names}"]`;
  return `, dns: { ${how} }`;
}
