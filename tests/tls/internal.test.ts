/**
 * The authority of our own as others see it: openssl, TLS clients of both runtimes, processes that begin at
 * once; and what it does as time passes and files break.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { platform } from "#platform";
import { FileError } from "../../src/platform/platform.ts";
import { InternalAuthority } from "../../src/tls/internal.ts";
import { readIdentityFile } from "../../src/tls/identity_file.ts";
import { type Identity, IssueError } from "../../src/tls/issuer.ts";
import { within } from "../platform/support.ts";
import {
  DAY_MS,
  HOUR_MS,
  LocalAuthority,
  NEVER,
  serving,
  verified,
} from "../support/local_authority.ts";
import { ManualClock } from "../support/manual_clock.ts";

const NAMES = ["app.lan", "*.app.lan", "localhost", "127.0.0.1", "::1", "fd00::1:2"];

/** The certificates of a chain, the leaf first. */
function certificatesOf({ chain }: Identity): X509Certificate[] {
  const blocks = chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function lifeOf(certificate: X509Certificate | undefined) {
  assert.ok(certificate !== undefined);
  return { from: Date.parse(certificate.validFrom), to: Date.parse(certificate.validTo) };
}

/** What it may do, as openssl reads it. */
function manners(certificate: X509Certificate): string {
  const wanted = "basicConstraints,keyUsage,extendedKeyUsage";
  const { stdout } = spawnSync("openssl", ["x509", "-noout", "-ext", wanted], {
    input: certificate.toString(),
    encoding: "utf8",
  });
  return stdout.split("\n").filter((line) => line.startsWith(" ")).map((line) => line.trim()).join(
    " / ",
  );
}

describe("InternalAuthority", () => {
  it("issues for names, wildcards and addresses what openssl accepts for them alone", async () => {
    await using lab = await LocalAuthority.open();
    const identity = await lab.authority.issue(NAMES, DAY_MS, NEVER);
    const root = await lab.authority.root(NEVER);
    const at = Date.now();

    const good = [
      ...["app.lan", "a.app.lan", "localhost"].map((name) => ["-verify_hostname", name]),
      ...["127.0.0.1", "::1", "fd00:0::1:2"].map((ip) => ["-verify_ip", ip]),
    ];
    for (const words of good) assert.equal(await verified(identity, root, { at, words }), "");
    const bad = [
      ...["other.lan", "a.b.app.lan"].map((name) => ["-verify_hostname", name]),
      ["-verify_ip", "127.0.0.2"],
    ];
    for (const words of bad) {
      assert.match(await verified(identity, root, { at, words }), /mismatch/);
    }
    assert.match(await verified(identity, root, { at: at + 2 * DAY_MS }), /expired/);
    assert.match(await verified(identity, root, { at: at - DAY_MS }), /not yet valid/);
  });

  it("makes certificates as browsers want them, with the root left out of the chain", async () => {
    await using lab = await LocalAuthority.open();
    const identity = await lab.authority.issue(NAMES, DAY_MS, NEVER);
    const [leaf, intermediate, ...more] = certificatesOf(identity);
    const root = new X509Certificate(await lab.authority.root(NEVER));
    assert.ok(leaf !== undefined && intermediate !== undefined && more.length === 0);
    assert.ok(leaf.checkIssued(intermediate) && intermediate.checkIssued(root));
    assert.ok(root.checkIssued(root));
    assert.deepEqual([leaf.ca, intermediate.ca, root.ca], [false, true, true]);

    assert.match(root.subject, /^CN=understudy local authority \d{4}-\d\d-\d\d [0-9a-f]{6}$/);
    assert.equal(leaf.subject, "CN=app.lan");
    assert.deepEqual(
      platform.certificateFacts(identity.chain).names.slice(0, 4),
      NAMES.slice(0, 4),
    );
    assert.deepEqual([leaf, intermediate, root].map(manners), [
      "CA:FALSE / Digital Signature / TLS Web Server Authentication",
      "CA:TRUE, pathlen:0 / Certificate Sign, CRL Sign",
      "CA:TRUE, pathlen:1 / Certificate Sign, CRL Sign",
    ]);
    const { from, to } = lifeOf(leaf);
    assert.ok(Math.abs(to - from - DAY_MS - HOUR_MS) <= 1000);
    // Two never have a number in common, and it has 128 bits of chance.
    const second = certificatesOf(await lab.authority.issue(["a"], DAY_MS, NEVER))[0];
    assert.notEqual(second?.serialNumber, leaf.serialNumber);
    assert.ok(leaf.serialNumber.length >= 28);
  });

  it("leaves the subject empty, and says so, where a name is too long for it", async () => {
    await using lab = await LocalAuthority.open();
    const name = `${"a".repeat(60)}.${"b".repeat(60)}.lan`;
    const identity = await lab.authority.issue([name], DAY_MS, NEVER);
    assert.equal(certificatesOf(identity)[0]?.subject || "", "");
    const root = await lab.authority.root(NEVER);
    const words = ["-verify_hostname", name];
    assert.equal(await verified(identity, root, { at: Date.now(), words }), "");
  });

  for (const servername of ["app.lan", "127.0.0.1"]) {
    it(`shows ${servername} a certificate that a client of this runtime takes, by its root alone`, async () => {
      await using lab = await LocalAuthority.open();
      await using server = await serving(await lab.authority.issue(NAMES, DAY_MS, NEVER));
      const root = await lab.authority.root(NEVER);
      const isName = servername === "app.lan";
      const ask = async (ca: string): Promise<string> => {
        const at = { host: "127.0.0.1", port: server.port, ca: [ca] };
        const socket = connect({ ...at, ...(isName && { servername }) });
        try {
          await within("a handshake", once(socket, "secureConnect"));
          return socket.authorized ? "taken" : "not authorized";
        } catch (error) {
          return String(error);
        } finally {
          socket.destroy();
        }
      };
      assert.equal(await ask(root), "taken");
      await using others = await LocalAuthority.open();
      assert.match(await ask(await others.authority.root(NEVER)), /issuer|unknown|signature/i);
    });
  }

  it("keeps its root for ever, and an intermediate for two thirds of its life", async () => {
    const clock = new ManualClock();
    await using lab = await LocalAuthority.open(clock);
    const root = await lab.authority.root(NEVER);
    const intermediates = new Set<string>();
    for (let hours = 0; hours < 24 * 14; hours += 8) {
      // A process that was there all the time, and one that starts now.
      for (const authority of [lab.authority, lab.again()]) {
        const identity = await authority.issue(["app.lan"], DAY_MS, NEVER);
        const [leaf, intermediate] = certificatesOf(identity);
        intermediates.add(intermediate?.serialNumber ?? "");
        assert.ok(lifeOf(leaf).to - clock.now() > DAY_MS - 1000);
        assert.ok(lifeOf(leaf).to <= lifeOf(intermediate).to);
        assert.ok(lifeOf(leaf).from >= lifeOf(intermediate).from);
        assert.equal(await authority.root(NEVER), root);
        if (hours % 48 === 0) {
          assert.equal(await verified(identity, root, { at: clock.now() }), "");
          assert.equal(await verified(identity, root, { at: lifeOf(leaf).to - 1000 }), "");
        }
      }
      await clock.advance(8 * HOUR_MS);
    }
    // Every 14 turns of 8 hours, the 112 that two thirds of a week take.
    assert.equal(intermediates.size, 3);
  });

  it("renews the intermediate first for a long life, and never outlives it", async () => {
    const clock = new ManualClock();
    await using lab = await LocalAuthority.open(clock);
    await lab.authority.root(NEVER);
    const endOf = async (lifetimeMs: number) => {
      const certificates = certificatesOf(await lab.authority.issue(["a"], lifetimeMs, NEVER));
      const [leaf, intermediate] = certificates.map(lifeOf);
      return [leaf?.to ?? 0, intermediate?.to ?? 0].map((to) => (to - clock.now()) / DAY_MS);
    };
    assert.deepEqual(await endOf(DAY_MS), [1, 7]);
    await clock.advance(3 * DAY_MS);
    assert.deepEqual(await endOf(DAY_MS), [1, 4]);
    assert.deepEqual(await endOf(4 * DAY_MS + HOUR_MS), [4 + 1 / 24, 7]);
    assert.deepEqual(await endOf(365 * DAY_MS), [7, 7]);
    await clock.advance(DAY_MS);
    assert.deepEqual(await endOf(365 * DAY_MS), [6, 6]);
  });

  it("issues to the last day of its root, whose end it tells, and then says what to do", async () => {
    const clock = new ManualClock();
    await using lab = await LocalAuthority.open(clock);
    const { validTo, fingerprint } = await lab.authority.rootFacts(NEVER);
    assert.equal(fingerprint.length, 64);
    assert.ok(validTo - clock.now() > 3650 * DAY_MS);
    await clock.advance(validTo - clock.now() - DAY_MS / 2);
    const first = certificatesOf(await lab.authority.issue(["a"], DAY_MS, NEVER));
    assert.deepEqual(first.map((one) => lifeOf(one).to), [validTo, validTo]);
    const second = certificatesOf(await lab.authority.issue(["a"], DAY_MS, NEVER));
    assert.equal(second[1]?.serialNumber, first[1]?.serialNumber);
    await clock.advance(DAY_MS / 2);
    await assert.rejects(
      lab.authority.issue(["a"], DAY_MS, NEVER),
      (error) => error instanceof IssueError && /ended on 2036-11-21; to begin/.test(error.message),
    );
  });

  it("makes no root while the clock is plainly wrong, but issues when it is set back", async () => {
    const clock = new ManualClock();
    let offMs = -Date.parse("2026-11-22");
    await using lab = await LocalAuthority.open(
      { ...platform.clock, now: () => clock.now() + offMs },
    );
    await assert.rejects(lab.authority.issue(["a"], DAY_MS, NEVER), (error) => {
      assert.ok(error instanceof IssueError);
      assert.match(
        error.message,
        /^Cannot make a root while this machine's clock says 1970-01-01$/,
      );
      return error.retryAfterMs === 10_000;
    });
    assert.equal(await lab.authority.knownRoot(), undefined);

    offMs = 0;
    const root = await lab.authority.root(NEVER);
    await lab.authority.issue(["a"], DAY_MS, NEVER);
    offMs = -2 * HOUR_MS;
    const early = await lab.authority.issue(["a"], DAY_MS, NEVER);
    const { from } = lifeOf(certificatesOf(early)[1]);
    assert.equal(from, clock.now() - 3 * HOUR_MS);
    assert.equal(await lab.authority.root(NEVER), root);
  });

  it("refuses names that are none", async () => {
    await using lab = await LocalAuthority.open();
    const issuer = lab.authority.issuer(DAY_MS);
    await assert.rejects(
      issuer.issue(["a", "x y"], { replaced: undefined, signal: NEVER }),
      (error) => error instanceof IssueError && /"x y": Expected a name/.test(error.message),
    );
    // Asked for in vain, nothing is made.
    assert.deepEqual(await readdir(lab.folder), []);
    assert.equal(issuer.name, "internal");
    assert.equal(await issuer.renewal("", NEVER), undefined);
  });

  it("has one intermediate made however many ask at once", async () => {
    await using lab = await LocalAuthority.open();
    const asked = Array.from(
      { length: 20 },
      (_, at) => lab.authority.issue([`n${at}.lan`], DAY_MS, NEVER),
    );
    const identities = await Promise.all(asked);
    const intermediates = identities.map((one) => certificatesOf(one)[1]?.serialNumber);
    assert.equal(new Set(intermediates).size, 1);
    assert.equal(new Set(identities.map(({ key }) => key)).size, 20);
  });

  it("issues within a turn of the very host that it is called like", async () => {
    await using lab = await LocalAuthority.open();
    const store = await lab.parts.store();
    const issue = () => lab.authority.issue(["internal"], DAY_MS, NEVER);
    await within("a certificate", store.exclusively("internal", NEVER, issue));
  });

  it("stops waiting for its turn when nobody wants the certificate any more", async () => {
    await using lab = await LocalAuthority.open();
    const inTheWay = Promise.withResolvers<void>();
    const store = await lab.parts.store();
    const other = store.exclusively("internal authority", NEVER, () => inTheWay.promise);
    const control = new AbortController();
    const issuing = lab.authority.issuer(DAY_MS)
      .issue(["a"], { replaced: undefined, signal: control.signal });
    control.abort();
    await assert.rejects(
      within("the end", issuing),
      new IssueError("Stopped before the local authority had its turn"),
    );
    inTheWay.resolve();
    await other;
  });
});

describe("InternalAuthority's files", () => {
  const files = async (folder: string) =>
    Object.fromEntries(
      await Promise.all(
        (await readdir(join(folder, "internal"))).toSorted().map(async (name) =>
          [name, ((await stat(join(folder, "internal", name))).mode & 0o777).toString(8)] as const
        ),
      ),
    );

  it("are few and closed; the root's certificate stands alone as well", async () => {
    await using lab = await LocalAuthority.open();
    await lab.authority.issue(["a"], DAY_MS, NEVER);
    assert.deepEqual(await files(lab.folder), {
      "intermediate.pem": "600",
      "root.key": "600",
      "root.pem": "600",
    });
    const root = await lab.authority.root(NEVER);
    assert.equal(await readFile(join(lab.folder, "internal/root.pem"), "utf8"), root);
    const kept = readIdentityFile(await readFile(join(lab.folder, "internal/root.key"), "utf8"));
    assert.equal(kept?.chain, root);
    assert.equal(await lab.again().knownRoot(), root);
  });

  /** Breaks a file of an authority that has issued, and tells how one that starts then fares. */
  async function afterwards(
    name: string,
    broken: string | undefined | ((text: string) => string),
  ) {
    await using lab = await LocalAuthority.open();
    await lab.authority.issue(["a"], DAY_MS, NEVER);
    const before = await lab.authority.root(NEVER);
    const path = join(lab.folder, "internal", name);
    const text = await readFile(path, "utf8");
    const breaking = typeof broken === "function" ? broken(text) : broken;
    if (breaking === undefined) await rm(path);
    else await writeFile(path, breaking);
    const issued = await lab.again().issue(["a"], DAY_MS, NEVER).then(
      (identity) => verified(identity, before, { at: Date.now() }),
      (error: unknown) => {
        assert.ok(error instanceof IssueError);
        return error.message;
      },
    );
    const now = await readFile(path, "utf8").catch(() => undefined);
    return { issued, isAsBroken: now === breaking, isAsBefore: now === text };
  }

  /** A whole file of the same kind, but another authority's. */
  async function foreign(name: string): Promise<string> {
    await using lab = await LocalAuthority.open();
    await lab.authority.issue(["a"], DAY_MS, NEVER);
    return await readFile(join(lab.folder, "internal", name), "utf8");
  }

  const half = (text: string) => text.slice(0, text.length / 2);
  const damaged =
    /^Cannot use the key of the local authority: "internal\/root.key" is damaged; restore it, or to begin anew/;
  const fatal: [string, string, string | undefined | ((text: string) => string), RegExp][] = [
    ["the root's key is empty", "root.key", "", damaged],
    ["the root's key is cut off", "root.key", half, damaged],
    ["the root's key has wrong bytes", "root.key", (text) => text.replace(/M../, "AAA"), damaged],
    [
      "the root's key is missing",
      "root.key",
      undefined,
      /"internal\/root.key" is missing; restore it/,
    ],
  ];
  for (const [title, name, broken, words] of fatal) {
    it(`never make another root: ${title}`, async () => {
      const { issued, isAsBroken } = await afterwards(name, broken);
      assert.match(issued, words);
      assert.ok(isAsBroken);
    });
  }

  it("never make another root: its key is another certificate's", async () => {
    const other = await foreign("root.key");
    const swap = (text: string) =>
      text.replace(/-----BEGIN PRIVATE[\s\S]*/, /-----BEGIN PRIVATE[\s\S]*/.exec(other)?.[0] ?? "");
    assert.match((await afterwards("root.key", swap)).issued, damaged);
  });

  it("never choose between two roots", async () => {
    const words = /^Cannot tell which root is the right one/;
    for (const name of ["root.pem", "root.key"]) {
      const { issued, isAsBroken } = await afterwards(name, await foreign(name));
      assert.match(issued, words);
      assert.ok(isAsBroken);
    }
  });

  const mended: [string, string, string | undefined | ((text: string) => string), boolean][] = [
    ["the root's certificate is missing", "root.pem", undefined, true],
    ["the root's certificate is cut off", "root.pem", half, true],
    ["the intermediate is missing", "intermediate.pem", undefined, false],
    ["the intermediate is cut off", "intermediate.pem", half, false],
  ];
  for (const [title, name, broken, isSame] of mended) {
    it(`are mended when ${title}`, async () => {
      const { issued, isAsBroken, isAsBefore } = await afterwards(name, broken);
      assert.deepEqual([issued, isAsBroken, isAsBefore], ["", false, isSame]);
    });
  }

  it("are mended when the intermediate is of another root", async () => {
    const other = await foreign("intermediate.pem");
    assert.deepEqual((await afterwards("intermediate.pem", other)).issued, "");
  });

  it("reject in words when they cannot be read", async () => {
    await using lab = await LocalAuthority.open();
    await mkdir(join(lab.folder, "internal", "root.key"), { recursive: true });
    await assert.rejects(
      lab.authority.root(NEVER),
      new IssueError(`Cannot read "${join(lab.folder, "internal/root.key")}": it is a directory`),
    );
    await assert.rejects(lab.authority.knownRoot(), IssueError);
  });

  it("reject in words when their folder cannot be opened, and are opened again later", async () => {
    await using lab = await LocalAuthority.open();
    let isOpen = false;
    const authority = new InternalAuthority({
      ...lab.parts,
      store: () => isOpen ? lab.parts.store() : Promise.reject(new FileError("Cannot open it")),
    });
    await assert.rejects(authority.issue(["a"], DAY_MS, NEVER), new IssueError("Cannot open it"));
    await assert.rejects(authority.knownRoot(), new IssueError("Cannot open it"));
    isOpen = true;
    await authority.issue(["a"], DAY_MS, NEVER);
  });

  it("hold one root when processes of both runtimes begin at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "understudy-tls-"));
    const bin = (name: string) =>
      fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url).href);
    const fixture = fileURLToPath(new URL("./fixtures/make_root.ts", import.meta.url).href);
    const bun = [bin("bun"), "run", fixture, folder];
    const deno = [bin("deno"), "run", "-A", "--no-lock", "--quiet", fixture, folder];
    const children = [bun, deno, bun, deno].map(([program = "", ...args]) => {
      const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
      let out = "";
      child.stdout.on("data", (data) => out += String(data));
      return {
        child,
        ready: once(child.stdout, "data"),
        end: once(child, "close"),
        out: () => out,
      };
    });
    try {
      for (const { ready } of children) await within("a process", ready);
      for (const { child } of children) child.stdin.write("go\n");
      for (const { end } of children) await within("a root", end);
      const made = children.map(({ out }) => JSON.parse(out().replace("ready\n", "")));
      assert.equal(new Set(made.map(({ root }) => root)).size, 1);
      const intermediates = made.map(({ identity }) => certificatesOf(identity)[1]?.serialNumber);
      assert.equal(new Set(intermediates).size, 1);
      for (const { identity, root } of made) {
        assert.equal(await verified(identity, root, { at: Date.now() }), "");
      }
    } finally {
      for (const { child } of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true });
    }
  });
});
