/** What the operator of a real process sees of TLS: the status, metrics, log, events and commands. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { describe, it } from "node:test";
import type { Status } from "../../src/ops/status.ts";
import { Listening } from "../support/admin_lab.ts";
import { Authority, type Pair } from "../support/certificates.ts";
import { folder, run } from "../support/commands.ts";
import { datedCertificate } from "../support/dated_certificate.ts";
import { samplesOf } from "../support/metrics_text.ts";
import { Child, type Subject, subjects, Understudy, wireSubjects } from "../support/processes.ts";
import { promtoolComplaints, unavailable } from "../support/prometheus.ts";

const SLOW = { timeout: 60_000 };
const DAY_MS = 86_400_000;
const NAME = "a.example";

/** An understudy that shows this pair, which lies in files; or what the authority here signs. */
async function stage(subject: Subject, pair: Pair | "internal") {
  const files = await folder(
    pair === "internal" ? {} : { "cert.pem": pair.chain, "key.pem": pair.key },
  );
  const tls = pair === "internal"
    ? `{ issuer: internal, storage: "${files.path}/kept" }`
    : `{ cert: "${files.path}/cert.pem", key: "${files.path}/key.pem" }`;
  const proxy = await Understudy.start(
    subject,
    `
listen: "127.0.0.1:0"
admin: "127.0.0.1:0"
log: { level: debug }
tls: ${tls}
routes:
  - host: ${NAME}
    steps: [{ respond: hello }]
`,
    // The other engine speaks no TLS by itself.
    { engine: "wire" },
  );
  const started = await proxy.line(({ msg }) => msg === "proxy.started");
  const admin = String(started["admin"]);
  return {
    ...{ proxy, admin, files },
    status: async (): Promise<Status> => await (await fetch(`${admin}/api/status`)).json(),
    metrics: async () => await (await fetch(`${admin}/metrics`)).text(),
    /** Shows another pair, file by file as tools do. */
    async replace({ chain, key }: Pair): Promise<void> {
      for (const [name, text] of [["key.pem", key], ["cert.pem", chain]] as const) {
        await writeFile(`${files.path}/${name}.new`, text);
        await rename(`${files.path}/${name}.new`, `${files.path}/${name}`);
      }
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** Body of the answer. */
function get(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: "127.0.0.1", port, ca, servername: NAME, agent: false },
      ALPNProtocols: ["http/1.1"],
    };
    // Names are those of the handshake here, and not of the address.
    const headers = { host: NAME };
    request({ ...options, headers, checkServerIdentity: () => undefined }, (response) => {
      let text = "";
      response.on("data", (bytes) => text += String(bytes));
      response.on("end", () => resolve(text));
    }).on("error", reject).end();
  });
}

