/** Which route a host and a path lead to, also when they are spelled to mislead. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { buildRouter, cleanPath, isUnder, normalHost } from "../../src/request/route.ts";
import { route } from "../support/fake_route.ts";

function routerOf(...routes: readonly (readonly [string, string[], string[]])[]) {
  return buildRouter(routes.map(([id, hosts, paths]) => route({ id, hosts, paths })));
}

describe("normalHost()", () => {
  const cases: [string | undefined, string | undefined][] = [
    ["example.com", "example.com"],
    ["EXAMPLE.com:8080", "example.com"],
    ["example.com.", "example.com"],
    ["example.com.:80", "example.com"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["my_host", "my_host"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[::1]", "[::1]"],
    ["[2001:DB8::1]:443", "[2001:db8::1]"],
    [undefined, undefined],
    ["", undefined],
    [" example.com", undefined],
    ["a b", undefined],
    ["a, b", undefined],
    ["a/b", undefined],
    ["a?b", undefined],
    ["a#b", undefined],
    ["a\\b", undefined],
    ["user@example.com", undefined],
    ["u:p@example.com", undefined],
    ["example.com:80:80", undefined],
    ["example.com:port", undefined],
    ["example.com:999999", undefined],
    ["::1", undefined],
    ["[::1", undefined],
    ["[::1]x", undefined],
    [".example.com", undefined],
    ["-example.com", undefined],
    ["bücher.example", undefined],
    ["a\r\nX: y", undefined],
    ["a".repeat(300), undefined],
  ];
  for (const [field, expected] of cases) {
    it(`gives ${expected} when the field is ${JSON.stringify(field)?.slice(0, 40)}`, () => {
      assert.equal(normalHost(field), expected);
    });
  }

  it("never throws, and gives nothing that could end a URL's authority", () => {
    fc.assert(fc.property(fc.string(), (field) => {
      const host = normalHost(field);
      if (host !== undefined) assert.match(host, /^[a-z\d_.:[\]-]+$/);
    }));
  });
});

describe("isUnder()", () => {
  const cases: [string, string, boolean][] = [
    ["/api", "/api", true],
    ["/api/x", "/api", true],
    ["/apix", "/api", false],
    ["/api", "/api/", false],
    ["/api/x", "/api/", true],
    ["/x", "/", true],
    ["/", "/", true],
    ["*", "/", false],
  ];
  for (const [path, prefix, expected] of cases) {
    it(`says ${expected} for ${path} under ${prefix}`, () => {
      assert.equal(isUnder(path, prefix), expected);
    });
  }
});

describe("cleanPath()", () => {
  const cases: [string, string][] = [
    ["/a/b", "/a/b"],
    ["/a//b", "/a/b"],
    ["//a", "/a"],
    ["/public/../admin", "/admin"],
    ["/public/%2e%2e/admin", "/admin"],
    ["/public/%2E./admin", "/admin"],
    ["/public%2f..%2fadmin", "/admin"],
    ["/public/./x", "/public/x"],
    ["/../../x", "/x"],
    ["/a/..", "/"],
    ["/%61dmin", "/admin"],
    ["/caf%C3%A9", "/café"],
    ["/a/", "/a/"],
    ["/a//", "/a/"],
    ["/", "/"],
    // What cannot be decoded must not keep the rest from being decoded.
    ["/public/%2e%2e/admin/%ff", "/admin/%ff"],
    ["/public/%2e%2e/admin/%zz", "/admin/%zz"],
    ["/public/%2e%2e/%61dmin%", "/admin%"],
    ["/.hidden", "/.hidden"],
    ["/a/...", "/a/..."],
  ];
  for (const [path, expected] of cases) {
    it(`reads ${path} as ${expected}`, () => assert.equal(cleanPath(path), expected));
  }
});

describe("buildRouter()", () => {
  const router = routerOf(
    ["any", ["*"], ["/"]],
    ["wild", ["*.example.com"], ["/"]],
    ["exact", ["a.example.com"], ["/"]],
    ["api", ["a.example.com"], ["/api", "/rpc"]],
    ["deep", ["a.example.com"], ["/api/v1"]],
    ["later", ["a.example.com"], ["/api"]],
    ["admin", ["*"], ["/admin"]],
    ["v6", ["[::1]"], ["/"]],
  );
  const cases: [string, string, string][] = [
    ["a.example.com", "/", "exact"],
    ["b.example.com", "/", "wild"],
    ["a.b.example.com", "/", "any"],
    ["example.com", "/", "any"],
    ["other", "/x", "any"],
    ["a.example.com", "/api", "api"],
    ["a.example.com", "/rpc/x", "api"],
    ["a.example.com", "/apis", "exact"],
    ["a.example.com", "/api/v1/x", "deep"],
    ["a.example.com", "/api/v12", "api"],
    ["other", "/admin/x", "admin"],
    ["other", "/public/../admin", "admin"],
    ["other", "/public/%2e%2e/admin", "admin"],
    ["other", "/public/%2e%2e/admin/%ff", "admin"],
    ["a.example.com", "/admin", "exact"],
    ["[::1]", "/", "v6"],
    // `OPTIONS *` asks the whole of a host.
    ["a.example.com", "*", "exact"],
  ];
  for (const [host, path, expected] of cases) {
    it(`leads ${host}${path} to "${expected}"`, () => {
      assert.equal(router.find(host, path)?.route.id, expected);
    });
  }

  it("goes on to the wildcard when the exact host has no such path", () => {
    const two = routerOf(["exact", ["a.test"], ["/only"]], ["wild", ["*.test"], ["/"]]);
    assert.equal(two.find("a.test", "/x")?.route.id, "wild");
  });

  it("finds nothing when no route fits", () => {
    const one = routerOf(["a", ["a.test"], ["/x"]]);
    assert.equal(one.find("b.test", "/x"), undefined);
    assert.equal(one.find("a.test", "/y"), undefined);
    assert.equal(one.find("a.test", "*"), undefined);
    assert.equal(one.find("a.test", ""), undefined);
  });

  it("never throws, whatever the path", () => {
    fc.assert(fc.property(fc.webPath(), (path) => void router.find("other", path)));
    fc.assert(fc.property(fc.string(), (path) => void router.find("other", path)));
  });
});
