/** A Caddyfile as `run`, `validate` and `adapt` take it, from the outside. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { folder, run } from "../support/commands.ts";
import { subjects } from "../support/processes.ts";

const GOOD = `# one machine
http://127.0.0.1:18080 {
	import part.conf
	reverse_proxy 127.0.0.1:9
}
`;

for (const subject of subjects) {
  describe(`understudy (${subject.name}) takes a Caddyfile`, () => {
    it("and prints it as YAML that is good itself", { timeout: 20_000 }, async () => {
      await using at = await folder({ Caddyfile: GOOD, "part.conf": "respond /hi hello\n" });
      const adapted = await run(subject, ["adapt"], { cwd: at.path });
      assert.deepEqual([adapted.code, adapted.stderr], [0, ""]);
      assert.match(adapted.stdout, /^listen: :18080\nroutes:\n {2}# one machine\n {2}- host: /);
      await writeFile(join(at.path, "config.yaml"), adapted.stdout);
      const checked = await run(subject, ["validate"], { cwd: at.path });
      assert.deepEqual(checked.stdout, "config.yaml is good: 1 route, 1 upstream\n");
    });

    it("and tells of each line what it becomes", { timeout: 20_000 }, async () => {
      await using at = await folder({ Caddyfile: GOOD, "part.conf": "respond /hi hello\n" });
      const { code, stdout } = await run(subject, ["validate", "Caddyfile"], { cwd: at.path });
      assert.equal(code, 0);
      assert.match(stdout, /^4 +reverse_proxy +\S+ +better +\S/m);
      assert.match(stdout, /^part\.conf:1 +respond +respond +same$/m);
      assert.match(stdout, /\n\nCaddyfile is good: 1 route, 1 upstream\n$/);
    });

    it("and tells of TLS what it becomes, which may be nothing", { timeout: 20_000 }, async () => {
      const text = "{\n\temail me@example.com\n}\ngpu.lan, ollama.example.com {\n\ttls {\n" +
        "\t\tprotocols tls1.2 tls1.3\n\t\tkey_type p384\n\t}\n\treverse_proxy 127.0.0.1:9\n}\n";
      await using at = await folder({ Caddyfile: text });
      const adapted = await run(subject, ["adapt"], { cwd: at.path });
      assert.deepEqual([adapted.code, adapted.stderr], [0, ""]);
      assert.match(
        adapted.stdout,
        /^listen: :443\ntls:\n {2}acme:\n {4}email: me@example\.com\nroutes:\n/,
      );
      assert.match(
        adapted.stdout,
        /\n {4}tls:\n {6}issuer: auto\n {6}acme:\n {8}key_type: p384\n {4}upstreams:/,
      );
      const { code, stdout } = await run(subject, ["validate", "Caddyfile"], { cwd: at.path });
      assert.equal(code, 0);
      assert.match(stdout, /^2 +global\.email +tls\.acme\.email +same$/m);
      assert.match(stdout, /^5 +tls +routes\[\]\.tls +same$/m);
      assert.match(stdout, /^6 +tls\.protocols +– +same +`tls1\.2`, which it is anyway/m);
    });

    it("and says with its place what it cannot take over", { timeout: 20_000 }, async () => {
      const text = `${GOOD}example.com {\n\tfile_server\n}\n`;
      await using at = await folder({ Caddyfile: text, "part.conf": "tls a.pem a.key\n" });
      for (const words of [["adapt"], ["validate", "Caddyfile"], ["run", "-c", "Caddyfile"]]) {
        const { code, stdout, stderr } = await run(subject, words, { cwd: at.path });
        assert.deepEqual([code, stdout], [1, ""]);
        assert.deepEqual(stderr.trimEnd().split("\n").map((line) => line.split(": ")[0]), [
          "Caddyfile:7:2 file_server",
          "part.conf:1:1 tls.in the clear",
        ]);
      }
    });
  });
}
