/**
 * Clients with certificates, on real processes: each is judged by the authorities of its own route, as they
 * are now, over connections that are kept and sessions that are taken up too.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect as connectH2 } from "node:http2";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Authority, type Pair } from "../support/certificates.ts";
import { curl, handshake } from "../support/curl.ts";
import { Understudy, wireSubjects } from "../support/processes.ts";

const NAME = "safe.a.example";
const ASKS = `GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`;

for (const subject of wireSubjects) {
  describe(`clients with certificates (${subject.name})`, () => {
    let ours: Authority;
    let theirs: Authority;
    let served: Pair;
    let known: Pair;
    const at = (name: string) => join(ours.folder, name);

    before(async () => {
      ours = await Authority.open();
      theirs = await Authority.open();
      served = ours.issue(`DNS:${NAME}`, "DNS:*.a.example", "IP:127.0.0.1");
      known = ours.issue("DNS:known");
      for (const [name, pair] of [["pair", served], ["known", known]] as const) {
        await writeFile(at(`${name}.pem`), pair.chain);
        await writeFile(at(`${name}.key`), pair.key);
      }
      await writeFile(at("theirs.pem"), theirs.certificate);
      const other = theirs.issue("DNS:other");
      await writeFile(at("other.pem"), other.chain);
      await writeFile(at("other.key"), other.key);
    });

    after(async () => {
      await ours[Symbol.asyncDispose]();
      await theirs[Symbol.asyncDispose]();
    });

    async function started(routes: string): Promise<Understudy> {
      const text = `
listen: "127.0.0.1:0"
admin: off
tls: { cert: "${at("pair.pem")}", key: "${at("pair.key")}" }
routes:
${routes}
`;
      return await Understudy.start(subject, text, { engine: "wire" });
    }

    function route(host: string, ca: string): string {
      return `  - host: "${host}"
    tls: { client_auth: { ca: "${at(ca)}" } }
    steps: [{ respond: hello }]`;
    }

    async function status(proxy: Understudy, host: string, client: string): Promise<number> {
      const args = ["--cert", at(`${client}.pem`), "--key", at(`${client}.key`)];
      return (await curl(`https://${host}/`, { ca: at("ca.pem"), port: proxy.port, args })).status;
    }

    /** Has another authority judge clients from now on, under the same path. */
    async function judgedBy(proxy: Understudy, authority: Authority): Promise<void> {
      const before = proxy.lines.length;
      await writeFile(at("judge.pem"), authority.certificate);
      proxy.kill("SIGHUP");
      await proxy.until(() =>
        proxy.lines.slice(before).some(({ msg }) => msg === "config.reloaded")
      );
    }

    it("are judged by the authorities of their own route, whichever stands first", async () => {
      await using proxy = await started(
        [
          route("*", "theirs.pem"),
          route("*.a.example", "theirs.pem"),
          route(NAME, "ca.pem"),
          route("127.0.0.1", "ca.pem"),
        ].join("\n"),
      );
      const seen = [];
      for (const host of [NAME, "else.a.example", "127.0.0.1"]) {
        for (const client of ["known", "other"]) seen.push(await status(proxy, host, client));
      }
      assert.deepEqual(seen, [200, 403, 403, 200, 200, 403]);
    });

    it("are judged anew after a reload, on a connection that is kept", async () => {
      await writeFile(at("judge.pem"), ours.certificate);
      await using proxy = await started(route(NAME, "judge.pem"));
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ask = () =>
        new Promise<string>((resolve, reject) => {
          const asking = request({
            ...{ port: proxy.port, host: "127.0.0.1", servername: NAME, agent },
            ...{ ca: ours.certificate, cert: known.chain, key: known.key, headers: { Host: NAME } },
          }, (response) => {
            const { statusCode, headers: { connection = "" } } = response;
            response.resume().on("end", () => resolve(`${statusCode} ${connection}`));
          });
          asking.on("error", reject);
          asking.end();
        });
      assert.match(await ask(), /^200/);
      await judgedBy(proxy, theirs);
      assert.equal(await ask(), "421 close");
      assert.match(await ask(), /^403/);
      agent.destroy();
    });

    it("are judged anew after a reload, on a connection of HTTP/2", async () => {
      await writeFile(at("judge.pem"), ours.certificate);
      await using proxy = await started(route(NAME, "judge.pem"));
      const session = connectH2(`https://127.0.0.1:${proxy.port}`, {
        ...{ servername: NAME, ca: ours.certificate, cert: known.chain, key: known.key },
      });
      session.on("error", () => {});
      const ask = async () => {
        const asking = session.request({ ":path": "/", ":authority": NAME });
        const [headers] = await once(asking, "response");
        asking.resume();
        return headers[":status"];
      };
      const ended = once(session, "close");
      assert.equal(await ask(), 200);
      await judgedBy(proxy, theirs);
      assert.equal(await ask(), 421);
      await ended;
    });

    it("gain nothing from a session of before a reload", async () => {
      await writeFile(at("judge.pem"), ours.certificate);
      await using proxy = await started(route(NAME, "judge.pem"));
      const session = at("session");
      const args = ["-servername", NAME, "-ign_eof"];
      const showing = ["-cert", at("known.pem"), "-key", at("known.key"), "-sess_out", session];
      const first = await handshake(proxy.port, [...args, ...showing], ASKS);
      assert.match(first.said, /HTTP\/1\.1 200/);
      const next = await handshake(proxy.port, [...args, "-sess_in", session], ASKS);
      assert.match(next.said, /HTTP\/1\.1 200/);
      await judgedBy(proxy, theirs);
      const last = await handshake(proxy.port, [...args, "-sess_in", session], ASKS);
      assert.match(last.said, /HTTP\/1\.1 403/);
    });
  });
}
