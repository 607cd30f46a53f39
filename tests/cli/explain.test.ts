/** What `explain` prints, with and without an understudy to ask. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../../src/cli/command.ts";
import { explain } from "../../src/cli/explain.ts";
import { NOW, pairStatus } from "../support/admin_status.ts";
import { certificateStatus } from "../support/fake_status.ts";
import { json, ranIn, type Scene } from "../support/fake_admin.ts";

const CONFIG = `
listen: ":8080"
routes:
  - upstreams: [{ url: http://192.168.1.5:11434, name: gpu }, { url: http://b:2, name: slow }]
    health: { uri: / }
`;

async function told(words: readonly string[], scene: Scene = {}): Promise<string[]> {
  const files = { "config.yaml": CONFIG, ...scene.files };
  const { stdout, stderr } = await ranIn(explain, words, { ...scene, files });
  assert.equal(stderr, "");
  return stdout.trimEnd().split("\n");
}

describe("explain", () => {
  it("tells all of it from the file alone", async () => {
    assert.deepEqual(await told(["http://ollama.test/api/tags?x=1", "--offline"]), [
      "GET http://ollama.test/api/tags?x=1",
      "Route        */  (any host, any path; config.yaml)",
      "Steps        ✓ forwards to gpu, slow",
      "Upstream     gpu  the preferred one",
      "             asked for GET /api/tags?x=1 at http://192.168.1.5:11434, Host ollama.test",
      "State        not known: not asked for",
      "If it fails  before it saw the request   slow, by any method",
      "             after it was sent           slow (repeated: GET, HEAD, OPTIONS, PUT, DELETE)",
      "             amid its answer             the client sees the connection cut",
      "             with a body over 1 MiB      502 once that much was sent on",
      "             in the end                  502, 504 when it was late, 503 when none could be asked",
      "Timeouts     to connect 3s; to the answer's head unlimited; silence amid it unlimited",
      "             after 10s without an answer it is probed beside",
    ]);
  });

  it("goes by the state of those that run", async () => {
    const status = pairStatus({
      phase: "down",
      reason: "refused the connection",
      available: false,
      since: NOW - 60_000,
    });
    const lines = await told(["/", "--method", "POST"], {
      answers: { "GET /api/status": json(status) },
    });
    assert.deepEqual(lines.slice(3, 7), [
      "Upstream     slow  the first of those that can be asked; up for 1h 2m (answered 200)",
      "             asked for POST / at http://b:2, Host localhost",
      "Passed by    gpu  down for 1m: refused the connection",
      "If it fails  before it saw the request   nowhere, by any method",
    ]);
    assert.match(lines[7] ?? "", /after it was sent +502: this may not be sent twice/);
    assert.ok(!lines.some((line) => line.startsWith("State")));
  });

  it("says why it does not know the state", async () => {
    const lines = await told(["/"]);
    assert.ok(lines.includes("State        not known: Nothing answers at http://127.0.0.1:2020"));
  });

  it("tells of steps, answers and error steps", async () => {
    const files = {
      "config.yaml": `
routes:
  - host: a.test
    steps:
      - { match: { path: /old }, redirect: "/new{uri}" }
      - { match: { header: { X-Key: "1" } }, respond: 204 }
      - error: 403
    errors: [{ steps: [{ respond: "no" }] }]
`,
    };
    assert.deepEqual(await told(["a.test/old", "--offline"], { files }), [
      "GET http://a.test/old",
      "Route        a.test/  (host a.test, any path; config.yaml)",
      "Steps        ✓ where path is /old: redirects to /new{uri} (302)",
      "Answer       302 Found, from the configuration",
      "             Location: /new/old",
    ]);
    assert.match(
      (await told(["a.test", "-H", "X-Key: 1", "--offline"], { files })).join("\n"),
      /204 No Content/,
    );
    assert.deepEqual((await told(["a.test", "--offline"], { files })).slice(2), [
      "Steps        – where path is /old: redirects to /new{uri} (302)",
      "             – where header X-Key is 1: answers 204",
      "             ✓ ends with error 403",
      "Answer       403 Forbidden, empty",
      "On error     403 Forbidden: the route's error steps answer it",
    ]);
    assert.deepEqual((await told(["b.test", "--offline"], { files })).slice(1), [
      "Route        none",
      "Answer       404 Not Found, empty",
    ]);
  });

  const TLS = `
listen: [":443", { address: ":8080", tls: off }]
tls: { certificates: [{ hosts: "*.a.test", issuer: internal }] }
routes:
  - { host: [x.a.test, y.a.test], upstreams: [http://b:2] }
  - { host: gpu.lan, port: 8080, tls: { redirect: false }, upstreams: [http://b:2] }
`;
  const secured: [string, string, string[]][] = [
    ["the certificate that is shown", "https://x.a.test/", [
      "Certificate  for *.a.test, signed by the authority here",
    ]],
    ["where a request in the clear is sent on to", "http://x.a.test/y?z", [
      "Sent on      to https://x.a.test/y?z (308); there:",
      "Certificate  for *.a.test, signed by the authority here",
    ]],
    ["that no certificate is shown", "https://z.b.test/", [
      "Certificate  none is shown: the handshake fails",
    ]],
    ["that TLS is not spoken on that port", "https://gpu.lan:8080/", [
      "Certificate  none is shown: the handshake fails",
    ]],
    ["nothing of TLS where there is none", "http://gpu.lan:8080/", []],
  ];
  for (const [title, url, expected] of secured) {
    it(`tells ${title}`, async () => {
      const lines = await told([url, "--offline"], { files: { "config.yaml": TLS } });
      assert.deepEqual(lines.filter((line) => /^(?:Sent on|Certificate)/.test(line)), expected);
    });
  }

  it("tells how the certificate stands where one runs, also to programs", async () => {
    const known = certificateStatus(NOW, { names: ["*.a.test"], source: "internal" });
    const scene = {
      files: { "config.yaml": TLS },
      answers: { "GET /api/status": json({ ...pairStatus(), certificates: [known] }) },
    };
    const lines = await told(["https://x.a.test/"], scene);
    assert.equal(
      lines[1],
      "Certificate  for *.a.test, signed by the authority here; good for 60d",
    );
    const data = async (url: string) => JSON.parse((await told([url, "--json"], scene))[0] ?? "");
    const { certificate, sentOn } = await data("http://x.a.test/");
    assert.deepEqual(certificate, { kind: "held", names: ["*.a.test"], source: "internal" });
    assert.equal(sentOn, "https://x.a.test/");
    assert.equal((await data("https://z.b.test/")).certificate, null);
  });

  it("exits with 1 when no certificate is shown", async () => {
    const scene = { files: { "config.yaml": TLS } };
    const codeFor = async (url: string) => (await ranIn(explain, [url, "--offline"], scene)).code;
    assert.deepEqual([await codeFor("https://x.a.test"), await codeFor("https://z.b.test")], [
      0,
      1,
    ]);
  });

  const codes: [string, string[], number][] = [
    ["an upstream answers", ["/"], 0],
    ["nobody does", ["a b"], 1],
  ];
  for (const [title, words, expected] of codes) {
    it(`exits with ${expected} when ${title}`, async () => {
      const { code } = await ranIn(explain, [...words, "--offline"], {
        files: { "config.yaml": CONFIG },
      });
      assert.equal(code, expected);
    });
  }

  it("keeps the path as it is written, and prints data for programs", async () => {
    const [text = ""] = await told(["http://x:8080//a/../b", "--offline", "--json"]);
    const data = JSON.parse(text);
    assert.deepEqual([data.asked, data.live], ["http://x:8080//a/../b", false]);
    assert.equal(data.end.order.asked.target, "//a/../b");
  });

  for (const words of [[], ["/", "--method", "a b"], ["/", "--header", "x"]]) {
    it(`refuses ${JSON.stringify(words)}`, async () => {
      await assert.rejects(
        ranIn(explain, words, { files: { "config.yaml": CONFIG } }),
        UsageError,
      );
    });
  }
});
