/** Snippets, imported files, and what a Caddyfile as a whole may look like. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path/posix";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { supportOf } from "../../src/caddyfile/support_table.ts";
import { CADDYFILE } from "./generator.ts";
import { at, readingOf } from "./reading.ts";

const ANSWER = { listen: ":8080", routes: [{ steps: [{ respond: "hi" }] }] };

describe("importCaddyfile()", () => {
  const trees: readonly (readonly [string, string, unknown, Readonly<Record<string, string>>?])[] =
    [
      ["takes one site without braces", ":8080\nrespond hi\n", ANSWER],
      ["takes a snippet", "(a) {\n respond hi\n}\n:8080 {\n import a\n}\n", ANSWER],
      [
        "hands arguments to a snippet",
        "(a) {\n respond {args[0]}\n}\n:8080 {\n import a hi\n}",
        ANSWER,
      ],
      [
        "hands them on in the old form",
        "(a) {\n respond {args.0}\n}\n:8080 {\n import a hi\n}",
        ANSWER,
      ],
      [
        "hands all arguments on",
        "(a) {\n respond {args[:]}\n}\n:8080 {\n import a hi 201\n}",
        { listen: ":8080", routes: [{ steps: [{ respond: { status: 201, body: "hi" } }] }] },
      ],
      ["hands a block on", "(a) {\n {block}\n}\n:8080 {\n import a {\n  respond hi\n }\n}", ANSWER],
      ["imports a file", ":8080 {\n import sub/x\n}", ANSWER, { "sub/x": "respond hi" }],
      ["imports sites from a file", "import sites/*.conf", ANSWER, {
        "sites/a.conf": ":8080 {\n respond hi\n}",
        "sites/b.txt": "nonsense",
        "sites/.conf": "nonsense",
      }],
      ["imports beside the importing file", "import sub/x", ANSWER, {
        "sub/x": "import y",
        "sub/y": ":8080\nrespond hi",
      }],
      [
        "takes nothing for a pattern that finds nothing",
        ":8080 {\n import no/*\n respond hi\n}",
        ANSWER,
      ],
      [
        "takes bare directives for one site",
        "respond hi",
        { routes: [{ steps: [{ respond: "hi" }] }] },
      ],
      [
        "takes hosts that bare directives ask for as those of the route",
        "@a host a.example.com b.example.com\nhandle @a {\n respond hi\n}",
        { routes: [{ host: ["a.example.com", "b.example.com"], steps: [{ respond: "hi" }] }] },
      ],
      [
        "keeps such a matcher within a site, which answers other hosts too",
        ":8080 {\n @a host a.example.com\n handle @a {\n  respond hi\n }\n}",
        {
          listen: ":8080",
          routes: [{ steps: [{ match: { host: "a.example.com" }, respond: "hi" }] }],
        },
      ],
      ["answers for an empty site", ":8080 {\n}", {
        listen: ":8080",
        routes: [{ steps: [{ respond: 200 }] }],
      }],
      [
        "leaves out what comes behind branches that answer everything",
        ":8080 {\n handle {\n  respond hi\n }\n handle {\n  respond no\n }\n respond /x no\n}",
        {
          listen: ":8080",
          routes: [{ steps: [{ first_of: [{ steps: [{ respond: "hi" }] }] }] }],
        },
      ],
      [
        "invokes a named route",
        "&(r) {\n respond hi\n}\n:8080 {\n invoke r\n}",
        ANSWER,
      ],
    ];
  for (const [title, text, expected, files] of trees) {
    it(title, async () => {
      const { tree, problems } = await readingOf(text, files && { files });
      assert.deepEqual(problems, []);
      assert.deepEqual(tree, expected);
    });
  }

  const refusals:
    readonly (readonly [string, string, string, Readonly<Record<string, string>>?])[] = [
      ["no site", "# nothing", "Caddyfile:1:1 : Expected at least one site but received none"],
      [
        "a snippet that imports itself",
        "(a) {\n import a\n}\n:80 {\n import a\n}",
        'Caddyfile:2:9 import: Expected an import of something else but "a" imports itself',
      ],
      [
        "a file that imports itself",
        ":80 {\n import x\n}",
        'x:1:8 import: Expected an import of something else but "x" imports itself',
        { x: "import x" },
      ],
      [
        "a file that is not there",
        ":80 {\n import x\n}",
        'Caddyfile:2:9 import: Expected a snippet or a file but received "x": Cannot read "x": no such file',
      ],
      [
        "two stars",
        ":80 {\n import */*\n}",
        'Caddyfile:2:9 import: Expected a pattern with one "*" but received "*/*"',
      ],
      [
        "a missing argument",
        "(a) {\n respond {args[1]}\n}\n:80 {\n import a x\n}",
        "Caddyfile:2:10 import: Expected an argument for {args[1]} but received none",
      ],
      [
        "parts of a block",
        "(a) {\n {blocks.x}\n}\n:80 {\n import a x\n}",
        "Caddyfile:2:2 import.blocks: Cannot take this over as only a whole {block} can be handed to a snippet; use {block}, or a snippet for each part",
      ],
      [
        "a snippet twice",
        "(a) {\n}\n(a) {\n}\n:80 {\n}",
        'Caddyfile:3:1 : Expected each snippet once but received "a" again',
      ],
      [
        "options that are not at the top",
        ":80 {\n}\n{\n debug\n}",
        "Caddyfile:3:1 : Expected global options before everything else, and an address here",
      ],
      [
        "a directive between sites",
        ":80 {\n}\nrespond hi",
        'Caddyfile:3:1 : Expected the directive "respond" within the braces of a site',
      ],
      [
        "words behind a brace",
        ":80 { respond hi\n}",
        'Caddyfile:1:5 : Expected the "{" of a block to end its line',
      ],
      [
        "a brace that nothing closes",
        ":80 {\n",
        'Caddyfile:1:5 : Expected a "}" for this "{" but the file ends before it',
      ],
      [
        "a brace too many",
        ":80 {\n}\n}",
        'Caddyfile:3:1 : Expected an opening "{" before this "}" but received none',
      ],
      [
        "an unknown directive",
        ":80 {\n respnd hi\n}",
        'Caddyfile:2:2 : Expected a known directive but received "respnd" (did you mean "respond"?)',
      ],
      [
        "a route that invokes itself",
        "&(r) {\n invoke r\n}\n:80 {\n invoke r\n}",
        'Caddyfile:2:9 invoke: Expected a route that does not invoke itself but received "r"',
      ],
      [
        "what the schema refuses, at its place",
        ":80 {\n respond hi\n}\n:80 {\n}",
        'Caddyfile:4:1 : Expected a host and path of its own but received "*/", which routes[0] answers already',
      ],
    ];
  for (const [title, text, expected, files] of refusals) {
    it(`refuses ${title}`, async () => {
      const { problems } = await readingOf(text, files && { files });
      assert.deepEqual(problems.slice(0, 1), [expected]);
    });
  }

  it("bounds snippets that import each other", async () => {
    const snippets = Array.from(
      { length: 18 },
      (_, depth) => `(s${depth + 1}) {\n import s${depth}\n import s${depth}\n}`,
    );
    const text = `(s0) {\n respond hi\n}\n${snippets.join("\n")}\n:80 {\n import s18\n}\n`;
    const { problems } = await readingOf(text);
    assert.match(problems[0] ?? "", /Expected at most 20000 lines, imports counted/);
  });

  it("tells of all problems in the order of the files", async () => {
    const { problems } = await readingOf(":80 {\n nope\n import x\n nope2\n}", {
      files: { x: "nope3" },
    });
    assert.deepEqual(problems.map((problem) => problem.split(" ")[0]), [
      "Caddyfile:2:2",
      "Caddyfile:4:2",
      "x:1:1",
    ]);
  });

  it("shows no value of the environment", async () => {
    const { problems } = await readingOf(":80 {\n {$TOKEN} hi\n}", { env: { TOKEN: "hush-hush" } });
    assert.deepEqual(problems, [
      'Caddyfile:2:2 : Expected a known directive but received "{$TOKEN}"',
    ]);
  });

  it("refuses a text that is far too long", async () => {
    const { problems } = await readingOf("#".repeat(4_000_001));
    assert.deepEqual(problems[0], "Caddyfile:1:1 : Expected a file of at most 4 MB");
  });

  it("takes a long word in quotes", async () => {
    const { problems } = await readingOf(`:80 {\n respond "${'\\\\a\\"'.repeat(100_000)}"\n}`);
    assert.deepEqual(problems, []);
  });

  it("takes or refuses what is left of a file when some of it is lost", async () => {
    const cut = fc.tuple(
      fc.nat(),
      fc.nat(12),
      fc.constantFrom("", "{", "}", "@m", "\n", '"', "{x}"),
    );
    await fc.assert(
      fc.asyncProperty(
        CADDYFILE,
        fc.array(cut, { minLength: 1, maxLength: 4 }),
        async (text, cuts) => {
          const broken = cuts.reduce((whole, [from, length, put]) => {
            const start = from % (whole.length + 1);
            return `${whole.slice(0, start)}${put}${whole.slice(start + length)}`;
          }, text);
          const { config, problems } = await readingOf(broken);
          assert.equal(config === undefined, problems.length > 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("names every file it was made of", async () => {
    const { imported } = await readingOf("import x\nimport x", { files: { x: "(a) {\n}\n" } });
    assert.deepEqual(imported.files, ["Caddyfile", "x"]);
  });

  it("tells what became of each line", async () => {
    const { imported } = await readingOf(":80 {\n respond hi\n encode gzip\n}");
    assert.deepEqual(
      imported.taken.map(({ line, where, setting, verdict }) => [line, where, setting, verdict]),
      [[2, "respond", "respond", "same"], [3, "encode", "encode", "same"]],
    );
  });
});

describe("two machines that serve models, one of them preferred", () => {
  const body = `@ollama host ollama.example.com
handle @ollama {
reverse_proxy {
to http://192.168.1.5:11434 http://192.168.1.6:11434
health_uri /
health_interval 10s
health_timeout 2s
health_status 200
fail_duration 30s
lb_policy first
}
}
`;

  it("are a file without any address", async () => {
    const { tree, problems } = await readingOf(body);
    assert.deepEqual(problems, []);
    assert.equal(at(tree, "listen"), undefined);
    assert.equal(at(tree, "routes", 0, "host"), "ollama.example.com");
    assert.deepEqual(at(tree, "routes", 0, "upstreams"), [
      "http://192.168.1.5:11434",
      "http://192.168.1.6:11434",
    ]);
    assert.deepEqual(at(tree, "routes", 0, "health"), {
      uri: "/",
      interval: "10s",
      timeout: "2s",
      status: 200,
    });
    assert.deepEqual(at(tree, "routes", 0, "passive"), { fail_duration: "30s" });
    assert.equal(at(tree, "routes", 0, "policy"), "first");
  });

  it("are the body of a site", async () => {
    const alone = await readingOf(body);
    const { tree, problems } = await readingOf(`:80 {\n${body}}\n`);
    assert.deepEqual(problems, []);
    assert.deepEqual(at(tree, "routes", 0, "steps", 0, "match"), { host: "ollama.example.com" });
    assert.deepEqual(
      at(tree, "routes", 0, "steps", 0, "proxy", "upstreams"),
      at(alone.tree, "routes", 0, "upstreams"),
    );
  });
});

describe("the table of support", () => {
  it("has all that is taken over", async () => {
    await fc.assert(
      fc.asyncProperty(CADDYFILE, async (text) => {
        const { imported } = await readingOf(text);
        for (const { where } of imported.taken) assert.ok(supportOf(where) !== undefined, where);
      }),
      { numRuns: 50 },
    );
  });

  it("has the reason of all that is refused", async () => {
    const folder = fileURLToPath(new URL("../../src/caddyfile", import.meta.url));
    const names = (await readdir(folder)).filter((name) => name.endsWith(".ts"));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
    const refused = texts.flatMap((text) =>
      [...text.matchAll(/(?:context|scope)\.refuse\([\w.?[\]]+, "([^"]+)"/g)].map(([, name = ""]) =>
        name
      )
    );
    assert.ok(refused.length > 10);
    assert.deepEqual(refused.filter((name) => supportOf(name)?.verdict !== "refused"), []);
  });
});

describe("sites", () => {
  const off = "{\n auto_https off\n}\n";
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ["http://a {\n}", ":80", [{ host: "a" }]],
    ["http://a, http://b {\n}", ":80", [{ host: ["a", "b"] }]],
    ["http://a,\nhttp://b {\n}", ":80", [{ host: ["a", "b"] }]],
    ["http://a, http://b:81 {\n}", [":80", ":81"], [{ host: "a", port: 80 }, {
      host: "b",
      port: 81,
    }]],
    ["http://a, http://a:81 {\n}", [":80", ":81"], [{ host: "a" }]],
    [":80 {\n}\n:81 {\n}", [":80", ":81"], [{ port: 80 }, { port: 81 }]],
    ["http://*.a.com {\n}", ":80", [{ host: "*.a.com" }]],
    ["http://a, http:// {\n}", ":80", [{ host: ["a", "*"] }]],
    ["http://[::1]:81 {\n}", ":81", [{ host: "[::1]" }]],
    ["a:80 {\n}", ":80", [{ host: "a" }]],
    [`${off}:8443 {\n}`, ":8443", [{}]],
    [`${off}a:80 {\n}`, ":80", [{ host: "a" }]],
    ["{\n http_port 8000\n}\nhttp://a {\n}", ":8000", [{ host: "a" }]],
    [":80 {\n bind 127.0.0.1 ::1\n}", ["127.0.0.1:80", "[::1]:80"], [{}]],
    ["{\n default_bind 127.0.0.1\n}\n:80 {\n}", "127.0.0.1:80", [{}]],
    ["http://a/x/* {\n}", ":80", [{ host: "a", path: "/x" }]],
  ];
  for (const [text, listen, routes] of cases) {
    it(`listen and route for ${text.replaceAll("\n", " ")}`, async () => {
      const { tree, problems } = await readingOf(text);
      assert.deepEqual(problems, []);
      assert.deepEqual(at(tree, "listen"), listen);
      const found = at(tree, "routes");
      const bare = Array.isArray(found)
        ? found.map((route: unknown) =>
          Object.fromEntries(
            ["host", "path", "port"].flatMap((key) => {
              const value = at(route, key);
              return value === undefined ? [] : [[key, value]];
            }),
          )
        )
        : found;
      assert.deepEqual(bare, routes);
    });
  }

  const refusals: readonly (readonly [string, RegExp])[] = [
    [
      `${off}a {\n}`,
      /^Caddyfile:4:1 : Cannot serve this site with TLS as auto_https off leaves it without a certificate; use "tls CERT KEY" within it, or "http:\/\/a"$/,
    ],
    ["http://a:443 {\n}", /Expected a port that goes with http:\/\/ but received 443/],
    [":80 {\n bind 1.2.3.4\n}\nhttp://b {\n}", /sites on port 80 listen on different addresses/],
    [":80 {\n bind unix//run/x\n}", /bind\.unix: Cannot take this over as clients are only/],
    [
      ":80 {\n handle {\n  bind 1.2.3.4\n }\n}",
      /^Caddyfile:3:3 bind: Expected this at the top of a site/,
    ],
  ];
  for (const [text, expected] of refusals) {
    it(`refuse ${text.replaceAll("\n", " ")}`, async () => {
      const { problems } = await readingOf(text);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", expected);
    });
  }
});
