/** Requests to sign, what comes back, and the name by which its renewal is spoken of. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { certificateId, checkChain, newRequest } from "../../../src/tls/acme/certificate.ts";
import { nameOf, readDirectory } from "../../../src/tls/acme/directory.ts";
import { type Acme, library } from "../../../src/tls/acme/library.ts";
import { readAdvice } from "../../../src/tls/acme/renewal.ts";
import { KEY_TYPES } from "../../../src/tls_rules.ts";

const HOUR_MS = 3_600_000;

let acme: Acme;
let folder: string;

before(async () => {
  acme = (await library()).acme;
  folder = mkdtempSync(join(tmpdir(), "understudy-csr-"));
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=Test",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
});

after(() => rmSync(folder, { recursive: true }));

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
}

/** Signs a request as authorities do, with this number and whatever else is to be in it. */
function signed(csr: string, extensions: string, serial = "0x1234"): string {
  writeFileSync(join(folder, "request.pem"), csr);
  writeFileSync(join(folder, "extensions"), extensions);
  openssl(
    ...["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"],
    ...["-set_serial", serial, "-extfile", "extensions", "-out", "signed.pem"],
  );
  return readFileSync(join(folder, "signed.pem"), "utf8");
}

describe("newRequest()", () => {
  for (const keyType of KEY_TYPES) {
    it(`newRequest() asks for all names with a key of type ${keyType}`, async () => {
      const { csr, key } = await newRequest(
        acme,
        ["a.example", "*.a.example", "192.0.2.1"],
        keyType,
      );
      writeFileSync(join(folder, "asked.pem"), csr);
      const text = openssl("req", "-in", "asked.pem", "-noout", "-text", "-verify");
      assert.match(text, /DNS:a\.example, DNS:\*\.a\.example, IP Address:192\.0\.2\.1/);
      const kinds = { p256: "P-256", p384: "P-384", rsa2048: "2048 bit", rsa4096: "4096 bit" };
      assert.ok(text.includes(kinds[keyType]), text);
      assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
    });
  }
});

describe("checkChain()", () => {
  it("checkChain() takes what was asked for, names in any order", async () => {
    const request = await newRequest(acme, ["b.example", "a.example", "2001:db8::1"], "p256");
    const names = "subjectAltName=DNS:a.example,IP:2001:db8:0::1,DNS:B.example";
    await checkChain(acme, signed(request.csr, names), request);
  });

  const wrong: [string, string, RegExp][] = [
    ["a name is missing", "subjectAltName=DNS:a.example", /for other names: a\.example$/],
    [
      "a name is one too many",
      "subjectAltName=DNS:a.example,DNS:b.example,DNS:c.example",
      /other names/,
    ],
    ["there are no names", "keyUsage=digitalSignature", /for other names: $/],
  ];
  for (const [title, extensions, words] of wrong) {
    it(`checkChain() refuses a certificate where ${title}`, async () => {
      const request = await newRequest(acme, ["a.example", "b.example"], "p256");
      await assert.rejects(checkChain(acme, signed(request.csr, extensions), request), words);
    });
  }

  it("checkChain() refuses another key's certificate, and what is none", async () => {
    const request = await newRequest(acme, ["a.example"], "p256");
    const other = await newRequest(acme, ["a.example"], "p256");
    const chain = signed(other.csr, "subjectAltName=DNS:a.example");
    await assert.rejects(checkChain(acme, chain, request), /for another key$/);
    for (const text of ["", "hello", chain.replace(/\n[^\n]{20}/, "\n")]) {
      await assert.rejects(checkChain(acme, text, request), /is no certificate$|another key$/);
    }
  });
});

describe("certificateId()", () => {
  // Identifier and number of RFC 9773 section 4.1.
  const keyId = "69885B6B87464041E1B37B847BA0AE2CDE01C8D4";
  const cases: [string, string][] = [
    ["0x87654321", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"],
    ["0x07654321", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.B2VDIQ"],
  ];
  for (const [serial, expected] of cases) {
    it(`certificateId() is that of the RFC for the number ${serial}`, async () => {
      const { csr } = await newRequest(acme, ["a.example"], "p256");
      const der = `DER:30:16:80:14:${keyId.match(/../g)?.join(":")}`;
      assert.equal(await certificateId(signed(csr, `2.5.29.35=${der}`, serial)), expected);
    });
  }

  it("certificateId() is unknown where nobody is said to have signed, or there is no certificate", async () => {
    const { csr } = await newRequest(acme, ["a.example"], "p256");
    assert.equal(
      await certificateId(
        signed(
          csr,
          "subjectKeyIdentifier=none\nkeyUsage=digitalSignature\nauthorityKeyIdentifier=none",
        ),
      ),
      undefined,
    );
    assert.equal(await certificateId("hello"), undefined);
  });
});

describe("readAdvice()", () => {
  const start = "2026-12-01T00:00:00Z";
  const end = "2026-12-02T00:00:00Z";
  const span = { from: Date.parse(start), to: Date.parse(end) };
  const window = { suggestedWindow: { start, end } };
  const cases: [string, unknown, number | undefined, ReturnType<typeof readAdvice>][] = [
    ["a window", window, 2 * HOUR_MS, { ...span, againMs: 2 * HOUR_MS }],
    ["no word of when to ask again", window, undefined, { ...span, againMs: 6 * HOUR_MS }],
    ["to be asked too soon", window, 1000, { ...span, againMs: HOUR_MS }],
    ["to be asked too late", window, 99 * HOUR_MS, { ...span, againMs: 24 * HOUR_MS }],
    [
      "a window that ends before it begins",
      { suggestedWindow: { start: end, end: start } },
      1,
      undefined,
    ],
    ["a window without an end", { suggestedWindow: { start } }, 1, undefined],
    ["nothing", {}, 1, undefined],
    ["what is no object", "x", 1, undefined],
  ];
  for (const [title, value, afterMs, expected] of cases) {
    it(`readAdvice() reads ${title}`, () => {
      assert.deepEqual(readAdvice(JSON.stringify(value), afterMs), expected);
    });
  }
});

describe("readDirectory() and nameOf()", () => {
  it("readDirectory() reads what is offered", () => {
    const text = JSON.stringify({
      newNonce: "https://ca/nonce",
      renewalInfo: "https://ca/renewals",
      meta: { profiles: { classic: "x", short: "y" } },
    });
    const { newNonce, renewalInfo, profiles } = readDirectory(text);
    assert.deepEqual([newNonce, renewalInfo], ["https://ca/nonce", "https://ca/renewals"]);
    assert.deepEqual(profiles, ["classic", "short"]);
  });

  for (const text of ["", "<html>", "[]", "7", "null", '{"newNonce":7}']) {
    it(`readDirectory() refuses ${text || "nothing"}`, () => {
      assert.throws(() => readDirectory(text), /is no ACME directory/);
    });
  }

  const names: [string, string][] = [
    ["https://acme-v02.api.letsencrypt.org/directory", "acme-v02.api.letsencrypt.org"],
    ["https://ca.lan:8443/acme/acme/directory", "ca.lan-8443"],
    ["https://[2001:db8::1]/dir", "2001-db8--1"],
  ];
  for (const [directory, expected] of names) {
    it(`nameOf() calls "${directory}" "${expected}"`, () => {
      assert.equal(nameOf(directory), expected);
    });
  }
});