/** A client that speaks what nobody should any more. */
async function knock(port: number): Promise<void> {
  const old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
  await using child = new Child(["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...old]);
  await child.exited;
}

for (const subject of wireSubjects) {
  describe(`TLS as the operator of ${subject.name} sees it`, () => {
    it(
      "tells of a certificate from files, of handshakes, and of what was agreed on",
      SLOW,
      async () => {
        await using authority = await Authority.open();
        await using scene = await stage(subject, authority.issue(`DNS:${NAME}`, "IP:127.0.0.1"));
        const { proxy } = scene;
        assert.equal(await get(proxy.port, authority.certificate), "hello");
        const { certificates: [one], root } = await scene.status();
        assert.deepEqual([one?.names, one?.source, one?.state, one?.issuer, root], [
          ...[[NAME, "127.0.0.1"], "files", "good", "CN=Test authority", false],
        ]);
        const days = ((one?.validTo ?? 0) - Date.now()) / DAY_MS;
        assert.ok(days > 1.9 && days <= 2, `${days} days`);

        const { request } = await proxy.line(({ msg }) => msg === "handled request");
        const { version, cipher_suite: suite, ...tls } = tlsOf(request);
        assert.deepEqual([version, tls], [772, { proto: "http/1.1", server_name: NAME }]);
        assert.ok([0x1301, 0x1302, 0x1303].includes(Number(suite)), String(suite));

        await knock(proxy.port);
        await proxy.line(({ msg }) => msg === "handshake.failed");
        assert.equal(await get(proxy.port, authority.certificate), "hello", "it survived that");
        const seen = samplesOf(await scene.metrics());
        const labels = `names="${NAME}, 127.0.0.1",source="files",issuer="CN=Test authority"`;
        assert.deepEqual(
          [
            `understudy_certificate_expiry_seconds{${labels}}`,
            `understudy_certificate_problem{${labels}}`,
            'understudy_tls_handshakes_total{version="TLSv1.3",protocol="http/1.1"}',
            'understudy_tls_handshake_failures_total{reason="incompatible"}',
            'understudy_tls_handshake_failures_total{reason="other"}',
          ].map((name) => seen.get(name)),
          [(one?.validTo ?? 0) / 1000, 0, 2, 1, 0],
        );
        assert.equal((await fetch(`${scene.admin}/api/root.pem`)).status, 404);
      },
    );

    it("tells of files that change, and of those that are of no use", SLOW, async () => {
      await using authority = await Authority.open();
      await using scene = await stage(subject, authority.issue(`DNS:${NAME}`));
      const { proxy } = scene;
      const [before] = (await scene.status()).certificates;
      const leaving = new AbortController();
      const { body } = await fetch(`${scene.admin}/api/events`, { signal: leaving.signal });
      assert.ok(body);
      await using events = new Listening(body, leaving);

      await scene.replace(authority.issue(`DNS:${NAME}`));
      const isNew = (serial: string | undefined) =>
        serial !== undefined && serial !== before?.serial;
      const [after] = await events.next("certificates", ([one]) => isNew(one?.serial));
      assert.equal(after?.problem, undefined);
      await proxy.line(({ msg }) => msg === "certificate.reloaded");

      await scene.replace({ chain: "torn", key: "torn" });
      const [torn] = await events.next("certificates", ([one]) => one?.problem !== undefined);
      assert.deepEqual([torn?.serial, torn?.state], [after?.serial, "good"]);
      const refused = await proxy.line(({ msg }) => msg === "certificate.refused");
      assert.deepEqual([refused["level"], refused["certificate"]], ["warn", NAME]);
      const seen = samplesOf(await scene.metrics());
      assert.ok((seen.get('understudy_certificate_renewals_total{result="renewed"}') ?? 0) >= 1);
      assert.ok((seen.get('understudy_certificate_renewals_total{result="failed"}') ?? 0) >= 1);
    });

    it("gives the root away by which clients trust what is signed here", SLOW, async () => {
      await using scene = await stage(subject, "internal");
      const { proxy, admin } = scene;
      await proxy.line(({ msg }) => msg === "certificate.issued");
      const { certificates: [one], root } = await scene.status();
      assert.deepEqual([one?.names, one?.source, one?.state, root], [
        ...[[NAME], "internal", "good", true],
      ]);
      const response = await fetch(`${admin}/api/root.pem`);
      assert.equal(response.headers.get("content-type"), "application/x-pem-file");
      assert.equal(await get(proxy.port, await response.text()), "hello");
    });

    it("warns of a certificate that ends soon, in the log and by its commands", SLOW, async () => {
      const now = Date.now();
      const pair = await datedCertificate(NAME, { from: now - 50 * DAY_MS, to: now + 5 * DAY_MS });
      await using scene = await stage(subject, pair);
      const { proxy, admin } = scene;
      const warned = await proxy.line(({ msg }) => msg === "certificate.expiring");
      assert.deepEqual([warned["level"], warned["certificate"]], ["warn", NAME]);
      assert.match(String(warned["expires"]), /^\d{4}-\d\d-\d\dT/);

      const { stdout, code } = await run(subject, ["status", "--admin", admin]);
      assert.equal(code, 0);
      assert.match(stdout, /^CERTIFICATE +STATE +GOOD FOR +ISSUER/m);
      assert.match(stdout, /^a\.example +expiring +4d 23h +files \(CN=Dated\)/m);
      const told = await run(subject, ["status", "--json", "--admin", admin]);
      const { certificates }: Status = JSON.parse(told.stdout);
      assert.deepEqual(certificates.map(({ names, state }) => [names, state]), [
        [[NAME], "expiring"],
      ]);
      const words = ["--config", proxy.configPath, "--admin", admin];
      const explained = await run(subject, ["explain", `https://${NAME}/`, ...words]);
      assert.match(
        explained.stdout,
        /^Certificate {2}for a\.example, from .*\/cert\.pem; good for 4d 23h$/m,
      );
    });
  });
}

describe("GET /metrics with TLS", { skip: unavailable ?? false }, () => {
  it("has nothing that promtool complains of", SLOW, async () => {
    const [subject] = subjects;
    assert.ok(subject);
    await using authority = await Authority.open();
    await using scene = await stage(subject, authority.issue(`DNS:${NAME}`));
    await get(scene.proxy.port, authority.certificate);
    await knock(scene.proxy.port);
    const text = await scene.metrics();
    assert.match(text, /understudy_certificate_expiry_seconds\{/);
    assert.equal(await promtoolComplaints(text), "");
  });
});

function tlsOf(request: unknown): Record<string, unknown> {
  assert.ok(typeof request === "object" && request !== null && "tls" in request);
  const { tls } = request;
  assert.ok(typeof tls === "object" && tls !== null);
  return { ...tls };
}
