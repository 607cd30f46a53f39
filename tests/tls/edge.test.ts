/** How handshakes are answered, through reloads, renewals and failures, with certificates that are words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClientHello, Handshake } from "../../src/platform/tls.ts";
import { TlsEdge } from "../../src/tls/edge.ts";
import type { TlsRules } from "../../src/tls_rules.ts";
import {
  certificate,
  type FakeContext,
  FakeIssuer,
  identity,
  workshop,
} from "../support/fake_tls.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { ACME, INTERNAL, pairSource, tlsRules } from "../support/fake_edge.ts";
import { loopback } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

const LIFE = { from: ManualClock.EPOCH, days: 90 };
const LISTENER = { ...loopback(443), tls: true, h2: true };
function contextOf(choice: Handshake): FakeContext {
  assert.ok(choice);
  return choice.context as FakeContext;
}

class Scene {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore();
  readonly acme = new FakeIssuer("acme", () => this.clock.now());
  readonly internal = new FakeIssuer("internal", () => this.clock.now());
  readonly proofs = new Map<string, string>();
  readonly courses: string[] = [];
  root: string | undefined;
  readonly edge = new TlsEdge({
    clock: this.clock,
    random: () => 0,
    workshop,
    platform: {
      readText: () => Promise.reject(new Error("no such file")),
      watchDirectory: () => () => {},
    },
    vault: () => ({
      store: () => Promise.resolve(this.store),
      acmeIssuer: () => this.acme,
      internalIssuer: () => this.internal,
      root: () => Promise.resolve(this.root),
    }),
    proofs: {
      http: (token) => this.proofs.get(token),
      alpn: (name) => this.proofs.has(name) ? identity([name], { from: 0 }, "proof") : undefined,
    },
    told: (_, { kind }) => this.courses.push(kind),
    madeFailed: (name) => this.courses.push(`not made: ${name}`),
    rootEnds: () => this.courses.push("the root ends"),
    handshakeFailed: (_, reason) => this.courses.push(reason),
    secured: ({ version }) => this.courses.push(version),
  });

  async replace(next: TlsRules | undefined): Promise<void> {
    this.edge.replace(next);
    await settled();
  }

  /** Serial of the certificate that a client is shown. */
  async serial(name: string | undefined, localIp = "192.0.2.1"): Promise<string | undefined> {
    const choice = await this.choice({ name, protocols: ["h2"] }, localIp);
    return choice && contextOf(choice).serial;
  }

  async choice(hello: ClientHello, localIp = "192.0.2.1"): Promise<Handshake> {
    return await this.edge.door(LISTENER).choose(hello, localIp);
  }
}

