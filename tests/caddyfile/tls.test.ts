/** Caddyfiles with TLS: the configuration that each becomes, and what that comes to. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Config, ListenRules } from "../../src/rules.ts";
import { SITE_CASES, type TlsCase } from "./cases_tls.ts";
import { GLOBAL_CASES, HANDSHAKE_CASES, SOURCE_CASES } from "./cases_tls_options.ts";
import { at, readingOf } from "./reading.ts";

const GROUPS: Readonly<Record<string, readonly TlsCase[]>> = {
  "addresses of sites": SITE_CASES,
  "where certificates come from": SOURCE_CASES,
  "handshakes": HANDSHAKE_CASES,
  "global options": GLOBAL_CASES,
};

const ENVIRONMENT = { env: { UP: "0123456789" } };

/** What of a route is not about its steps. */
function headOf(route: unknown): unknown {
  return Object.fromEntries(
    ["host", "path", "port", "tls"].flatMap((key) => {
      const value = at(route, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

for (const [group, cases] of Object.entries(GROUPS)) {
  describe(`importCaddyfile() of TLS, ${group}`, () => {
    for (const one of cases) {
      it(`${"routes" in one ? "takes over" : "refuses"} ${one.title}`, async () => {
        const { tree, problems } = await readingOf(one.text, ENVIRONMENT);
        const told = problems.map((problem) => problem.replace(/^Caddyfile:/, ""));
        if (!("routes" in one)) return assert.deepEqual(told, one.problems);
        assert.deepEqual(told, []);
        const routes = at(tree, "routes");
        assert.deepEqual(
          {
            listen: at(tree, "listen"),
            tls: at(tree, "tls"),
            routes: Array.isArray(routes) ? routes.map(headOf) : routes,
          },
          { listen: one.listen, tls: one.tls, routes: one.routes },
        );
      });
    }
  });
}

/** ":443 tls", ":80 helper". */
function spelled({ address, tls, written }: ListenRules): string {
  const place = address.kind === "tcp" ? `${address.host}:${address.port}` : address.path;
  return `${place} ${tls ? "tls" : written ? "plain" : "helper"}`;
}

function certificatesOf({ tls }: Config): readonly string[] {
  return (tls?.certificates ?? []).map(({ names, source }) => {
    const from = source.kind === "acme"
      ? source.issuers.map(({ directory }) => new URL(directory).host).join("+")
      : source.kind;
    return `${names.join(",") || "any"} ${from}`;
  });
}

async function configOf(text: string): Promise<Config> {
  const { config, problems } = await readingOf(text, ENVIRONMENT);
  return config ?? assert.fail(problems.join("\n"));
}

describe("a Caddyfile with TLS", () => {
  const listeners: readonly (readonly [string, string, readonly string[]])[] = [
    ["sends on from port 80 by itself", "a.example.com {\n}", [":443 tls", ":80 helper"]],
    [
      "does not with disable_redirects, where no proof needs the port",
      "{\n auto_https disable_redirects\n}\na.lan {\n}",
      [":443 tls"],
    ],
    [
      "sends on from the port for HTTP, and from the usual one where that is free",
      "{\n http_port 8080\n}\na.lan {\n}",
      [":443 tls", ":8080 plain", ":80 helper"],
    ],
    [
      "listens in the clear where a site wants it",
      "a.lan {\n}\n:8080 {\n}",
      [":443 tls", ":8080 plain", ":80 plain"],
    ],
  ];
  for (const [title, text, expected] of listeners) {
    it(title, async () => {
      assert.deepEqual((await configOf(text)).listen.map(spelled), expected);
    });
  }

  const certificates: readonly (readonly [string, string, readonly string[]])[] = [
    [
      "asks for public names on the Internet and for private ones here",
      "a.example.com, gpu.lan, box {\n}",
      ["a.example.com acme-v02.api.letsencrypt.org", "gpu.lan internal", "box internal"],
    ],
    ["asks for none in the clear", "http://a.example.com, b.lan {\n}", ["b.lan internal"]],
    [
      "asks once for a name on two ports",
      "a.lan, a.lan:8443 {\n}\nb.lan:8443 {\n}",
      ["a.lan internal", "b.lan internal"],
    ],
    [
      "asks for a wildcard alone where others are below it",
      "*.example.com, b.example.com {\n tls {\n  dns desec 0123456789\n }\n}\na.example.com {\n}",
      ["*.example.com acme-v02.api.letsencrypt.org"],
    ],
    [
      "asks for names of their own where they insist",
      "{\n local_certs\n}\na.example.com {\n tls force_automate\n}",
      ["a.example.com internal"],
    ],
    [
      "shows files for the hosts of their site, whatever they are for",
      "a.example.com {\n tls c.pem c.key\n}",
      ["a.example.com files"],
    ],
    ["shows files for any host", ":443 {\n tls c.pem c.key\n}", ["any files"]],
  ];
  for (const [title, text, expected] of certificates) {
    it(title, async () => {
      assert.deepEqual(certificatesOf(await configOf(text)), expected);
    });
  }

  it("answers in the clear what it is to answer there, and nothing else", async () => {
    const { routes } = await configOf(
      "http://a.lan, https://a.lan {\n}\nb.lan {\n}\nhttp://c.lan {\n}",
    );
    assert.deepEqual(routes.map(({ hosts, tls }) => [...hosts, tls.inTheClear]), [
      ["a.lan", "answer"],
      ["b.lan", "redirect"],
      ["c.lan", "answer"],
    ]);
  });

  it("makes certificates on demand for any host where it says so, and else for private ones", async () => {
    const names = async (text: string) => (await configOf(text)).tls?.onDemand.names;
    assert.equal(await names(":443 {\n tls internal\n}"), "any");
    assert.equal(await names(":443 {\n}"), "private");
    assert.equal(await names("a.lan {\n}"), "none");
  });
});
