/** HTTP/3 with a client of its own making (ngtcp2's), on real processes: where it is served, it holds what the others hold. */
import assert from "node:assert/strict";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freePort } from "../platform/support.ts";
import { Authority } from "../support/certificates.ts";
import { folder } from "../support/commands.ts";
import { curl, field, ran } from "../support/curl.ts";
import { Understudy, wireSubjects } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";

const CLIENT = "/usr/bin/gtlsclient";
const NAME = "a.example";
const skip = existsSync(CLIENT) ? false : "needs gtlsclient";

for (const subject of wireSubjects.filter(({ name }) => name !== "deno")) {
  describe(`HTTP/3 (${subject.name})`, { skip }, () => {
    let authority: Authority;
    let upstream: StreamUpstream;
    let proxy: Understudy;
    let port: number;
    const at = (name: string): string => join(authority.folder, name);

    before(async () => {
      authority = await Authority.open();
      upstream = await StreamUpstream.open();
      port = await freePort();
      const pair = authority.issue(`DNS:${NAME}`);
      await writeFile(at("pair.pem"), pair.chain);
      await writeFile(at("pair.key"), pair.key);
      proxy = await Understudy.start(
        subject,
        `
listen: [{ address: "127.0.0.1:${port}", protocols: [h1, h2, h3] }]
admin: off
tls: { cert: "${at("pair.pem")}", key: "${at("pair.key")}" }
routes:
  - host: ${NAME}
    upstreams: ["${upstream.url}"]
`,
        { engine: "wire" },
      );
    });

    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await upstream?.[Symbol.asyncDispose]();
      await authority?.[Symbol.asyncDispose]();
    });

    /** Asks so many times at once, on one connection. */
    async function ask(path: string, ...flags: string[]) {
      await using files = await folder();
      const { stderr } = await ran(CLIENT, [
        ...["--no-quic-dump", "--exit-on-all-streams-close", `--sni=${NAME}`],
        ...[`--download=${files.path}`, ...flags],
        ...["127.0.0.1", String(port), `https://${NAME}${path}`],
      ]);
      const [name = ""] = await readdir(files.path);
      return {
        statuses: [...stderr.matchAll(/\[:status: (\d+)\]/g)].map(([, status]) => Number(status)),
        // 256 is H3_NO_ERROR.
        whole: [...stderr.matchAll(/HTTP stream [0-9a-f]+ closed with error code 256\n/g)].length,
        body: await readFile(join(files.path, name), "utf8").catch(() => ""),
      };
    }

    it("is told of over TCP, and answers", async () => {
      const told = await curl(`https://${NAME}/x`, { ca: at("ca.pem"), port });
      assert.equal(field(told, "alt-svc"), `h3=":${port}"; ma=86400`);
      const { whole, statuses, body } = await ask("/x");
      assert.deepEqual([whole, statuses, body], [1, [200], "raw"]);
      const { head } = upstream.calls.at(-1) ?? assert.fail();
      assert.match(head, /^GET \/x HTTP\/1\.1\r\nHost: a\.example\r\n/i);
      assert.match(head, /\r\nX-Forwarded-For: 127\.0\.0\.1\r\nX-Forwarded-Proto: https\r\n/i);
    });

    it("passes streams on, fifty at once", async () => {
      const { body } = await ask("/ticks?every=20&count=30");
      assert.equal(body.trim().split("\n").length, 30);
      const { whole, statuses } = await ask("/ticks?every=20&count=30", "-n", "50");
      assert.deepEqual([whole, statuses.length, new Set(statuses)], [50, 50, new Set([200])]);
    });

    it("takes uploads whole", async () => {
      await writeFile(at("upload"), "upload ".repeat(400_000));
      const { whole, statuses } = await ask("/sink", "-m", "POST", "-d", at("upload"));
      assert.deepEqual([whole, statuses], [1, [200]]);
      assert.match(upstream.calls.at(-1)?.head ?? "", /^POST \/sink /);
    });

    it("never shows an answer as whole that broke off", async () => {
      const began = upstream.calls.length;
      const asking = ask("/ticks?every=20&count=1000", "--timeout=1s");
      await upstream.until(() => upstream.calls.length > began);
      upstream.calls.at(-1)?.socket.resetAndDestroy();
      const { whole, statuses } = await asking;
      assert.deepEqual([whole, statuses], [0, [200]]);
    });

    it("goes on with a new certificate", async () => {
      const pair = authority.issue(`DNS:${NAME}`);
      const before = proxy.lines.length;
      for (const [name, text] of [["pair.key", pair.key], ["pair.pem", pair.chain]] as const) {
        await writeFile(at(`${name}.new`), text);
        await rename(at(`${name}.new`), at(name));
      }
      await proxy.until(() =>
        proxy.lines.slice(before).some(({ msg }) => msg === "certificate.reloaded")
      );
      const { whole, statuses } = await ask("/x");
      assert.deepEqual([whole, statuses], [1, [200]]);
      const told = await curl(`https://${NAME}/x`, { ca: at("ca.pem"), port });
      assert.equal(field(told, "alt-svc"), `h3=":${port}"; ma=86400`);
    });
  });
}
