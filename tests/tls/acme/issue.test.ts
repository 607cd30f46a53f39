/** Certificates from a real authority: what it is asked, proved and told, on either runtime. */
import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import { acmeIssuer } from "../../../src/tls/acme/issuer.ts";
import type { Identity } from "../../../src/tls/issuer.ts";
import { openStore } from "../../../src/tls/store.ts";
import type { KeyType } from "../../../src/tls_rules.ts";
import { freePort, Peer, within } from "../../platform/support.ts";
import { unavailable } from "../../support/pebble.ts";
import { AcmeLab, failure, unending } from "./lab.ts";

/** What most tests are content with; the others open a lab of their own. */
let shared: AcmeLab;

before(async () => {
  if (unavailable === undefined) shared = await AcmeLab.open();
});

after(async () => await shared?.[Symbol.asyncDispose]());

const noTls = platform.showsTlsProofs ? undefined : "this runtime shows no proofs by TLS";
const FIFTY = Array.from({ length: 50 }, (_, at) => `n${at}.example`);

/** Asserts that chain and key belong together, and to these names. */
function assertIsFor({ chain, key }: Identity, names: readonly string[]): void {
  platform.tlsContext({ chain, key, clientAuthorities: [], minVersion: "1.2" });
  assert.deepEqual(new Set(platform.certificateFacts(chain).names), new Set(names));
}

