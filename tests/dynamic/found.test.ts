/** From the answers of a name service to upstreams: order, names, and what pools make of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { filled, placesOfAddresses, placesOfServices } from "../../src/dynamic/found.ts";
import type { Dynamic } from "../../src/rules.ts";
import { poolRules, upstream } from "../support/fake_route.ts";

const { id: _id, name: _name, address: _address, authority: _authority, ...template } = upstream(
  "t",
);

const GPU: Dynamic = {
  kind: "a",
  name: "gpu.lan",
  port: 8080,
  families: [4, 6],
  refreshMs: 60_000,
  graceMs: 0,
  resolvers: [],
  template,
};

describe("placesOfAddresses()", () => {
  it("orders by family and number, whatever the order of the answer", () => {
    const answer = ["2001:db8::2", "10.0.0.10", "10.0.0.9", "2001:db8::1", "10.0.0.9"];
    assert.deepEqual(
      placesOfAddresses(answer, 80).map(({ host }) => host),
      ["10.0.0.9", "10.0.0.10", "2001:db8::1", "2001:db8::2"],
    );
  });
});

describe("placesOfServices()", () => {
  const at = (host: string, priority: number, weight: number, port = 80) => ({
    host,
    port,
    priority,
    weight,
  });

  it("orders by priority, then by weight, then by name", () => {
    const answer = [at("d", 2, 9), at("b", 1, 1), at("a", 1, 1), at("c", 1, 5)];
    assert.deepEqual(placesOfServices(answer).map(({ host }) => host), ["c", "a", "b", "d"]);
  });

  it("drops trailing dots, repetitions and the lone dot", () => {
    const answer = [at("A.lan.", 1, 1), at("a.lan", 2, 1), at("a.lan", 2, 1, 81), at(".", 0, 0)];
    assert.deepEqual(placesOfServices(answer), [
      { host: "a.lan", port: 80 },
      { host: "a.lan", port: 81 },
    ]);
  });
});

describe("filled()", () => {
  const found = (...hosts: string[]) => () => hosts.map((host) => ({ host, port: 8080 }));

  it("puts found upstreams behind listed ones, by the template", () => {
    const pool = poolRules({ id: "p", upstreams: [upstream("a")], dynamic: [GPU] });
    const { upstreams } = filled(pool, found("10.0.0.7", "2001:db8::1"));
    assert.deepEqual(upstreams.map(({ id, name, authority }) => [id, name, authority]), [
      ["r/a", "a", "a:80"],
      ["p 10.0.0.7:8080", "10.0.0.7:8080", "10.0.0.7:8080"],
      ["p [2001:db8::1]:8080", "[2001:db8::1]:8080", "[2001:db8::1]:8080"],
    ]);
    assert.deepEqual(upstreams[1]?.address, { kind: "tcp", host: "10.0.0.7", port: 8080 });
    assert.equal(upstreams[1]?.connections, template.connections);
  });

  it("finds nothing twice", () => {
    const listed = upstream("10.0.0.7:8080", { id: "p 10.0.0.7:8080" });
    const pool = poolRules({ id: "p", upstreams: [listed], dynamic: [GPU, GPU] });
    const { upstreams } = filled(pool, found("10.0.0.7", "10.0.0.8"));
    assert.deepEqual(upstreams.map(({ name }) => name), ["10.0.0.7:8080", "10.0.0.8:8080"]);
    assert.equal(upstreams[0], listed);
  });

  it("leaves default ports out of the authority", () => {
    const pool = poolRules({ id: "p", upstreams: [], dynamic: [GPU] });
    const place = () => [{ host: "2001:db8::1", port: 80 }];
    assert.equal(filled(pool, place).upstreams[0]?.authority, "[2001:db8::1]");
  });

  it("has certificates prove the name that was looked up, unless told otherwise", () => {
    const own = { ...template.tls, name: "own.lan" };
    const pool = (tls: Partial<Dynamic["template"]>) =>
      poolRules({
        id: "p",
        upstreams: [],
        dynamic: [{ ...GPU, template: { ...template, ...tls } }],
      });
    const name = (tls: Partial<Dynamic["template"]>) =>
      filled(pool(tls), found("10.0.0.7")).upstreams[0]?.tls.name;
    assert.equal(name({ scheme: "https" }), "gpu.lan");
    assert.equal(name({ scheme: "https", tls: own }), "own.lan");
  });

  it("gives the same pool back when it is not dynamic", () => {
    const pool = poolRules({ id: "p" });
    assert.equal(filled(pool, found("10.0.0.7")), pool);
  });
});
