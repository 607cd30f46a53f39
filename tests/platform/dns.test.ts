/** Names of the platform: a name server that answers, refuses, is silent or is not there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { NameQuestion } from "../../src/platform/platform.ts";
import { NameServer } from "../support/name_server.ts";
import { within } from "./support.ts";

const { names } = platform;
/** Nobody answers there: the discard port of the loopback. */
const NOWHERE = "127.0.0.1:9";

function question(name: string, servers: readonly string[]): NameQuestion {
  return { name, servers, timeoutMs: 200, signal: new AbortController().signal };
}

async function gpu(): Promise<NameServer> {
  const server = await NameServer.open();
  server.records.set("gpu.lan", [
    { type: "A", address: "10.0.0.7" },
    { type: "A", address: "10.0.0.8" },
    { type: "AAAA", address: "2001:db8:0:0:0:0:0:7" },
  ]);
  server.records.set("four.lan", [{ type: "A", address: "10.0.0.9" }]);
  server.records.set("_http._tcp.gpu.lan", [
    { type: "SRV", priority: 1, weight: 5, port: 8080, target: "a.lan" },
  ]);
  return server;
}

describe("names.addresses()", () => {
  const found: [string, string, (4 | 6)[], string[]][] = [
    ["one family", "gpu.lan", [4], ["10.0.0.7", "10.0.0.8"]],
    ["both families", "gpu.lan", [4, 6], ["10.0.0.7", "10.0.0.8", "2001:db8::7"]],
    ["both of which one has none", "four.lan", [4, 6], ["10.0.0.9"]],
  ];
  for (const [title, name, families, expected] of found) {
    it(`finds ${title}`, async () => {
      await using server = await gpu();
      const answer = await names.addresses(question(name, [server.address]), families);
      assert.deepEqual(answer, { kind: "found", items: expected });
    });
  }

  const missing: [string, string, (4 | 6)[]][] = [
    ["the name", "nobody.lan", [4, 6]],
    ["addresses of the family", "four.lan", [6]],
  ];
  for (const [title, name, families] of missing) {
    it(`fails when the server does not know ${title}`, async () => {
      await using server = await gpu();
      const answer = await names.addresses(question(name, [server.address]), families);
      assert.equal(answer.kind, "failed");
    });
  }

  for (const [title, mood] of [["refuses", "refuses"], ["is silent", "silent"]] as const) {
    it(`fails when the server ${title}`, async () => {
      await using server = await gpu();
      server.mood = mood;
      const answer = await names.addresses(question("gpu.lan", [server.address]), [4]);
      assert.equal(answer.kind, "failed");
    });
  }

  it("asks the next server when one does not answer", async () => {
    await using silent = await gpu();
    await using server = await gpu();
    silent.mood = "silent";
    const servers = [NOWHERE, silent.address, server.address];
    const answer = await names.addresses(question("four.lan", servers), [4]);
    assert.deepEqual(answer, { kind: "found", items: ["10.0.0.9"] });
  });

  it("fails when a server's address is none", async () => {
    const answer = await names.addresses(question("gpu.lan", ["nonsense"]), [4]);
    assert.equal(answer.kind, "failed");
  });

  it("asks as the system does when it is given no servers", async () => {
    const answer = await names.addresses(question("localhost", []), [4]);
    assert.deepEqual(answer, { kind: "found", items: ["127.0.0.1"] });
  });

  it("ends at once when its signal aborts", async () => {
    await using server = await gpu();
    server.mood = "silent";
    const leaving = new AbortController();
    const asking = names.addresses({
      ...question("gpu.lan", [server.address]),
      timeoutMs: 60_000,
      signal: leaving.signal,
    }, [4]);
    leaving.abort();
    assert.equal((await within("the answer", asking)).kind, "failed");
  });
});

describe("names.services()", () => {
  it("finds places", async () => {
    await using server = await gpu();
    const answer = await names.services(question("_http._tcp.gpu.lan", [server.address]));
    const place = { host: "a.lan", port: 8080, priority: 1, weight: 5 };
    assert.deepEqual(answer, { kind: "found", items: [place] });
  });

  it("fails when the server does not know the name", async () => {
    await using server = await gpu();
    const answer = await names.services(question("_http._tcp.nobody.lan", [server.address]));
    assert.equal(answer.kind, "failed");
  });
});

describe("names of our own", () => {
  const found = [
    ["texts", "_acme-challenge.a.lan", ["one", "two"]],
    ["servers", "a.lan", ["ns1.a.lan", "ns2.a.lan"]],
    ["aliases", "www.a.lan", ["a.lan"]],
  ] as const;
  for (const [what, name, expected] of found) {
    it(`names.${what}() finds them`, async () => {
      await using server = await NameServer.open();
      server.records.set("_acme-challenge.a.lan", [
        { type: "TXT", pieces: ["one"] },
        { type: "TXT", pieces: ["two"] },
      ]);
      server.records.set("a.lan", [
        { type: "NS", target: "ns1.a.lan" },
        { type: "NS", target: "ns2.a.lan" },
      ]);
      server.records.set("www.a.lan", [{ type: "CNAME", target: "a.lan" }]);
      const answer = await names[what](question(name, [server.address]));
      assert.deepEqual(answer, { kind: "found", items: expected });
      assert.equal((await names[what](question("b.lan", [server.address]))).kind, "failed");
    });
  }
});