describe("acmeIssuer()", { skip: unavailable }, () => {
  const kinds: [string, Parameters<AcmeLab["rules"]>[0], string[]][] = [
    ["one name by HTTP", {}, ["a.example"]],
    ["one name by TLS", { challenges: ["tls-alpn-01"] }, ["a.example"]],
    ["an address by HTTP", {}, ["127.0.0.1"]],
    ["an address by TLS", { challenges: ["tls-alpn-01"] }, ["127.0.0.1", "a.example"]],
    ["fifty names in one order", {}, FIFTY],
  ];
  for (const [title, changes, names] of kinds) {
    const skip = changes?.challenges === undefined ? undefined : noTls;
    it(`issue() gives a certificate for ${title}`, { skip }, async () => {
      const lab = shared.anew();
      const identity = await within("a certificate", lab.issue(names, changes));
      assertIsFor(identity, names);
      const [leaf, issuer] = identity.chain.match(/-----BEGIN[\s\S]*?-----END.*/g) ?? [];
      const root = new X509Certificate(await lab.pebble.root());
      assert.ok(new X509Certificate(leaf ?? "").checkIssued(new X509Certificate(issuer ?? "")));
      assert.ok(new X509Certificate(issuer ?? "").verify(root.publicKey));
    });
  }

  it("issue() shows proofs only while it lasts", async () => {
    const lab = shared.anew();
    await lab.issue(["a.example"]);
    const tokens = lab.looks.flatMap((look) => look.startsWith("http ") ? [look.slice(5)] : []);
    assert.ok(tokens.length > 0);
    assert.deepEqual(tokens.map((token) => lab.proofs.http(token)), tokens.map(() => undefined));
  });

  it("issue() shows proofs by TLS only while it lasts", { skip: noTls }, async () => {
    const lab = shared.anew();
    await lab.issue(["b.example"], { challenges: ["tls-alpn-01"] });
    assert.ok(lab.looks.includes("tls b.example"));
    assert.equal(lab.proofs.alpn("b.example"), undefined);
  });

  it("issue() tries no proof by TLS that cannot be shown", async () => {
    const lab = shared.anew();
    const rules = lab.rules({ challenges: ["tls-alpn-01", "http-01"] });
    const issuer = acmeIssuer(rules, { ...lab.deps, showsTlsProofs: false });
    const options = { replaced: undefined, signal: unending() };
    assertIsFor(await issuer.issue(["a.example"], options), ["a.example"]);
    assert.ok(lab.looks.every((look) => look.startsWith("http ")));
  });

  const keys: [KeyType, string, object][] = [
    ["p256", "ec", { namedCurve: "prime256v1" }],
    ["p384", "ec", { namedCurve: "secp384r1" }],
    ["rsa2048", "rsa", { modulusLength: 2048 }],
  ];
  for (const [keyType, kind, details] of keys) {
    it(`issue() makes a fresh key of type ${keyType} each time`, async () => {
      const lab = shared.anew();
      const issuer = lab.issuer({ keyType });
      const options = { replaced: undefined, signal: unending() };
      const first = await issuer.issue(["a.example"], options);
      const second = await issuer.issue(["a.example"], options);
      const key = createPrivateKey(first.key);
      assert.equal(key.asymmetricKeyType, kind);
      assert.deepEqual({ ...key.asymmetricKeyDetails, ...details }, key.asymmetricKeyDetails);
      assert.notEqual(first.key, second.key);
      assertIsFor(second, ["a.example"]);
    });
  }

  it("issue() gets there though six of ten nonces are refused", async () => {
    await using lab = await AcmeLab.open({ nonceReject: 60 });
    assertIsFor(await within("a certificate", lab.issue(FIFTY)), FIFTY);
  });

  it("issue() waits for an authority that takes its time", async () => {
    await using lab = await AcmeLab.open({ sleepS: 2 });
    assertIsFor(await within("a certificate", lab.issue(["a.example"])), ["a.example"]);
  });

  it("issue() proves nothing anew that is proved already", async () => {
    await using lab = await AcmeLab.open({ authzReuse: 100 });
    await lab.issue(["a.example"]);
    const looks = lab.looks.length;
    await lab.issue(["a.example"]);
    assert.equal(lab.looks.length, looks);
  });

  it("issue() takes the chain that is preferred", async () => {
    await using lab = await AcmeLab.open({ alternates: 2 });
    const roots = await Promise.all([0, 1, 2].map((at) => lab.pebble.root(at)));
    for (const root of roots.map((pem) => new X509Certificate(pem))) {
      const [, chain = ""] = /CN=(.+)/.exec(root.subject) ?? [];
      const { chain: got } = await lab.issue(["a.example"], { chain });
      const [, issuer = ""] = got.match(/-----BEGIN[\s\S]*?-----END.*/g) ?? [];
      assert.ok(new X509Certificate(issuer).checkIssued(root));
    }
  });

  it("issue() works for several authorities at once, each trusted by its own", async () => {
    const one = shared.anew();
    await using two = await AcmeLab.open();
    const labs = [one, two, one, two];
    const all = await Promise.all(labs.map((lab, at) => lab.issue([`n${at}.example`])));
    for (const [at, identity] of all.entries()) assertIsFor(identity, [`n${at}.example`]);
    const crossed = one.issue(["a.example"], { authorities: [two.pebble.authority.certificate] });
    const { message } = await failure(crossed);
    assert.match(message, /cannot reach https:\/\/127\.0\.0\.1:\d+: .*(certificate|issuer)/i);
  });
});

