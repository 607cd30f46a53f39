/**
 * Certificates that live for seconds, renewed again and again while a hundred streams run and others ask: no
 * stream is cut, no request fails, and whoever comes sees the new one.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:http2";
import { get } from "node:https";
import type { TLSSocket } from "node:tls";
import { describe, it } from "node:test";
import { AcmeStage, step } from "../support/acme_stage.ts";
import { unavailable } from "../support/pebble.ts";
import { wireSubjects } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";

const NAME = "gpu.lab-of-tests.org";
const LIFE_S = 9;
const TICKS = 180;
const TARGET = `/ticks?every=100&count=${TICKS}`;
const STREAMS = 50;

interface Answer {
  readonly status: number;
  readonly lines: number;
  /** Of the certificate that was shown; undefined on a connection that others opened. */
  readonly serial: string | undefined;
}

/** Asks by HTTP/1.1 on a connection of its own. Rejects where the answer breaks off. */
function ask(port: number, ca: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const place = { host: "127.0.0.1", port, servername: NAME, ca, path, agent: false };
    get({ ...place, headers: { host: NAME } }, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      let lines = 0;
      response.on("data", (bytes) => lines += String(bytes).split("\n").length - 1);
      response.on("end", () => {
        const { statusCode: status = 0, complete } = response;
        if (complete) resolve({ status, lines, serial: serialNumber });
        else reject(new Error("the answer broke off"));
      });
      response.on("error", reject);
    }).on("error", reject);
  });
}

/** Asks so many times at once on one connection of HTTP/2. Rejects where one answer breaks off. */
async function askTogether(port: number, ca: string, path: string): Promise<readonly Answer[]> {
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: NAME });
  // Streams tell of it, too.
  session.on("error", () => {});
  try {
    const answers = Array.from({ length: STREAMS }, () =>
      new Promise<Answer>((resolve, reject) => {
        const stream = session.request({ ":path": path, ":authority": NAME });
        let [status, lines] = [0, 0];
        stream.on("response", (fields) => (status = Number(fields[":status"])));
        stream.on("data", (bytes) => lines += String(bytes).split("\n").length - 1);
        stream.on("end", () => resolve({ status, lines, serial: undefined }));
        stream.on("error", reject);
        stream.end();
      }));
    return await Promise.all(answers);
  } finally {
    session.close();
  }
}

for (const subject of wireSubjects) {
  describe(`renewal under load (${subject.name})`, { skip: unavailable }, () => {
    it("fails no request and cuts no stream", { timeout: 120_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      await using stage = await AcmeStage.open(subject, { nonceReject: 20, validityS: LIFE_S });
      const routes = `  - host: ${NAME}\n    upstreams: ["${upstream.url}"]`;
      const proxy = await stage.begin([NAME], { routes });
      await proxy.line(step("issued"));
      const ca = await readFile(stage.at("root.pem"), "utf8");
      const { tls: port } = stage.ports;

      let isOver = false;
      const streams = Promise.all([
        askTogether(port, ca, TARGET),
        ...Array.from({ length: STREAMS }, async () => [await ask(port, ca, TARGET)]),
      ]).finally(() => (isOver = true));
      const passers = Promise.all(Array.from({ length: 4 }, async () => {
        const seen: Answer[] = [];
        while (!isOver) seen.push(await ask(port, ca, "/"));
        return seen;
      }));

      for (const { status, lines } of (await streams).flat()) {
        assert.deepEqual([status, lines], [200, TICKS]);
      }
      const seen = (await passers).flat();
      assert.ok(seen.length > 100 && seen.every(({ status }) => status === 200));
      const renewals = proxy.lines.filter(step("renewed")).length;
      const serials = new Set(seen.map(({ serial }) => serial));
      assert.ok(renewals >= 2, `${renewals} renewals`);
      assert.ok(serials.size >= 3, `${serials.size} certificates were seen`);
      assert.equal(proxy.lines.filter(step("failed")).length, 0);
    });
  });
}
