/** What `init` asks, what it sees, and that what it writes is a good configuration. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../../src/cli/command.ts";
import { init } from "../../src/cli/init.ts";
import { configText, type Wishes } from "../../src/cli/init_config.ts";
import { format } from "../../src/config/format.ts";
import { poolsOf } from "../../src/steps.ts";
import { config } from "../support/config_text.ts";
import { ranIn, type Scene } from "../support/fake_admin.ts";

const OLLAMA = { "GET http://gpu:11434/": () => new Response("Ollama is running") };
const FLAGS = ["--yes", "--upstream", "http://gpu:11434", "--upstream", "http://slow:11434"];

async function written(words: readonly string[], scene: Scene = {}): Promise<string> {
  const { code, files, stderr } = await ranIn(init, words, scene);
  assert.deepEqual([code, stderr], [0, ""]);
  const text = files["config.yaml"] ?? assert.fail();
  assert.deepEqual(format(text, "config.yaml"), { kind: "formatted", text });
  return text;
}

async function poolIn(text: string) {
  const [pool] = poolsOf((await config(text)).routes);
  return pool ?? assert.fail();
}

describe("configText()", () => {
  const plain: Wishes = {
    host: "*",
    listen: ":8080",
    upstreams: [{ url: "http://a:1", remark: undefined }],
    health: undefined,
  };
  const cases: [string, Partial<Wishes>][] = [
    ["nothing but an upstream", {}],
    ["a name", { host: "ollama.example.com" }],
    ["an odd name", { host: "*.example.com" }],
    ["an address of IPv6", { listen: "[::1]:8080" }],
    ["probes", { health: { uri: "/", status: ["200"] } }],
    ["probes with a query", { health: { uri: "/health?a=%23b", status: ["2xx", "4xx"] } }],
    ["remarks", { upstreams: [{ url: "http://[::1]:1", remark: "Ollama\nhere" }] }],
  ];
  for (const [title, changes] of cases) {
    it(`is a good and formatted configuration with ${title}`, async () => {
      const wishes = { ...plain, ...changes };
      const text = configText(wishes);
      assert.deepEqual(format(text, ""), { kind: "formatted", text });
      const { routes: [route] } = await config(text);
      assert.deepEqual(route?.hosts, [wishes.host]);
      assert.equal((await poolIn(text)).health?.uri, wishes.health?.uri);
    });
  }
});

describe("init", () => {
  it("writes what flags say, and probes an Ollama as one", async () => {
    const text = await written([...FLAGS, "--host", "ollama.test", "--listen", "127.0.0.1:8080"], {
      answers: OLLAMA,
    });
    assert.match(text, /- http:\/\/gpu:11434 # Ollama\n/);
    const pool = await poolIn(text);
    assert.deepEqual(pool.upstreams.map(({ name }) => name), ["gpu:11434", "slow:11434"]);
    assert.deepEqual([pool.health?.uri, pool.health?.status], ["/", [{ from: 200, to: 200 }]]);
  });

  const looks: [string, Record<string, () => Response>, string, string][] = [
    ["answers", { "GET http://gpu:11434/": () => new Response("hello") }, "/", "[2xx]"],
    [
      "has a place for it",
      {
        "GET http://gpu:11434/": () => new Response("", { status: 404 }),
        "GET http://gpu:11434/health": () => new Response(""),
      },
      "/health",
      "[2xx]",
    ],
    [
      "answers errors alone",
      {
        "GET http://gpu:11434/": () => new Response("", { status: 401 }),
        "GET http://gpu:11434/health": () => new Response("", { status: 401 }),
        "GET http://gpu:11434/healthz": () => new Response("", { status: 401 }),
      },
      "/",
      "[2xx, 3xx, 4xx]",
    ],
    ["does not answer", {}, "/", "[2xx, 3xx, 4xx]"],
  ];
  for (const [title, answers, uri, status] of looks) {
    it(`probes a machine that ${title} at ${uri} for ${status}`, async () => {
      const text = await written(["--yes", "--upstream", "http://gpu:11434"], { answers });
      const expected = await poolIn(configText({
        host: "*",
        listen: ":8080",
        upstreams: [{ url: "http://gpu:11434", remark: undefined }],
        health: { uri, status: status.slice(1, -1).split(", ") },
      }));
      assert.deepEqual((await poolIn(text)).health, expected.health);
    });
  }

  it("asks for what no flag says, and again for what is no good", async () => {
    const { code, stdout, files } = await ranIn(init, ["--host", "a.test"], {
      columns: 80,
      lines: ["ftp://x", "http://gpu:11434", "", ":99999", ":9090", ""],
      answers: OLLAMA,
    });
    assert.equal(code, 0);
    assert.match(stdout, /prefer.*: ftp:\/\/x\n {2}routes\[0\]\.upstreams.*Expected an upstream/);
    assert.match(stdout, /http:\/\/gpu:11434 {2}Ollama, and it answers\n/);
    assert.match(stdout, /listen.*Expected an address/);
    assert.match(stdout, /What to probe them at \(off: nothing\) \[\/\]: \n/);
    assert.match(stdout, /Wrote config\.yaml\. Try it: understudy run\n$/);
    const { listen, routes } = await config(files["config.yaml"] ?? "");
    assert.deepEqual(listen[0]?.address, { kind: "tcp", host: "", port: 9090 });
    assert.deepEqual(routes[0]?.hosts, ["a.test"]);
  });

  it("probes nothing when told so", async () => {
    assert.equal((await poolIn(await written([...FLAGS, "--health", "off"]))).health, undefined);
  });

  it("never writes over a file unless forced to", async () => {
    const files = { "config.yaml": "mine" };
    const kept = await ranIn(init, FLAGS, { files });
    assert.deepEqual(
      [kept.code, kept.files, kept.stderr],
      [1, files, '"config.yaml" is there already; --force writes over it\n'],
    );
    assert.match(await written([...FLAGS, "--force"], { files }), /^# understudy sends/);
  });

  it("prints the file and nothing else when asked to", async () => {
    const { stdout, files } = await ranIn(init, [...FLAGS, "-o", "-"]);
    assert.deepEqual(files, {});
    assert.equal((await poolIn(stdout)).upstreams.length, 2);
  });

  const wrong: [string, string[], RegExp][] = [
    [
      "there is nobody to ask",
      [],
      /^Expected at least one --upstream URL, as there is no terminal/,
    ],
    ["an upstream is none", ["--yes", "--upstream", "ftp://x"], /upstreams.*Expected an upstream/],
    ["a host is none", [...FLAGS, "--host", "a b"], /host.*Expected/],
  ];
  for (const [title, words, message] of wrong) {
    it(`refuses when ${title}`, async () => {
      await assert.rejects(ranIn(init, words), (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
