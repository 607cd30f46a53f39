/** Which certificate a handshake would be shown, as the rules alone tell. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foresee } from "../../src/tls/foreseen.ts";
import type { CertificateRules, TlsRules } from "../../src/tls_rules.ts";
import { ACME, FakeEdge, INTERNAL, pairSource, tlsRules } from "../support/fake_edge.ts";
import { certificate, workshop } from "../support/fake_tls.ts";
import { loopback } from "../support/fake_route.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";

const LIFE = { from: ManualClock.EPOCH, days: 60 };
const HERE = "127.0.0.1:443";
const pair = (names: readonly string[], listeners: readonly string[] = []): CertificateRules => ({
  ...certificate([], pairSource(names, LIFE), listeners),
  id: `files ${names.join()} ${listeners.join()}`,
});

const PUBLIC = certificate(["a.example.com"], ACME);
const WILD = certificate(["*.example.com"], ACME);
const LOCAL = certificate(["gpu.lan"], INTERNAL);
const OWN = certificate(["a.example.com"], INTERNAL, [HERE]);

const cases: [string, TlsRules, string, string | undefined][] = [
  ["the one of its name", tlsRules([PUBLIC, LOCAL]), "gpu.lan", "internal gpu.lan"],
  ["a wildcard", tlsRules([WILD, LOCAL]), "b.example.com", "acme *.example.com"],
  ["its own before a wildcard", tlsRules([WILD, PUBLIC]), "a.example.com", "acme a.example.com"],
  [
    "the listener's own before all others",
    tlsRules([PUBLIC, OWN]),
    "a.example.com",
    "internal a.example.com 127.0.0.1:443",
  ],
  ["a pair for whatever is asked", tlsRules([pair(["x.lan"])]), "b.lan", "files x.lan "],
  [
    "no pair of another listener's",
    tlsRules([pair(["x.lan"], ["127.0.0.1:8443"])]),
    "x.lan",
    undefined,
  ],
  [
    "what was given a name before what happens to hold it",
    tlsRules([pair(["a.example.com"]), PUBLIC]),
    "a.example.com",
    "acme a.example.com",
  ],
  ["nothing for a name of nobody's", tlsRules([PUBLIC]), "b.example.com", undefined],
  [
    "one that is made on demand",
    tlsRules([PUBLIC], { onDemand: { names: "private", lifetimeMs: 1 } }),
    "192.0.2.1",
    "made",
  ],
  [
    "none that may not be made",
    tlsRules([PUBLIC], { onDemand: { names: "private", lifetimeMs: 1 } }),
    "b.example.com",
    undefined,
  ],
];

describe("foresee()", () => {
  const byName = tlsRules([LOCAL], { defaultName: "gpu.lan" });
  const unnamed: [string, TlsRules, string | undefined][] = [
    ["that of the default name", byName, "internal gpu.lan"],
    [
      "its own before that",
      tlsRules([LOCAL, certificate(["192.0.2.1"], INTERNAL)], { defaultName: "gpu.lan" }),
      "internal 192.0.2.1",
    ],
    ["none without a default name", tlsRules([LOCAL]), undefined],
  ];
  for (const [title, rules, expected] of unnamed) {
    it(`foresees for an address ${title}`, () => {
      const asked = { listener: HERE, name: "192.0.2.1", isUnnamed: true };
      const foreseen = foresee(rules, asked, (chain) => workshop.certificateFacts(chain));
      assert.equal(foreseen?.kind === "held" ? foreseen.rules.id : foreseen?.kind, expected);
    });
  }

  for (const [title, rules, name, expected] of cases) {
    it(`foresees ${title}, as handshakes are answered`, async () => {
      const foreseen = foresee(
        rules,
        { listener: HERE, name },
        (chain) => workshop.certificateFacts(chain),
      );
      assert.equal(foreseen?.kind === "held" ? foreseen.rules.id : foreseen?.kind, expected);

      const silence = { debug() {}, info() {}, warn() {}, error() {} };
      const { edge } = new FakeEdge(new ManualClock(), silence);
      edge.replace(rules);
      await settled();
      const door = edge.door({ ...loopback(443), tls: true });
      const shown = await door.choose({ name, protocols: [] }, "192.0.2.1");
      assert.equal(shown !== undefined, expected !== undefined);
      edge.close();
    });
  }
});
