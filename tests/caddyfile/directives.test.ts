/** Directives that answer, edit and hold others: the steps they become, and what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { at, readingOf, stepsOf } from "./reading.ts";

const HASH = "$2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG";

describe("directives", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["respond 204", [{ respond: 204 }]],
    ['respond "hi {host}"', [{ respond: "hi {hostname}" }]],
    ["respond hi 201", [{ respond: { status: 201, body: "hi" } }]],
    ["respond {err.status_code}", [{ respond: "{error_status}" }]],
    ["respond hi {err.status_code}", [{ respond: { status: "{error_status}", body: "hi" } }]],
    ["respond 403 {\n close\n}", [{ respond: { status: 403, close: true } }]],
    ["respond {\n body hi\n}", [{ respond: "hi" }]],
    ["respond <<E\n  a\n  b\n  E", [{ respond: "a\nb" }]],
    ["respond /x hi", [{ match: { path: "/x" }, respond: "hi" }]],
    ['respond "/x" hi', [{ match: { path: "/x" }, respond: "hi" }]],
    ["respond * hi", [{ respond: "hi" }]],
    ["redir /new", [["Caddyfile:2:1 redir: Expected at least one argument but received none"]]],
    ["redir * /new", [{ redirect: "/new" }]],
    ["redir https://{host}{uri} permanent", [{
      redirect: { to: "https://{hostname}{uri}", status: 301 },
    }]],
    ["redir /a /b 308", [{ match: { path: "/a" }, redirect: { to: "/b", status: 308 } }]],
    ["error 404", [{ error: 404 }]],
    ["error gone 410", [{ error: { status: 410, message: "gone" } }]],
    ["error oops", [{ error: { status: 500, message: "oops" } }]],
    ["error 404 {\n message none\n}", [{ error: { status: 404, message: "none" } }]],
    ["rewrite /new", [{ rewrite: { uri: "/new" } }]],
    ["rewrite * /new{uri}", [{ rewrite: { uri: "/new{uri}" } }]],
    ["rewrite /a /b", [{ match: { path: "/a" }, rewrite: { uri: "/b" } }]],
    [
      "rewrite /a /b\nrewrite /longer /c",
      [{
        first_of: [
          { match: { path: "/longer" }, steps: [{ rewrite: { uri: "/c" } }] },
          { match: { path: "/a" }, steps: [{ rewrite: { uri: "/b" } }] },
        ],
      }],
    ],
    ["method POST", [{ rewrite: { method: "POST" } }]],
    ["uri strip_prefix /api", [{ rewrite: { strip_prefix: "/api" } }]],
    ["uri /x strip_suffix .html", [{ match: { path: "/x" }, rewrite: { strip_suffix: ".html" } }]],
    ["uri replace a b 1", [{ rewrite: { replace: [{ search: "a", with: "b", max: 1 }] } }]],
    ["uri path_regexp /+ /", [{ rewrite: { replace: [{ search_regexp: "/+", with: "/" }] } }]],
    ["vars a {method}", [{ vars: { a: "{method}" } }]],
    ["vars {\n a 1\n b 2\n}", [{ vars: { a: "1", b: "2" } }]],
    [
      "vars /a x 1\nvars x 2",
      [{ vars: { x: "2" } }, { match: { path: "/a" }, vars: { x: "1" } }],
    ],
    ["header X-A b", [{ headers: { response: { set: { "X-A": "b" } } } }]],
    ["header -Server", [{ headers: { response: { remove: ["Server"] } } }]],
    ["header +X-A b", [{ headers: { response: { add: { "X-A": ["b"] } } } }]],
    ["header ?X-A b", [{ headers: { response: { default: { "X-A": "b" } } } }]],
    ["header >X-A b", [{ headers: { response: { set: { "X-A": "b" } } } }]],
    [
      "header X-A ^b$ c",
      [{ headers: { response: { replace: { "X-A": [{ search: "^b$", with: "c" }] } } } }],
    ],
    [
      "header {\n X-A b\n +X-B c\n +X-B d\n -X-C*\n defer\n}",
      [
        { headers: { response: { add: { "X-B": ["c", "d"] } } } },
        { headers: { response: { set: { "X-A": "b" } } } },
        { headers: { response: { remove: ["X-C*"] } } },
      ],
    ],
    ["request_header X-A {client_ip}", [{
      headers: { request: { set: { "X-A": "{client_ip}" } } },
    }]],
    ["request_header -X-A", [{ headers: { request: { remove: ["X-A"] } } }]],
    ["encode gzip", [{ encode: ["gzip"] }]],
    ["encode", [{ encode: ["zstd", "gzip"] }]],
    [
      "encode {\n zstd\n gzip 5\n minimum_length 1024\n}",
      [{ encode: { minimum_length: "1024B", formats: ["zstd", "gzip"] } }],
    ],
    [`basic_auth {\n bob ${HASH}\n}`, [{ basic_auth: { users: { bob: HASH } } }]],
    [
      `basicauth /s bcrypt Home {\n bob ${HASH}\n}`,
      [{ match: { path: "/s" }, basic_auth: { realm: "Home", users: { bob: HASH } } }],
    ],
    ["request_body {\n max_size 10MB\n}", [{ limits: { request_body: "10MB" } }]],
    ["log_skip /health", [{ match: { path: "/health" }, access_log: "off" }]],
    ["skip_log", [{ access_log: "off" }]],
    ["log", [{ respond: 200 }]],
    ["log {\n output discard\n}", [{ access_log: "off" }]],
    ["handle {\n respond a\n}", [{ respond: "a" }]],
    [
      "handle /a {\n respond a\n redir /b /c\n}",
      [{
        match: { path: "/a" },
        steps: [{ match: { path: "/b" }, redirect: "/c" }, { respond: "a" }],
      }],
    ],
    [
      "handle {\n respond b\n}\nhandle_path /a/* {\n respond a\n}",
      [{
        first_of: [
          {
            match: { path: "/a/*" },
            steps: [{ rewrite: { strip_prefix: "/a" } }, { respond: "a" }],
          },
          { steps: [{ respond: "b" }] },
        ],
      }],
    ],
    ["route {\n respond a\n redir /b /c\n}", [{ respond: "a" }]],
    [
      "route {\n handle /a {\n  respond a\n }\n handle {\n  respond b\n }\n}",
      [{ match: { path: "/a" }, respond: "a" }, { respond: "b" }],
    ],
    ["respond hi\nheader X-A b", [{ headers: { response: { set: { "X-A": "b" } } } }, {
      respond: "hi",
    }]],
  ];
  for (const [body, expected] of cases) {
    it(`are steps: ${body.replaceAll("\n", " ")}`, async () => {
      const steps = await stepsOf(body);
      const isRefused = Array.isArray(expected) && Array.isArray(expected[0]);
      assert.deepEqual(steps, isRefused ? expected[0] : expected);
    });
  }

  const refusals: readonly (readonly [string, string])[] = [
    [
      "redir * /x html",
      "2:12 redir.html: Cannot take this over as there is no page that redirects; use the code temporary",
    ],
    [
      "redir * /x 200",
      "2:12 redir.status: Cannot take this over as redirects have a status from 300 to 399; use respond with that status",
    ],
    [
      "abort",
      "2:1 abort: Cannot take this over as a request is always answered; use `respond 403 { close }`",
    ],
    [
      "encode br",
      "2:8 encode.format: Cannot take this over as gzip and zstd are the formats there are; use gzip or zstd",
    ],
    ["respond a b c", '2:13 respond: Expected at most 2 arguments but received "c"'],
    [
      "respond {nope}",
      '2:9 respond: Cannot take the placeholder "{nope}" over here as it has no counterpart',
    ],
    [
      "respond a {\n bodi x\n}",
      '3:2 respond: Expected an option of respond but received "bodi" (did you mean "body"?)',
    ],
    [
      "respond a 99",
      '2:11 respond: Expected a status from 200 to 599, or a placeholder such as "{error_status}", but received 99',
    ],
    [
      "uri query a b",
      "2:5 uri.query: Cannot take this over as single parameters of a query cannot be edited; use rewrite with a whole query",
    ],
    [
      "uri frob",
      '2:5 uri: Expected strip_prefix, strip_suffix, replace or path_regexp but received "frob"',
    ],
    ["header", "2:1 header: Expected a header field but received none"],
    ["header -X y", '2:11 header: Expected no argument but received "y"'],
    [
      "header X ( y",
      '2:10 header: Expected a regular expression that JavaScript knows as well (it is no regular expression) but received "("',
    ],
    [
      "request_header ?X y",
      '2:16 request_header: Expected "+", "-" or a field alone but received "?"',
    ],
    [
      "basic_auth scrypt {\n}",
      "2:12 basic_auth.algorithm: Cannot take this over as bcrypt is the only hash it knows; use bcrypt",
    ],
    [
      "basic_auth",
      "2:1 basic_auth: Expected at least one user and a bcrypt hash but received none",
    ],
    [
      "request_body {\n max_size ten\n}",
      '3:11 request_body.max_size: Expected a size such as "10MB" but received "ten"',
    ],
    ["handle_path @x {\n}", '2:13 handle_path: Expected a path such as "/api/*" but received "@x"'],
    ["invoke x", '2:8 invoke: Expected a named route but received "x"'],
    [
      "log {\n output file x.log\n}",
      "3:9 log.output.file: Cannot take this over as logs go to standard output; use what starts it to write them to a file",
    ],
    [
      "file_server",
      "2:1 file_server: Cannot take this over as this is a proxy, and serves no files; use reverse_proxy to a server of files",
    ],
    [
      "php_fastcgi unix//x",
      "2:1 php_fastcgi: Cannot take this over as it does not speak FastCGI; use reverse_proxy to a server that speaks HTTP",
    ],
    [
      "handle_errors x {\n}",
      '2:15 handle_errors: Expected a status such as 404 or "5xx" but received "x"',
    ],
  ];
  for (const [body, expected] of refusals) {
    it(`are refused: ${body.replaceAll("\n", " ")}`, async () => {
      const { problems } = await readingOf(`:8080 {\n${body}\n}\n`);
      assert.deepEqual(problems, [`Caddyfile:${expected}`]);
    });
  }

  it("are left out where they are never reached, and the table says so", async () => {
    const { tree, problems, imported } = await readingOf(":80 {\nrespond a\nreverse_proxy b\n}");
    assert.deepEqual(problems, []);
    assert.deepEqual(at(tree, "routes", 0, "steps"), [{ respond: "a" }]);
    const left = imported.taken.filter(({ note }) => note.includes("never reached"));
    assert.deepEqual(left.map(({ line, where, setting }) => [line, where, setting]), [
      [3, "reverse_proxy", ""],
    ]);
  });

  it("become error steps in handle_errors, with the matchers of the site", async () => {
    const { tree, problems } = await readingOf(`:80 {
  @a path /a
  handle_errors 404 5xx {
    respond @a "{err.status_code}"
  }
  handle_errors {
    respond other
  }
}`);
    assert.deepEqual(problems, []);
    assert.deepEqual(at(tree, "routes", 0, "errors"), [
      {
        status: [404, "5xx"],
        steps: [{
          match: { path: "/a" },
          respond: "{error_status}",
        }],
      },
      { steps: [{ respond: "other" }] },
    ]);
  });

  it("stand in Caddy's order, whatever theirs is", async () => {
    const body = [
      "respond x",
      "encode gzip",
      "handle /h {\n respond h\n}",
      "uri strip_prefix /a",
      "method GET",
      "redir /r /s",
      "header A b",
      "vars a b",
      "request_header C d",
      "rewrite /w /v",
      "error /e 404",
    ];
    const inOrder = await stepsOf(body.join("\n"));
    assert.deepEqual(await stepsOf(body.toReversed().join("\n")), inOrder);
    const actions = Array.isArray(inOrder)
      ? inOrder.map((step: object) => Object.keys(step).filter((key) => key !== "match").join())
      : [];
    assert.deepEqual(actions, [
      "vars",
      "headers",
      "redirect",
      "rewrite",
      "rewrite",
      "rewrite",
      "headers",
      "encode",
      "respond",
      "error",
      "respond",
    ]);
  });

  it("stand in the order that the option order gives them", async () => {
    const { tree } = await readingOf(
      "{\n order respond first\n}\n:80 {\n vars a b\n respond /x x\n}",
    );
    assert.deepEqual(at(tree, "routes", 0, "steps"), [{ match: { path: "/x" }, respond: "x" }, {
      vars: { a: "b" },
    }]);
  });
});

describe("global options", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["grace_period 10s", { grace_period: "10s" }],
    ["debug", { log: { level: "debug" } }],
    ["log {\n level ERROR\n format console\n output stdout\n}", {
      log: { level: "error", format: "text" },
    }],
    ["log default {\n output discard\n}", { log: { format: "off" } }],
    ["servers {\n trusted_proxies static private_ranges 1.2.3.0/24\n}", {
      trusted_proxies: ["private_ranges", "1.2.3.0/24"],
    }],
    ["servers {\n protocols h1 h2\n client_ip_headers X-Forwarded-For\n}", {}],
    ["admin off\npersist_config off", { admin: "off" }],
    ["admin localhost:2019", { admin: "localhost:2019" }],
    ["admin localhost:2019 {\n origins ops.example https://x:1\n enforce_origin\n}", {
      admin: {
        listen: "localhost:2019",
        origins: ["http://ops.example", "https://ops.example", "https://x:1"],
      },
    }],
    ["admin {\n origins http://a\n}", { admin: { origins: ["http://a"] } }],
    ["metrics", {}],
    // Of TLS there is nothing to say where nobody speaks it.
    ["email a@b.c\nauto_https off\nstorage file_system x\ndefault_sni a", {}],
  ];
  for (const [options, expected] of cases) {
    it(`take ${options.replaceAll("\n", " ")}`, async () => {
      const { tree, problems } = await readingOf(`{\n${options}\n}\n:8080 {\n}\n`);
      assert.deepEqual(problems, []);
      const whole = typeof tree === "object" && tree !== null ? tree : {};
      const own = Object.entries(whole).filter(([key]) => key !== "listen" && key !== "routes");
      assert.deepEqual(Object.fromEntries(own), expected);
    });
  }

  const refusals: readonly (readonly [string, RegExp])[] = [
    [
      "admin unix//run/caddy.sock",
      /global\.admin\.network: Cannot take this over as it listens on TCP alone; use a host and a port/,
    ],
    ["admin :2019", /global\.admin: Expected a token, as others than this machine can ask there/],
    ["storage redis", /global\.storage\.module: Cannot take this over/],
    ["auto_https prefer_wildcard", /global\.auto_https\.other/],
    ["http_port x", /global\.http_port: Expected a whole number but received "x"/],
    ["order nope first", /global\.order: Expected a known directive but received "nope"/],
    ["servers :80 {\n}", /global\.servers\.address/],
    [
      "servers {\n timeouts {\n  read_body 1s\n }\n}",
      /global\.servers\.timeouts: Cannot take this over as the time limits/,
    ],
    ["servers {\n protocols h2\n}", /global\.servers\.protocols\.other/],
    ["servers {\n trusted_proxies cloudflare\n}", /trusted_proxies\.source/],
    ["log {\n output file x\n}", /global\.log\.output\.file/],
    ["nope", /Expected an option of global but received "nope"/],
  ];
  for (const [options, expected] of refusals) {
    it(`refuse ${options.replaceAll("\n", " ")}`, async () => {
      const { problems } = await readingOf(`{\n${options}\n}\n:8080 {\n}\n`);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", expected);
    });
  }
});
