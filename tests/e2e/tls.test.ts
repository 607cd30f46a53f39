/**
 * HTTPS as its clients know it, on real processes with certificates from files: curl and openssl decide
 * whether it is good, over HTTP/1.1 and HTTP/2.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { rename, writeFile } from "node:fs/promises";
import { get, request } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";
import { Authority, type Pair } from "../support/certificates.ts";
import { curl, type Curled, field, handshake } from "../support/curl.ts";
import { Understudy, wireSubjects } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { Echo } from "../support/websockets.ts";

const VERSIONS = ["1.1", "2"] as const;

for (const subject of wireSubjects) {
  describe(`https (${subject.name})`, () => {
    let authority: Authority;
    let folder: string;
    let upstream: StreamUpstream;
    let sockets: Echo;
    let proxy: Understudy;
    let plainPort: number;
    let pair: Pair;
    const at = (name: string) => join(folder, name);

    before(async () => {
      authority = await Authority.open();
      upstream = await StreamUpstream.open();
      sockets = await Echo.start();
      pair = authority.issue("DNS:a.example", "DNS:*.a.example", "IP:127.0.0.1");
      const client = authority.issue("DNS:client");
      folder = authority.folder;
      await writeFile(at("pair.pem"), pair.chain);
      await writeFile(at("pair.key"), pair.key);
      await writeFile(at("client.pem"), client.chain);
      await writeFile(at("client.key"), client.key);
      proxy = await Understudy.start(
        subject,
        `
listen: ["127.0.0.1:0", { address: "localhost:0", tls: off }]
tls:
  cert: ${at("pair.pem")}
  key: ${at("pair.key")}
  hsts: 180d
admin: off
routes:
  - host: a.example
    upstreams: ["${upstream.url}"]
  - host: ws.a.example
    upstreams: ["${sockets.url}"]
  - host: safe.a.example
    tls: { client_auth: { ca: ${at("ca.pem")} } }
    upstreams:
      - url: ${upstream.url}
        headers: { X-Client: "{tls_client_subject}" }
  - host: plain.a.example
    tls: off
    upstreams: ["${upstream.url}"]
`,
        { engine: "wire" },
      );
      const started = proxy.lines.find(({ msg }) => msg === "proxy.started");
      const [, plain] = started?.["listening"] as string[] | undefined ?? [];
      plainPort = Number(new URL(plain ?? "").port);
    });

    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await upstream?.[Symbol.asyncDispose]();
      await sockets?.[Symbol.asyncDispose]();
      await authority?.[Symbol.asyncDispose]();
    });

    function ask(url: string, ...args: string[]): Promise<Curled> {
      const port = url.startsWith("https:") ? proxy.port : plainPort;
      return curl(url, { ca: at("ca.pem"), port, args });
    }

    for (const version of VERSIONS) {
      it(`is good by the certificate of its name, over HTTP/${version}`, async () => {
        const answer = await ask("https://a.example/x?y", `--http${version}`);
        assert.deepEqual([answer.code, answer.status, answer.version], [0, 200, version]);
        assert.equal(answer.body.toString(), "raw");
        assert.match(upstream.calls.at(-1)?.head ?? "", /^GET \/x\?y HTTP\/1\.1\r\n/);
        assert.equal(field(answer, "strict-transport-security"), "max-age=15552000");
        const { head } = upstream.calls.at(-1) ?? assert.fail();
        assert.match(head, /\r\nX-Forwarded-Proto: https\r\n/i);
        assert.match(head, /\r\nHost: a\.example\r\n/i);
      });

      it(`passes chunks on as they come, over HTTP/${version}`, async () => {
        const answer = await ask("https://a.example/ticks?every=20&count=30", `--http${version}`);
        assert.deepEqual([answer.code, answer.status], [0, 200]);
        assert.equal(answer.body.toString().trim().split("\n").length, 30);
      });

      it(`shows that an answer broke off, over HTTP/${version}`, async () => {
        const began = upstream.calls.length;
        const asking = ask("https://a.example/ticks?every=20&count=1000", `--http${version}`);
        await upstream.until(() => upstream.calls.length > began);
        upstream.calls.at(-1)?.socket.resetAndDestroy();
        const { code } = await asking;
        // 18: fewer bytes than announced or no last chunk; 56: broken connection; 92: stream reset.
        assert.ok(code === 18 || code === 56 || code === 92, `curl ended with ${code}`);
      });

      it(`leaves the upstream when the client leaves, over HTTP/${version}`, async () => {
        const target = `/hang?left=${version}`;
        const asking = ask(`https://a.example${target}`, `--http${version}`, "--max-time", "0.5");
        assert.equal((await asking).code, 28);
        const left = performance.now();
        await upstream.until(() => upstream.closedAt.has(target));
        assert.ok((upstream.closedAt.get(target) ?? Infinity) - left < 500);
      });

      it(`takes uploads whole, over HTTP/${version}`, async () => {
        const file = at("upload.bin");
        await writeFile(file, Buffer.alloc(3_000_000, "upload "));
        const answer = await ask(
          "https://a.example/sink",
          ...[`--http${version}`, "--data-binary", `@${file}`, "-H", "Expect:"],
        );
        assert.deepEqual([answer.code, answer.status], [0, 200]);
      });

      it(`asks clients of a host for a certificate, over HTTP/${version}`, async () => {
        const flag = `--http${version}`;
        const shown = ["--cert", at("client.pem"), "--key", at("client.key")];
        const known = await ask("https://safe.a.example/", flag, ...shown);
        assert.deepEqual([known.code, known.status], [0, 200]);
        assert.match(upstream.calls.at(-1)?.head ?? "", /\r\nX-Client: CN=issued-1(\r\n|$)/i);
        const stranger = await ask("https://safe.a.example/", flag);
        assert.deepEqual([stranger.code, stranger.status], [0, 403]);
        const smuggler = await ask(
          "https://a.example/",
          flag,
          "-H",
          "Host: safe.a.example",
          ...shown,
        );
        assert.deepEqual([smuggler.code, smuggler.status], [0, 421]);
      });
    }

    it("sends requests in the clear on, but for a route that is in the clear", async () => {
      const answer = await ask("http://a.example/x?y");
      assert.equal(answer.status, 308);
      assert.equal(field(answer, "location"), `https://a.example:${proxy.port}/x?y`);
      assert.equal(field(answer, "strict-transport-security"), undefined);
      assert.equal((await ask("http://plain.a.example/")).status, 200);
    });

    it("sends on who speaks in the clear to a port with TLS", async () => {
      const answer = await curl(`http://a.example:${proxy.port}/x`, { port: proxy.port });
      assert.equal(answer.status, 308);
      assert.equal(field(answer, "location"), `https://a.example:${proxy.port}/x`);
    });

    it("answers on connections that are kept", async () => {
      const url = "https://a.example/kept";
      for (const version of VERSIONS) {
        const answer = await ask(
          url,
          `--http${version}`,
          url,
          url,
          "--write-out",
          "%{num_connects}",
        );
        assert.equal(answer.code, 0);
      }
    });

    it("tunnels WebSockets", async () => {
      const socket = new WebSocket(`wss://ws.a.example:${proxy.port}/`, {
        ca: authority.certificate,
        lookup: (_host, _options, callback) =>
          callback(null, [{ address: "127.0.0.1", family: 4 }], 4),
      });
      const said = Promise.withResolvers<string>();
      socket.on("error", said.reject);
      socket.on("message", (data) => said.resolve((data as Buffer).toString()));
      socket.on("open", () => socket.send("hello through TLS"));
      assert.match(await said.promise, /hello through TLS/);
      socket.close();
    });

    it("speaks no version before TLS 1.2", async () => {
      for (const flag of ["-tls1", "-tls1_1"]) {
        const { said } = await handshake(proxy.port, [flag, "-cipher", "ALL:@SECLEVEL=0"]);
        // Deno hangs up without the alert.
        assert.match(said, /alert|unsupported protocol|no protocols available|unexpected eof/i);
        assert.match(said, /Cipher is \(NONE\)/, flag);
        assert.match(said, /Cipher is \(NONE\)/, flag);
      }
      for (const flag of ["-tls1_2", "-tls1_3"]) {
        const { said } = await handshake(proxy.port, [flag, "-servername", "a.example"]);
        assert.match(said, /New, TLSv1\.[23], Cipher is (TLS_|ECDHE-)/, flag);
      }
    });

    it("speaks no cipher without forward secrecy and authenticated encryption", async () => {
      const weak = [
        ...["AES128-SHA", "AES256-SHA", "AES128-GCM-SHA256", "AES256-SHA256"],
        ...["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "DES-CBC3-SHA"],
        ...["NULL", "aNULL", "RC4", "EXPORT", "PSK", "CAMELLIA", "ARIA"],
      ];
      for (const cipher of weak) {
        const { said } = await handshake(proxy.port, [
          ...["-tls1_2", "-servername", "a.example", "-cipher", `${cipher}:@SECLEVEL=0`],
        ]);
        assert.doesNotMatch(said, /New, TLS/, cipher);
      }
      for (const cipher of ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"]) {
        const args = ["-tls1_2", "-servername", "a.example", "-cipher", cipher];
        const { said } = await handshake(proxy.port, args);
        assert.match(said, new RegExp(`New, TLSv1.2, Cipher is ${cipher}`));
      }
    });

    it("compresses nothing, renegotiates with nobody, and staples nothing false", async () => {
      const args = ["-tls1_2", "-servername", "a.example", "-status", "-CAfile", at("ca.pem")];
      const { said } = await handshake(proxy.port, args);
      assert.match(said, /Compression: NONE/);
      assert.match(said, /OCSP response: no response sent/);
      assert.match(said, /Verify return code: 0 \(ok\)/);
      const again = await handshake(proxy.port, [...args.slice(0, 3)], "R\n");
      assert.doesNotMatch(again.said, /verify return:1[\s\S]*RENEGOTIATING[\s\S]*verify return:1/);
    });

    it("shows the chain in its order, the certificate first", async () => {
      const inner = authority.under("Inner authority");
      const leaf = inner.issue("DNS:a.example");
      await swap(`${leaf.chain}${inner.certificate}`, leaf.key);
      const args = ["-servername", "a.example", "-showcerts", "-CAfile", at("ca.pem")];
      const { said } = await handshake(proxy.port, args);
      const chain = [...said.matchAll(/^ *(\d) s:(.*)$/gm)].map(([, depth, name]) =>
        `${depth} ${name?.replace(/^.*CN ?= ?/, "")}`
      );
      assert.deepEqual(chain, ["0 issued-inner-0", "1 Inner authority"]);
      assert.match(said, /Verify return code: 0 \(ok\)/);
      await swap(pair.chain, pair.key);
    });

    it("takes up a session where it was left", async () => {
      for (const flag of ["-tls1_2", "-tls1_3"]) {
        const session = at(`session${flag}`);
        const args = ["-servername", "a.example", flag, "-ign_eof"];
        const head = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
        await handshake(proxy.port, [...args, "-sess_out", session], head);
        const next = await handshake(proxy.port, [...args, "-sess_in", session], head);
        assert.match(next.said, /Reused, TLSv1/);
        assert.match(next.said, /HTTP\/1\.1 200 OK/);
      }
    });

    it("refuses a certificate that cannot be used, and shows the old one on", async () => {
      const before = proxy.lines.length;
      await writeFile(at("pair.pem.new"), authority.issue("DNS:a.example").chain);
      await rename(at("pair.pem.new"), at("pair.pem"));
      await proxy.until(() =>
        proxy.lines.slice(before).some(({ msg }) => msg === "certificate.refused")
      );
      assert.equal((await ask("https://a.example/")).status, 200);
      await swap(pair.chain, pair.key);
    });

    it("swaps certificates under running streams and kept connections, losing none", async () => {
      const { Agent } = await import("node:https");
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const options = {
        ...{ port: proxy.port, host: "127.0.0.1", servername: "a.example", agent },
        ...{ ca: authority.certificate, headers: { Host: "a.example" } },
      };
      const shown = () =>
        new Promise<string>((resolve, reject) => {
          const asking = request({ ...options, path: "/", method: "GET" }, (response) => {
            const socket = response.socket as import("node:tls").TLSSocket;
            const serial = socket.getPeerCertificate().serialNumber;
            response.resume().on("end", () => resolve(serial));
          });
          asking.on("error", reject);
          asking.end();
        });
      const first = await shown();
      const streams = Array.from({ length: 100 }, () => streamed(options.port));
      const next = authority.issue("DNS:a.example");
      await swap(next.chain, next.key);
      if (subject.name === "bun") assert.equal(await shown(), first, "the connection was kept");
      const { said } = await handshake(proxy.port, ["-servername", "a.example"]);
      assert.match(said, /subject=CN ?= ?issued-\d+/);
      const counts = await Promise.all(streams);
      assert.deepEqual(counts.filter((count) => count !== 50), []);
      agent.destroy();
      await swap(pair.chain, pair.key);
    });

    /** Lines of a stream of a second and a half. */
    function streamed(port: number): Promise<number> {
      return new Promise((resolve, reject) => {
        const options = {
          ...{ port, host: "127.0.0.1", servername: "a.example", agent: false as const },
          ...{ ca: authority.certificate, headers: { Host: "a.example" } },
        };
        const asking = get({ ...options, path: "/ticks?every=30&count=50" }, (response) => {
          let text = "";
          response.on("data", (bytes) => text += bytes);
          response.on("end", () => resolve(text.trim().split("\n").length));
          response.on("error", reject);
        });
        asking.on("error", reject);
      });
    }

    /** Puts a pair in the place of what is there, and waits until it is shown. */
    async function swap(chain: string, key: string): Promise<void> {
      const before = proxy.lines.length;
      await writeFile(at("pair.pem.new"), chain);
      await writeFile(at("pair.key.new"), key);
      await rename(at("pair.pem.new"), at("pair.pem"));
      await rename(at("pair.key.new"), at("pair.key"));
      await proxy.until(() =>
        proxy.lines.slice(before).some(({ msg }) => msg === "certificate.reloaded")
      );
    }
  });
}