describe("acmeIssuer() where proofs fail", { skip: unavailable }, () => {
  it("issue() goes on with the next proof where one fails", { skip: noTls }, async () => {
    const lab = shared.anew();
    lab.spoils = () => true;
    const challenges = ["http-01", "tls-alpn-01"] as const;
    assertIsFor(await lab.issue(["a.example", "b.example"], { challenges }), [
      "a.example",
      "b.example",
    ]);
    assert.ok(lab.looks.includes("tls a.example"));
  });

  it("issue() tries the only proof once more", async () => {
    const lab = shared.anew();
    let spoiled: string | undefined;
    lab.spoils = (token) => token === (spoiled ??= token);
    assertIsFor(await lab.issue(["a.example"]), ["a.example"]);
  });

  it("issue() says what was wrong with each proof", async () => {
    const lab = shared.anew();
    lab.spoils = () => true;
    const names = ["good.example", "far.example"];
    await lab.pebble.write("add-a", { host: "far.example.", addresses: ["127.0.0.2"] });
    const { message } = await failure(lab.issue(names, { challenges: ["http-01"] }));
    assert.match(
      message,
      /^Cannot get a certificate for "good\.example" and "far\.example" from 127\.0\.0\.1-\d+: /,
    );
    assert.match(message, /"good\.example" by http-01: urn:ietf:params:acme:error:unauthorized: /);
    assert.match(message, /"far\.example" by http-01: urn:ietf:params:acme:error:connection: /);
  });

  it("issue() says what is wrong with a name that no name server knows", async () => {
    // Not the shared one: pebble may still look for what was wanted before.
    await using lab = await AcmeLab.open();
    await lab.pebble.write("set-servfail", { host: "lost.example." });
    const challenges = ["http-01", "tls-alpn-01"] as const;
    const { message } = await failure(lab.issue(["lost.example"], { challenges }));
    assert.match(
      message,
      /"lost\.example" by http-01: urn:ietf:params:acme:error:(dns|connection)/,
    );
    if (noTls === undefined) {
      assert.match(message, /"lost\.example" by tls-alpn-01: urn:ietf:params:/);
    }
    assert.deepEqual(lab.looks, []);
  });

  it("issue() says where no proof of a name can be given", async () => {
    const lab = shared.anew();
    const { message } = await failure(lab.issue(["*.a.example"]));
    assert.match(message, /none of its proofs of "\*\.a\.example" can be given: dns-01$/);
  });

  it("issue() ends soon when nobody waits any more, and takes its proofs away", async () => {
    await using lab = await AcmeLab.open({ sleepS: 60 });
    const leaving = new AbortController();
    const signal = leaving.signal;
    const issuing = lab.issuer().issue(["a.example"], { replaced: undefined, signal });
    const looking = Promise.withResolvers<void>();
    const show = lab.proofs.showHttp.bind(lab.proofs);
    let shown = "";
    lab.proofs.showHttp = (token, answer) => {
      shown = token;
      looking.resolve();
      return show(token, answer);
    };
    await within("a proof", looking.promise);
    assert.notEqual(lab.proofs.http(shown), undefined);
    leaving.abort();
    const { message } = await failure(issuing);
    assert.match(message, /from 127\.0\.0\.1-\d+: nobody waits any more$/);
    assert.equal(lab.proofs.http(shown), undefined);
  });
});

