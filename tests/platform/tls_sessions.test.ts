/**
 * Sessions of TLS that are taken up again (RFC 8446 section 2.2): whom a client is believed to be then, on
 * either runtime. Openssl is the client, as the runtimes' own keep sessions to themselves.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import type { TlsChoice, TlsContext } from "../../src/platform/tls.ts";
import { Authority, type Pair } from "../support/certificates.ts";
import { handshake } from "../support/curl.ts";
import { LOOPBACK, within } from "./support.ts";

let ours: Authority;
let theirs: Authority;
let pair: Pair;

before(async () => {
  ours = await Authority.open();
  theirs = await Authority.open();
  pair = ours.issue("DNS:one.example");
  for (const [name, shown] of [["known", ours], ["stranger", theirs]] as const) {
    const { chain, key } = shown.issue(`DNS:${name}`);
    await writeFile(at(`${name}.pem`), chain);
    await writeFile(at(`${name}.key`), key);
  }
});

after(async () => {
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

const at = (name: string) => join(ours.folder, name);

function choiceOf(...authorities: Authority[]): TlsChoice {
  const context: TlsContext = platform.tlsContext({
    ...pair,
    clientAuthorities: authorities.map(({ certificate }) => certificate),
    minVersion: "1.2",
  });
  return { context, protocols: [], asksClient: authorities.length > 0 };
}

interface Met {
  readonly reused: boolean;
  /** Whether it was believed to be somebody. */
  readonly believed: boolean;
}

/** A listener that answers handshakes with `choice`, which may change. */
async function opened(choice: TlsChoice) {
  const door = { choice };
  const listener = await platform.listen(LOOPBACK, (connection) => {
    connection.events = { data: () => connection.close(), drained() {}, closed() {} };
    connection.write(new TextEncoder().encode(`client: ${connection.tls?.client?.subject}\n`));
  }, () => ({ choose: () => door.choice, failed: () => {} }));
  const { address } = listener;
  const port = address.kind === "tcp" ? address.port : 0;
  return {
    door,
    async meet(...args: string[]): Promise<Met> {
      const all = ["-servername", "one.example", "-ign_eof", ...args];
      const { said } = await within("a handshake", handshake(port, all, "bye\n"));
      assert.match(said, /client: /);
      return { reused: /^Reused/m.test(said), believed: /client: CN/.test(said) };
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

const showing = (name: string) => ["-cert", at(`${name}.pem`), "-key", at(`${name}.key`)];

for (const version of ["-tls1_2", "-tls1_3"]) {
  describe(`a session of ${version.slice(1)}`, () => {
    const kept = () => at(`session${version}`);
    const keep = () => ["-sess_out", kept()];
    const takeUp = () => ["-sess_in", kept()];

    it("lets a client that was believed be believed again", async () => {
      using listener = await opened(choiceOf(ours));
      const first = await listener.meet(version, ...showing("known"), ...keep());
      const next = await listener.meet(version, ...takeUp());
      assert.deepEqual(first, { reused: false, believed: true });
      assert.deepEqual(next, { reused: true, believed: true });
    });

    it("makes no stranger known", async () => {
      using listener = await opened(choiceOf(ours));
      await listener.meet(version, ...showing("stranger"), ...keep());
      const next = await listener.meet(version, ...takeUp());
      assert.deepEqual(next, { reused: true, believed: false });
    });

    it("proves nothing to other authorities than those it was begun with", async () => {
      using listener = await opened(choiceOf(theirs));
      await listener.meet(version, ...showing("stranger"), ...keep());
      listener.door.choice = choiceOf(ours);
      assert.equal((await listener.meet(version, ...takeUp())).believed, false);
    });

    it("proves nothing where the client was not asked when it was begun", async () => {
      using listener = await opened(choiceOf());
      await listener.meet(version, ...showing("known"), ...keep());
      listener.door.choice = choiceOf(ours);
      assert.equal((await listener.meet(version, ...takeUp())).believed, false);
    });
  });
}
