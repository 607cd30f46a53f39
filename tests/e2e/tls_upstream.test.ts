/** An `https://` upstream: asked over TLS, and only when its certificate proves its name. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { StandIn, subjects, Understudy } from "../support/processes.ts";

const UPSTREAM_ANSWER = "over TLS";

for (const subject of subjects) {
  describe(`an https upstream (${subject.name})`, () => {
    let folder: string;
    let port: number;
    let server: ReturnType<typeof createServer>;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "understudy-tls-"));
      const subjectName = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      execFileSync("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        ...["-nodes", "-days", "2", "-keyout", "key.pem", "-out", "cert.pem"],
        ...subjectName,
      ], { cwd: folder, stdio: "ignore" });
      server = createServer({
        key: readFileSync(join(folder, "key.pem")),
        cert: readFileSync(join(folder, "cert.pem")),
      }, (request, response) => response.end(`${UPSTREAM_ANSWER} ${request.headers.host}`));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      port = typeof address === "object" && address !== null ? address.port : 0;
    });

    after(async () => {
      server.close();
      await rm(folder, { recursive: true, force: true });
    });

    function configFor(...upstreams: string[]): string {
      return JSON.stringify({ listen: "127.0.0.1:0", routes: [{ upstreams }] });
    }

    it("answers over TLS, asked by its own host, when its certificate is trusted", {
      skip: subject.name === "deno"
        ? "Deno takes no further roots from the environment here"
        : false,
    }, async () => {
      const trust = join(folder, "cert.pem");
      await using proxy = await Understudy.start(
        subject,
        configFor(`https://localhost:${port}`),
        { env: { NODE_EXTRA_CA_CERTS: trust } },
      );
      for (let round = 0; round < 3; round++) {
        const response = await fetch(`${proxy.url}/`, { method: round === 1 ? "POST" : "GET" });
        assert.equal(await response.text(), `${UPSTREAM_ANSWER} localhost:${port}`);
      }
    });

    it("loses a POST to the next one, unsent, when its certificate is not trusted", async () => {
      await using spare = await StandIn.start("spare");
      await using proxy = await Understudy.start(
        subject,
        configFor(`https://localhost:${port}`, spare.url),
      );
      const response = await fetch(`${proxy.url}/api/generate`, {
        method: "POST",
        body: JSON.stringify({ model: "llama3.2", prompt: "hi", stream: false }),
      });
      assert.equal(response.headers.get("x-answered-by"), "spare");
      await response.text();
      const line = await proxy.line(({ msg }) => msg === "handled request");
      assert.match(JSON.stringify(line["failures"]), /tls \(not sent\)/);
    });
  });
}