describe("acmeIssuer() and its account", { skip: unavailable }, () => {
  const accountOf = ({ store }: AcmeLab): { key: string; url: string } => {
    const [text = "{}"] = store.files.values();
    return JSON.parse(text);
  };

  it("issue() keeps one account over restarts", async () => {
    const lab = shared.anew();
    await lab.issue(["a.example"], { email: "one@example.org" });
    const before = accountOf(lab);
    await lab.issue(["b.example"], { email: "one@example.org" });
    assert.equal(lab.store.files.size, 1);
    assert.deepEqual(accountOf(lab), before);
    assert.match(
      [...lab.store.files.keys()][0] ?? "",
      /^acme\/127\.0\.0\.1-\d+\/account-\w+\.json$/,
    );
    assert.match(before.url, /^https:/);
  });

  it("issue() finds its account in the folder where another process kept it", async () => {
    const lab = shared.anew();
    const folder = await mkdtemp(join(tmpdir(), "understudy-store-"));
    const opened = async () => {
      const { store } = await openStore(folder, { files: platform, clock: platform.clock });
      return acmeIssuer(lab.rules(), { ...lab.deps, store: () => Promise.resolve(store) });
    };
    const options = { replaced: undefined, signal: unending() };
    const seen = [];
    for (const name of ["a.example", "b.example"]) {
      await (await opened()).issue([name], options);
      const [directory = "", ...rest] = await readdir(join(folder, "acme"));
      const [file = "", ...others] = await readdir(join(folder, "acme", directory));
      assert.deepEqual([...rest, ...others], []);
      seen.push(await readFile(join(folder, "acme", directory, file), "utf8"));
    }
    await rm(folder, { recursive: true });
    assert.equal(seen[0], seen[1]);
  });

  it("issue() makes one account where several begin at once", async () => {
    const lab = shared.anew();
    await Promise.all(["a", "b", "c"].map((name) => lab.issue([`${name}.example`])));
    assert.equal(lab.store.files.size, 1);
  });

  it("issue() has an account for each address", async () => {
    const lab = shared.anew();
    await lab.issue(["a.example"], { email: "one@example.org" });
    await lab.issue(["a.example"], { email: "two@example.org" });
    assert.equal(lab.store.files.size, 2);
  });

  it("issue() makes an account anew that the authority has forgotten", async () => {
    await using lab = await AcmeLab.open();
    await lab.issue(["a.example"]);
    const before = accountOf(lab);
    await lab.pebble.end();
    await lab.pebble.begin();
    assertIsFor(await lab.issue(["a.example"]), ["a.example"]);
    const after = accountOf(lab);
    assert.equal(after.key, before.key);
    assert.notEqual(after.url, before.url);
  });

  it("issue() makes do with the account of a key whose address was lost", async () => {
    const lab = shared.anew();
    await lab.issue(["a.example"]);
    const before = accountOf(lab);
    const [path = ""] = lab.store.files.keys();
    lab.store.files.set(path, JSON.stringify({ key: before.key, url: "" }));
    await lab.issue(["a.example"]);
    assert.deepEqual(accountOf(lab).url, before.url);
  });

  const binding = {
    keyId: "kid-1",
    secretKey: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
  };

  it("issue() binds its account to another one", async () => {
    await using lab = await AcmeLab.open({ binding });
    assertIsFor(await lab.issue(["a.example"], { binding }), ["a.example"]);
  });

  it("issue() says that an account must be bound, and shows no secret", async () => {
    await using lab = await AcmeLab.open({ binding });
    const { message } = await failure(lab.issue(["a.example"]));
    assert.match(message, /externalAccountRequired/);
    const wrong = {
      keyId: "kid-1",
      secretKey: "b10lLJs8l1GPIzsLP0s6pMt8O0XVGnfTaCeROxQM0BIt2XrJMDHJZBM5NuQmQJQH",
    };
    const refused = await failure(lab.issue(["a.example"], { binding: wrong }));
    assert.ok(!refused.message.includes(wrong.secretKey));
    assert.match(refused.message, /urn:ietf:params:acme:error:/);
  });
});

describe("acmeIssuer() where nobody answers", { skip: unavailable }, () => {
  it("issue() says so at once where the authority is down", async () => {
    await using lab = await AcmeLab.open();
    await lab.pebble.end();
    const { message } = await failure(lab.issue(["a.example"]));
    assert.match(
      message,
      /^Cannot get a certificate for "a\.example" from 127\.0\.0\.1-\d+: cannot reach https:\/\/127\.0\.0\.1:\d+: connection refused$/,
    );
  });

  it("issue() has an end, whatever the authority does", async () => {
    const lab = shared.anew();
    await using peer = await Peer.open(() => {});
    const { clock } = platform;
    const limitsMs: number[] = [];
    lab.clock = {
      ...clock,
      after(ms, callback) {
        limitsMs.push(ms);
        return clock.after(100, callback);
      },
    };
    const directory = `http://127.0.0.1:${peer.port}/`;
    const { message } = await failure(lab.issue(["a.example"], { directory }));
    assert.match(message, /: no end after 300 s$/);
    assert.deepEqual(limitsMs, [300_000]);
  });

  it("issue() says where something else answers", async () => {
    const server = await platform.serve(
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      () => Promise.resolve(new Response("<html>hello</html>")),
    );
    const port = server.address.kind === "tcp" ? server.address.port : 0;
    const lab = shared.anew();
    const directory = `http://127.0.0.1:${port}/`;
    const { message } = await failure(lab.issue(["a.example"], { directory }));
    assert.match(message, /what it shows is no ACME directory$/);
    server.abort();
  });

  it("renewal() has no advice where the authority gives none, or is down", async () => {
    const lab = shared.anew();
    const { chain } = await lab.issue(["a.example"]);
    const issuer = lab.issuer();
    assert.equal(await issuer.renewal(chain, unending()), undefined);
    const directory = `https://127.0.0.1:${await freePort()}/dir`;
    assert.equal(await lab.issuer({ directory }).renewal(chain, unending()), undefined);
  });
});