describe("TlsEdge", () => {
  it("door() shows each name its certificate, whoever issued it", async () => {
    const scene = new Scene();
    await scene.replace(
      tlsRules([
        certificate(["a.example"], ACME),
        certificate(["a.lan"], INTERNAL),
      ]),
    );
    assert.equal(await scene.serial("a.example"), "acme-1");
    assert.equal(await scene.serial("a.lan"), "internal-1");
    assert.equal(await scene.serial("b.example"), undefined);
    scene.edge.close();
  });

  it("door() offers HTTP/2 where the listener has it", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([certificate(["a.lan"], INTERNAL)]));
    const hello = { name: "a.lan", protocols: [] };
    const with2 = await scene.edge.door(LISTENER).choose(hello, "");
    const without = await scene.edge.door({ ...LISTENER, h2: false }).choose(hello, "");
    assert.deepEqual(with2?.protocols, ["h2", "http/1.1"]);
    assert.deepEqual(without?.protocols, ["http/1.1"]);
    scene.edge.close();
  });

  it("door() lets a handshake wait for a first certificate, but not for ever", async () => {
    const scene = new Scene();
    const gate = Promise.withResolvers<void>();
    const issue = scene.acme.issue.bind(scene.acme);
    scene.acme.issue = async (names, options) => {
      await gate.promise;
      return await issue(names, options);
    };
    await scene.replace(tlsRules([certificate(["a.example"], ACME)]));
    const patient = scene.serial("a.example");
    await scene.clock.advance(8_001);
    assert.equal(await patient, undefined);
    const lucky = scene.serial("a.example");
    gate.resolve();
    assert.equal(await lucky, "acme-1");
    scene.edge.close();
  });

  it("door() refuses at once where the first attempt has failed", async () => {
    const scene = new Scene();
    scene.acme.problem = { reason: "away" };
    await scene.replace(tlsRules([certificate(["a.example"], ACME)]));
    assert.equal(await scene.serial("a.example"), undefined);
    scene.edge.close();
  });

  it("door() asks clients of the hosts that want it, by their authorities", async () => {
    const scene = new Scene();
    await scene.replace(
      tlsRules([certificate(["*.lan"], INTERNAL)], {
        minVersion: "1.3",
        clientAuth: [{ hosts: ["safe.lan"], authorities: ["CA"] }],
      }),
    );
    const safe = await scene.choice({ name: "safe.lan", protocols: [] });
    const open = await scene.choice({ name: "open.lan", protocols: [] });
    assert.deepEqual([safe?.asksClient, open?.asksClient], [true, false]);
    const { material } = contextOf(safe);
    assert.deepEqual([material.clientAuthorities, material.minVersion], [["CA"], "1.3"]);
    scene.edge.close();
  });

  it("door() asks clients of a host by its own authorities, wherever in the file they stand", async () => {
    const scene = new Scene();
    const hosts = ["*", "*.lan", "safe.lan", "192.0.2.1"];
    await scene.replace(
      tlsRules([certificate(["*.lan", "safe.lan", "192.0.2.1", "b.example"], INTERNAL)], {
        clientAuth: hosts.map((host) => ({ hosts: [host], authorities: [`CA of ${host}`] })),
      }),
    );
    const judges = [];
    for (const name of ["safe.lan", "open.lan", "b.example", undefined]) {
      judges.push(
        contextOf(await scene.choice({ name, protocols: [] })).material.clientAuthorities,
      );
    }
    assert.deepEqual(judges.flat(), [
      ...["CA of safe.lan", "CA of *.lan", "CA of *"],
      "CA of 192.0.2.1",
    ]);
    scene.edge.close();
  });

  it("door() answers an authority that proves a name, beside everybody else", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([certificate(["a.example"], ACME)]));
    scene.proofs.set("a.example", "x");
    const proof = await scene.choice({ name: "a.example", protocols: ["acme-tls/1"] });
    assert.deepEqual(proof?.protocols, ["acme-tls/1"]);
    assert.equal(contextOf(proof).serial, "proof");
    assert.equal(await scene.serial("a.example"), "acme-1");
    assert.equal(await scene.choice({ name: "b.example", protocols: ["acme-tls/1"] }), undefined);
    scene.edge.close();
  });

  const anyones: [string, "private" | "any", string | undefined, string | undefined][] = [
    ["a private name", "private", "new.lan", "internal-1"],
    ["the address it came to where none is asked for", "private", undefined, "internal-1"],
    ["no public name", "private", "new.example.com", undefined],
    ["any name where all are internal", "any", "new.example.com", "internal-1"],
  ];
  for (const [title, names, name, expected] of anyones) {
    it(`door() makes on demand ${title}`, async () => {
      const scene = new Scene();
      await scene.replace(tlsRules([], { onDemand: { names, lifetimeMs: 1 } }));
      assert.equal(await scene.serial(name), expected);
      assert.equal(scene.edge.secures(name ?? "192.0.2.1"), expected !== undefined);
      if (expected !== undefined) {
        assert.deepEqual(scene.internal.orders[0]?.names, [name ?? "192.0.2.1"]);
      }
      scene.edge.close();
    });
  }

  it("door() takes an address for no name, and shows it its own where there is one", async () => {
    const scene = new Scene();
    await scene.replace(
      tlsRules([
        certificate([], pairSource(["pair.example"], LIFE)),
        certificate(["a.lan"], INTERNAL),
        certificate(["192.0.2.1"], INTERNAL),
      ], { defaultName: "a.lan" }),
    );
    const seen = [];
    for (const name of [undefined, "192.0.2.1", "192.0.2.9", "198.51.100.1"]) {
      seen.push(await scene.serial(name, "192.0.2.1"));
    }
    assert.deepEqual([new Set(seen).size, await scene.serial(undefined, "192.0.2.9")], [
      ...[1, await scene.serial("a.lan")],
    ]);
    assert.notEqual(seen[0], await scene.serial("a.lan"));
    scene.edge.close();
  });

  it("door() waits for the certificate of a name before it shows the pair for all", async () => {
    const scene = new Scene();
    const gate = Promise.withResolvers<void>();
    const issue = scene.internal.issue.bind(scene.internal);
    scene.internal.issue = async (names, options) => {
      await gate.promise;
      return await issue(names, options);
    };
    await scene.replace(
      tlsRules([
        certificate([], pairSource(["pair.example"], LIFE)),
        certificate(["192.0.2.1"], INTERNAL),
      ]),
    );
    const shown = scene.serial(undefined, "192.0.2.1");
    gate.resolve();
    assert.equal(await shown, "internal-1");
    scene.edge.close();
  });

  it("door() takes the default name where none is asked for", async () => {
    const scene = new Scene();
    await scene.replace(
      tlsRules([certificate(["a.lan"], INTERNAL)], { defaultName: "a.lan" }),
    );
    assert.equal(await scene.serial(undefined), "internal-1");
    scene.edge.close();
  });

  it("replace() keeps what stays, without ordering it anew", async () => {
    const scene = new Scene();
    const one = certificate(["a.lan"], INTERNAL);
    await scene.replace(tlsRules([one]));
    await scene.replace(tlsRules([{ ...one }, certificate(["b.lan"], INTERNAL)]));
    assert.equal(await scene.serial("a.lan"), "internal-1");
    assert.equal(scene.internal.orders.length, 2);
    scene.edge.close();
  });

  it("replace() shows an old certificate until the new one for its names is there", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([certificate(["a.example"], ACME)]));
    scene.acme.problem = { reason: "away" };
    await scene.replace(tlsRules([certificate(["a.example", "b.example"], ACME)]));
    assert.equal(await scene.serial("a.example"), "acme-1");
    scene.acme.problem = undefined;
    await scene.clock.advance(60_000);
    assert.equal(await scene.serial("a.example"), "acme-3");
    scene.edge.close();
  });

  it("replace() leaves no name without any while it moves", async () => {
    const pair = { ...certificate(["*.a.example"], pairSource(["*.a.example"], LIFE), ["l"]) };
    const general = certificate([], pairSource(["a.example"], LIFE));
    const moves: [string, Partial<TlsRules>, Partial<TlsRules>, string][] = [
      [
        "from one of many names to its own",
        { certificates: [certificate(["a.example", "b.example"], ACME)] },
        { certificates: [certificate(["a.example"], ACME), certificate(["b.example"], ACME)] },
        "b.example",
      ],
      [
        "from files to an authority",
        { certificates: [certificate(["a.example"], pairSource(["a.example"], LIFE))] },
        { certificates: [certificate(["a.example"], ACME)] },
        "a.example",
      ],
      [
        "from the pair for all to an authority",
        { certificates: [general] },
        { certificates: [certificate(["b.example"], ACME)] },
        "b.example",
      ],
      [
        "from its own to a wildcard",
        { certificates: [certificate(["x.a.example"], ACME)] },
        { certificates: [certificate(["*.a.example"], ACME)] },
        "x.a.example",
      ],
      [
        "from a wildcard of one listener to its own on all",
        { certificates: [pair] },
        { certificates: [certificate(["x.a.example"], ACME)] },
        "x.a.example",
      ],
      [
        "from those that are made on demand to an authority",
        { onDemand: { names: "any", lifetimeMs: 1 } },
        { certificates: [certificate(["a.example"], ACME)] },
        "a.example",
      ],
      [
        "from one authority to another",
        { certificates: [certificate(["a.example"], INTERNAL)] },
        { certificates: [{ ...certificate(["a.example"], INTERNAL), source: ACME }] },
        "a.example",
      ],
    ];
    for (const [title, from, to, name] of moves) {
      const scene = new Scene();
      await scene.replace(tlsRules([], from));
      await scene.serial(name);
      scene.acme.problem = { reason: "away" };
      const before = scene.acme.orders.length;
      await scene.replace(tlsRules([], to));
      assert.ok(scene.acme.orders.length > before, title);
      assert.notEqual(await scene.serial(name), undefined, title);
      scene.acme.problem = undefined;
      await scene.clock.advance(60_000);
      assert.match(await scene.serial(name) ?? "", /^acme-/, title);
      scene.edge.close();
    }
  });

  it("replace() shows what is configured rather than what stands in", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([certificate(["a.example", "b.example"], ACME)]));
    scene.acme.problem = { reason: "away" };
    await scene.replace(
      tlsRules([
        certificate(["a.example"], pairSource(["a.example"], LIFE)),
        certificate(["b.example"], ACME),
      ]),
    );
    assert.deepEqual([await scene.serial("a.example"), await scene.serial("b.example")], [
      ...["1", "acme-1"],
    ]);
    scene.edge.close();
  });

  it("replace() goes on with what was made on demand", async () => {
    const scene = new Scene();
    const onDemand = { names: "any", lifetimeMs: 1 } as const;
    await scene.replace(tlsRules([], { onDemand }));
    assert.equal(await scene.serial("a.lan"), "internal-1");
    await scene.replace(tlsRules([certificate(["b.lan"], INTERNAL)], { onDemand }));
    assert.equal(await scene.serial("a.lan"), "internal-1");
    await scene.replace(tlsRules([], { onDemand: { names: "any", lifetimeMs: 2 } }));
    assert.equal(await scene.serial("a.lan"), "internal-3");
    scene.edge.close();
  });

  it("replace() lets go of names that are configured no more", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([certificate(["a.lan"], INTERNAL)]));
    await scene.replace(tlsRules([certificate(["b.lan"], INTERNAL)]));
    assert.equal(await scene.serial("a.lan"), undefined);
    await scene.replace(undefined);
    assert.equal(await scene.serial("b.lan"), undefined);
    assert.equal(scene.clock.pending, 0);
  });

  it("replace() speaks another version from the next handshake on", async () => {
    const scene = new Scene();
    const one = certificate(["a.lan"], INTERNAL);
    await scene.replace(tlsRules([one]));
    await scene.replace(tlsRules([one], { minVersion: "1.3" }));
    const choice = await scene.choice({ name: "a.lan", protocols: [] });
    assert.equal(contextOf(choice).material.minVersion, "1.3");
    scene.edge.close();
  });

  it("secures() knows names that will have a certificate before they have", async () => {
    const scene = new Scene();
    scene.acme.problem = { reason: "away" };
    await scene.replace(tlsRules([certificate(["*.example"], ACME)]));
    assert.deepEqual(
      ["a.example", "example", "a.b.example"].map((name) => scene.edge.secures(name)),
      [
        ...[true, false, false],
      ],
    );
    scene.edge.close();
  });

  it("status() tells what is shown, what is missing and why", async () => {
    const scene = new Scene();
    scene.acme.problem = { reason: "away" };
    await scene.replace(
      tlsRules([
        certificate(["a.lan"], INTERNAL),
        certificate(["a.example"], ACME),
      ]),
    );
    const [good, bad] = scene.edge.status();
    assert.deepEqual([good?.state, good?.issuer, good?.problem, good?.serial], [
      ...["good", "internal", undefined, "internal-1"],
    ]);
    assert.deepEqual([bad?.state, bad?.issuer, bad?.problem], ["missing", "ca.test", "away"]);
    assert.ok((bad?.nextAt ?? 0) > scene.clock.now());
    await scene.clock.advance(80 * 86_400_000);
    assert.equal(scene.edge.status()[0]?.state, "good", "it was renewed meanwhile");
    scene.edge.close();
  });

  it("renew() shows another one for a name that is kept, and says which", async () => {
    const scene = new Scene();
    await scene.replace(tlsRules([certificate(["*.a.lan"], INTERNAL)]));
    const renewal = await scene.edge.renew("x.a.lan");
    assert.deepEqual([renewal.kind, await scene.serial("y.a.lan")], ["renewed", "internal-2"]);
    assert.deepEqual(await scene.edge.renew("a.lan"), { kind: "unknown" });
    scene.internal.problem = { reason: "away" };
    assert.deepEqual(await scene.edge.renew("*.a.lan"), { kind: "failed", reason: "away" });
    scene.edge.close();
  });
});
