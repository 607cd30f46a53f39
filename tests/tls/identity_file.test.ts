/** One file for a certificate and its key: whole, or not read. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { identityFile, readIdentityFile } from "../../src/tls/identity_file.ts";

const block = (label: string, body: string) =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const leaf = block("CERTIFICATE", "AAAA\nBBBB");
const issuer = block("CERTIFICATE", "CCC=");
const key = block("PRIVATE KEY", "KKKK");
const identity = { chain: leaf + issuer, key };
const file = leaf + issuer + key;

describe("identityFile()", () => {
  it("holds chain and key, and readIdentityFile() gives them back", () => {
    assert.equal(identityFile(identity), file);
    assert.equal(identityFile({ chain: `\n${identity.chain}\n`, key: key.trim() }), file);
    assert.deepEqual(readIdentityFile(file), identity);
  });
});

describe("readIdentityFile()", () => {
  const read: [string, string, typeof identity][] = [
    ["the key first", key + leaf + issuer, identity],
    ["lines as on Windows", file.replaceAll("\n", "\r\n"), identity],
    ["space between", `\n${leaf}\n\n${issuer} \n${key}\n`, identity],
    ["a key of the older kind", leaf + block("EC PRIVATE KEY", "K"), {
      chain: leaf,
      key: block("EC PRIVATE KEY", "K"),
    }],
  ];
  for (const [title, text, expected] of read) {
    it(`reads ${title}`, () => assert.deepEqual(readIdentityFile(text), expected));
  }

  const refused: [string, string][] = [
    ["nothing", ""],
    ["no key", leaf + issuer],
    ["no certificate", key],
    ["two keys", file + block("RSA PRIVATE KEY", "R")],
    ["a key that is locked", leaf + block("ENCRYPTED PRIVATE KEY", "K")],
    ["other words", `${file}and more`],
    ["a damaged end", leaf + key.replace("END PRIVATE KEY", "END CERTIFICATE")],
    ["bytes that are none", file.replace("AAAA", "A*AA")],
  ];
  for (const [title, text] of refused) {
    it(`refuses ${title}`, () => assert.equal(readIdentityFile(text), undefined));
  }

  it("refuses whatever is cut off", () => {
    for (let at = 0; at < file.length - 1; at++) {
      assert.equal(readIdentityFile(file.slice(0, at)), undefined, String(at));
    }
  });
});
