/**
 * HTTPS as a browser sees it: chromium believes nobody until it is told to, by `understudy trust` or by whoever
 * installs the root of an authority; then it speaks every version of HTTP with us.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Chromium, noBrowser } from "../page/browser.ts";
import { freePort } from "../platform/support.ts";
import { AcmeStage, step } from "../support/acme_stage.ts";
import { Machine, noMounts } from "../support/mounts.ts";
import { unavailable } from "../support/pebble.ts";
import { Understudy, wireSubjects } from "../support/processes.ts";
import { Echo } from "../support/websockets.ts";

const NAME = "gpu.lan";
const PUBLIC = "gpu.lab-of-tests.org";
const PAGE = `"<!doctype html><title>all is well</title>"`;
/** Which version of HTTP the page itself came by. */
const VERSION = `performance.getEntriesByType("navigation")[0].nextHopProtocol`;

for (const subject of wireSubjects) {
  describe(`a browser and ${subject.name}`, { skip: noBrowser || noMounts }, () => {
    let machine: Machine;
    let sockets: Echo;
    let proxy: Understudy;
    let ports: { readonly newer: number; readonly older: number };

    before(async () => {
      machine = await Machine.open();
      sockets = await Echo.start();
      ports = { newer: await freePort(), older: await freePort() };
      proxy = await Understudy.start(
        subject,
        `
listen:
  - { address: "127.0.0.1:${ports.newer}", protocols: [h1, h2, h3] }
  - { address: "127.0.0.1:${ports.older}", protocols: [h1] }
admin: off
tls: { issuer: internal, storage: "${join(machine.folder, "kept")}" }
routes:
  - host: ${NAME}
    steps: [{ respond: { body: ${PAGE}, headers: { Content-Type: text/html } } }]
  - host: ${NAME}
    path: /socket
    upstreams: ["${sockets.url}"]
`,
        { engine: "wire" },
      );
      await proxy.line(step("issued"));
    });

    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await sockets?.[Symbol.asyncDispose]();
      await machine?.[Symbol.asyncDispose]();
    });

    function browser(quic: readonly string[] = []): Promise<Chromium> {
      const flags = [`--host-resolver-rules=MAP ${NAME} 127.0.0.1,MAP ${PUBLIC} 127.0.0.1`];
      return Chromium.open({ flags, quic, home: machine.home });
    }

    async function trust(): Promise<void> {
      const words = ["trust", "--storage", join(machine.folder, "kept")];
      const { code, stderr } = await machine.run([...subject.command, ...words]);
      assert.equal(code, 0, stderr);
    }

    it("are strangers until `trust` has introduced them", async () => {
      {
        await using chromium = await browser();
        await assert.rejects(
          chromium.page(`https://${NAME}:${ports.newer}/`),
          /ERR_CERT_AUTHORITY_INVALID/,
        );
      }
      await trust();
      await using chromium = await browser();
      for (const [port, version] of [[ports.newer, "h2"], [ports.older, "http/1.1"]] as const) {
        await using visit = await chromium.page(`https://${NAME}:${port}/`);
        assert.equal(await visit.page.title(), "all is well");
        assert.equal(await visit.page.evaluate(VERSION), version);
        // From HTTP/2, a connection of its own.
        const echoed = visit.page.evaluate(`new Promise((resolve, reject) => {
          const socket = new WebSocket("wss://${NAME}:${port}/socket");
          socket.onopen = () => socket.send("through TLS");
          socket.onmessage = ({ data }) => data.includes("TLS") && resolve(data);
          socket.onerror = reject;
        })`);
        assert.match(String(await echoed), /through TLS/);
      }
    });

    it("speak HTTP/3", async () => {
      await trust();
      await using chromium = await browser([`${NAME}:${ports.newer}`]);
      await using visit = await chromium.page(`https://${NAME}:${ports.newer}/`);
      assert.equal(await visit.page.title(), "all is well");
      assert.equal(await visit.page.evaluate(VERSION), "h3");
    });

    it("know each other by a certificate that came by ACME", { skip: unavailable }, async () => {
      await using stage = await AcmeStage.open(subject, { nonceReject: 20 });
      const issued = await stage.begin([PUBLIC]);
      await issued.line(step("issued"));
      const database = `sql:${machine.home}/.pki/nssdb`;
      const root = ["-n", "pebble", "-t", "C,,", "-i", stage.at("root.pem")];
      assert.equal((await machine.run(["certutil", "-A", "-d", database, ...root])).code, 0);
      await using chromium = await browser();
      await using visit = await chromium.page(`https://${PUBLIC}:${stage.ports.tls}/`);
      assert.equal(await visit.page.innerText("body"), "hello");
      assert.equal(await visit.page.evaluate(VERSION), "h2");
    });
  });
}
