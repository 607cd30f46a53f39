/** Certificates that prove a name in a handshake, and whether the runtime lets them into one. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { platform } from "#platform";
import { alpnIdentity } from "../../../src/tls/acme/alpn.ts";
import { LOOPBACK, within } from "../../platform/support.ts";

const ANSWER = "token.thumbprint";
const NOW = Date.parse("2026-11-22T12:00:00Z");

describe("alpnIdentity()", () => {
  const names: [string, string][] = [
    ["a.example", "DNS:a.example"],
    ["192.0.2.1", "IP Address:192.0.2.1"],
  ];
  for (const [name, expected] of names) {
    it(`alpnIdentity() is for "${name}" alone, and holds the answer's digest`, async () => {
      const { chain, key } = await alpnIdentity(name, ANSWER, NOW);
      platform.tlsContext({ chain, key, clientAuthorities: [], minVersion: "1.2" });
      const certificate = new X509Certificate(chain);
      assert.equal(certificate.subjectAltName, expected);
      assert.ok(certificate.verify(certificate.publicKey));
      assert.ok(Date.parse(certificate.validFrom) < NOW && NOW < Date.parse(certificate.validTo));
      // The identifier of RFC 8737 section 6.1, critical, then an OCTET STRING within another one.
      const digest = createHash("sha256").update(ANSWER).digest("hex");
      const extension = `06082b0601050507011f0101ff04220420${digest}`;
      assert.ok(certificate.raw.toString("hex").includes(extension));
    });
  }
});

describe("showsTlsProofs", () => {
  it("showsTlsProofs says whether a handshake can show them", async () => {
    const identity = await alpnIdentity("a.example", ANSWER, platform.clock.now());
    const context = platform.tlsContext({ ...identity, clientAuthorities: [], minVersion: "1.2" });
    const protocols = ["acme-tls/1"];
    const choice = { context, protocols, asksClient: false };
    const listener = await platform.listen(
      LOOPBACK,
      (connection) => connection.reset(),
      () => ({ choose: () => choice, failed() {} }),
    );
    const port = listener.address.kind === "tcp" ? listener.address.port : 0;
    const socket = connect({
      ...{ host: "127.0.0.1", port, servername: "a.example", ALPNProtocols: protocols },
      rejectUnauthorized: false,
    });
    const shown = await within(
      "a handshake's end",
      Promise.race([
        once(socket, "secureConnect").then(() => socket.getPeerCertificate().subjectaltname),
        new Promise((resolve) => socket.once("close", resolve)),
      ]).catch(() => undefined),
    );
    socket.destroy();
    listener.close();
    assert.equal(shown === "DNS:a.example", platform.showsTlsProofs);
  });
});
