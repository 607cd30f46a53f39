/**
 * Listening with TLS: who is shown what, which protocol is agreed on, who is turned away and how, and
 * that a slow peer stops a fast one through the encryption, on either runtime.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectPlain, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { platform } from "#platform";
import type { Connection, ConnectionEvents } from "../../src/platform/platform.ts";
import {
  CertificateError,
  type ClientHello,
  type ConnectionTls,
  type TlsChoice,
  type TlsContext,
} from "../../src/platform/tls.ts";
import { Authority, type Pair } from "../support/certificates.ts";
import { LOOPBACK, within } from "./support.ts";

let ours: Authority;
let theirs: Authority;
let one: Pair;
let two: Pair;
let client: Pair;
let stranger: Pair;

before(async () => {
  ours = await Authority.open();
  theirs = await Authority.open();
  one = ours.issue("DNS:one.example");
  two = ours.issue("DNS:two.example", "DNS:*.two.example", "IP:127.0.0.1");
  client = ours.issue("DNS:client");
  stranger = theirs.issue("DNS:stranger");
});

after(async () => {
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

function contextOf({ chain, key }: Pair, clientAuthorities: readonly string[] = []): TlsContext {
  return platform.tlsContext({ chain, key, clientAuthorities, minVersion: "1.2" });
}

function choiceOf(context: TlsContext, more: Partial<TlsChoice> = {}): TlsChoice {
  return { context, protocols: ["h2", "http/1.1"], asksClient: false, ...more };
}

interface Door {
  readonly port: number;
  readonly hellos: ClientHello[];
  readonly localIps: string[];
  /** Reasons of handshakes that came to nothing. */
  readonly failures: string[];
  readonly failed: Promise<void>;
}

/** A listener that has `choose` answer handshakes and `serve` take connections. */
async function opened(
  choose: (hello: ClientHello) => TlsChoice | undefined | Promise<TlsChoice | undefined>,
  serve: (connection: Connection) => ConnectionEvents = greet,
): Promise<Door & AsyncDisposable> {
  const hellos: ClientHello[] = [];
  const localIps: string[] = [];
  const failures: string[] = [];
  const failed = Promise.withResolvers<void>();
  const accepted = new Set<Connection>();
  const listener = await platform.listen(LOOPBACK, (connection) => {
    accepted.add(connection);
    connection.events = serve(connection);
  }, () => ({
    choose(hello, localIp) {
      hellos.push(hello);
      localIps.push(localIp);
      return choose(hello);
    },
    failed(_, reason) {
      failures.push(reason);
      failed.resolve();
    },
  }));
  const port = listener.address.kind === "tcp" ? listener.address.port : 0;
  return {
    ...{ port, hellos, localIps, failures, failed: failed.promise },
    [Symbol.asyncDispose]() {
      for (const connection of accepted) connection.reset();
      listener.close();
      return Promise.resolve();
    },
  };
}

function deaf(more: Partial<ConnectionEvents> = {}): ConnectionEvents {
  return { data() {}, drained() {}, closed() {}, ...more };
}

/** Tells a client what is known of it, and hangs up. */
function greet(connection: Connection): ConnectionEvents {
  connection.write(new TextEncoder().encode(JSON.stringify(connection.tls ?? "in the clear")));
  connection.close();
  return deaf();
}

interface Told {
  readonly tls: ConnectionTls;
  readonly shown: string;
  readonly protocol: string | false | null;
}

/** What a client sees of a listener, and what that saw of the client. */
async function tell(port: number, options: ConnectionOptions = {}): Promise<Told> {
  const socket = connect({
    ...{ host: "127.0.0.1", port, ca: ours.certificate, ALPNProtocols: ["http/1.1"] },
    // Whose certificate it is, is what is asked here.
    checkServerIdentity: () => undefined,
    ...options,
  });
  let text = "";
  socket.on("data", (bytes: Uint8Array) => text += String(bytes));
  await within("a handshake", once(socket, "secureConnect"));
  const shown = socket.getPeerCertificate().subjectaltname ?? "";
  const protocol = socket.alpnProtocol;
  await within("a greeting", once(socket, "end"));
  socket.destroy();
  return { tls: JSON.parse(text), shown, protocol };
}

/** The error that a client's handshake ends with. */
async function refusal(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  const ended = Promise.withResolvers<string>();
  socket.on("error", (error: Error) => ended.resolve(error.message));
  socket.on("close", () => ended.resolve("closed"));
  socket.on("secureConnect", () => ended.resolve("connected"));
  const words = await within("a refusal", ended.promise);
  socket.destroy();
  return words;
}

const endings: [string, "reset" | "close", boolean][] = [
  ["breaks a connection that is reset", "reset", true],
  ["says goodbye on a connection that is closed", "close", false],
];

describe("listen() with a door", () => {
  it("listen() shows each name its own certificate", async () => {
    const contexts = new Map([["one.example", contextOf(one)], ["two.example", contextOf(two)]]);
    await using door = await opened(({ name }) => {
      const context = contexts.get(name ?? "two.example");
      return context && choiceOf(context);
    });
    const seen = [];
    for (const servername of ["one.example", "two.example", undefined]) {
      const { shown } = await tell(door.port, servername === undefined ? {} : { servername });
      seen.push(shown.split(",")[0]);
    }
    assert.deepEqual(seen, ["DNS:one.example", "DNS:two.example", "DNS:two.example"]);
    assert.deepEqual(door.hellos.map(({ name }) => name), [
      "one.example",
      "two.example",
      undefined,
    ]);
    assert.deepEqual([...new Set(door.localIps)], ["127.0.0.1"]);
  });

  it("listen() shows a certificate that was swapped from the next handshake on", async () => {
    let context = contextOf(one);
    await using door = await opened(() => choiceOf(context));
    const first = await tell(door.port, { servername: "one.example" });
    context = contextOf(two);
    const second = await tell(door.port, { servername: "one.example" });
    assert.equal(first.shown, "DNS:one.example");
    assert.match(second.shown, /^DNS:two.example/);
  });

  it("listen() waits for a choice that takes its time", async () => {
    const context = contextOf(one);
    await using door = await opened(async () => {
      await platform.clock.sleep(30);
      return choiceOf(context);
    });
    const { shown } = await tell(door.port, { servername: "one.example" });
    assert.equal(shown, "DNS:one.example");
  });

  const agreements: [string, string[] | undefined, string[], string | undefined][] = [
    ["agrees on ours that is preferred", ["http/1.1", "h2"], ["h2", "http/1.1"], "h2"],
    ["agrees on the only common protocol", ["http/1.1"], ["h2", "http/1.1"], "http/1.1"],
    ["goes without where the client offers none", undefined, ["h2", "http/1.1"], undefined],
    ["keeps h2 from a listener that has none", ["h2", "http/1.1"], ["http/1.1"], "http/1.1"],
  ];
  for (const [title, offered, protocols, agreed] of agreements) {
    it(`listen() ${title}`, async () => {
      const context = contextOf(one);
      await using door = await opened(() => choiceOf(context, { protocols }));
      const { tls, protocol } = await tell(door.port, {
        servername: "one.example",
        ALPNProtocols: offered,
      });
      assert.equal(tls.protocol, agreed);
      assert.equal(protocol || undefined, agreed);
    });
  }

  it("listen() knows version, cipher and name of a connection", async () => {
    const context = contextOf(one);
    await using door = await opened(() => choiceOf(context));
    const { tls } = await tell(door.port, { servername: "ONE.example", maxVersion: "TLSv1.2" });
    assert.equal(tls.version, "TLSv1.2");
    assert.match(tls.cipher, /^(TLS_)?ECDHE[-_]ECDSA[-_]/);
    assert.equal(tls.name, "one.example");
    assert.equal(tls.client, undefined);
  });

  it("listen() tells what a client proved to be", async () => {
    const context = contextOf(one, [ours.certificate]);
    await using door = await opened(() => choiceOf(context, { asksClient: true }));
    const options = { servername: "one.example", cert: client.chain, key: client.key };
    const facts = platform.certificateFacts(client.chain);
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const { tls } = await tell(door.port, { ...options, maxVersion });
      assert.equal(tls.version, maxVersion);
      assert.match(tls.client?.subject ?? "", /^CN=issued-2$/);
      assert.equal(tls.client?.issuer, "CN=Test authority");
      assert.equal(tls.client?.serial, facts.serial);
      assert.equal(tls.client?.fingerprint, facts.fingerprint);
    }
  });

  const unproven: [string, () => Partial<ConnectionOptions>, boolean][] = [
    ["of a client that shows nothing", () => ({}), true],
    [
      "of a client that a stranger vouches for",
      () => ({ cert: stranger.chain, key: stranger.key }),
      true,
    ],
    [
      "of a client that was not asked",
      () => ({ cert: client.chain, key: client.key }),
      false,
    ],
  ];
  for (const [title, shown, asksClient] of unproven) {
    it(`listen() believes nothing ${title}`, async () => {
      const context = contextOf(one, [ours.certificate]);
      await using door = await opened(() => choiceOf(context, { asksClient }));
      const { tls } = await tell(door.port, { servername: "one.example", ...shown() });
      assert.equal(tls.client, undefined);
    });
  }

  it("listen() refuses a name that nobody has a certificate for", async () => {
    await using door = await opened(() => undefined);
    assert.match(
      await refusal(door.port, { servername: "three.example" }),
      /unrecogni[sz]ed.?name/i,
    );
    assert.deepEqual(door.failures, ['no certificate for "three.example"']);
  });

  it("listen() refuses a client that speaks other protocols alone", async () => {
    const context = contextOf(one);
    await using door = await opened(() => choiceOf(context));
    const options = { servername: "one.example", ALPNProtocols: ["smtp"] };
    assert.match(await refusal(door.port, options), /no.?application.?protocol/i);
    assert.deepEqual(door.failures, ["none of the client's protocols is spoken here"]);
  });

  it("listen() survives a choice that throws", async () => {
    const context = contextOf(one);
    await using door = await opened(({ name }) => {
      if (name === "one.example") return choiceOf(context);
      throw new Error("no such luck");
    });
    assert.notEqual(await refusal(door.port, { servername: "two.example" }), "connected");
    assert.deepEqual(door.failures, ["no such luck"]);
    await tell(door.port, { servername: "one.example" });
  });

  it("listen() hands on what speaks in the clear as it came", async () => {
    const heard = Promise.withResolvers<string>();
    await using door = await opened(
      () => undefined,
      (connection) =>
        deaf({
          data: (bytes) =>
            heard.resolve(`${connection.tls === undefined} ${new TextDecoder().decode(bytes)}`),
        }),
    );
    const socket = connectPlain(door.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\n\r\n");
    assert.equal(await within("bytes", heard.promise), "true GET / HTTP/1.1\r\n\r\n");
    assert.deepEqual(door.hellos, []);
    socket.destroy();
  });

  it("listen() hangs up on what only looks like TLS", async () => {
    await using door = await opened(() => undefined);
    const socket = connectPlain(door.port, "127.0.0.1");
    socket.on("error", () => {});
    let got = Buffer.alloc(0);
    socket.on("data", (bytes) => got = Buffer.concat([got, bytes]));
    socket.write(new Uint8Array([22, 3, 1, 0, 4, 9, 9, 9, 9]));
    await within("its end", new Promise((resolve) => socket.once("close", resolve)));
    assert.deepEqual([...got], [21, 3, 3, 0, 2, 2, 50]);
    assert.deepEqual(door.failures, ["no hello of TLS"]);
  });

  it("listen() reads a hello that comes byte by byte", async () => {
    const context = contextOf(one);
    await using door = await opened(() => choiceOf(context));
    // A relay that cuts what passes towards the listener into single bytes.
    const relay = createServer((from) => {
      const to = connectPlain({ port: door.port, host: "127.0.0.1", noDelay: true });
      from.on("data", (bytes: Uint8Array) => {
        for (let at = 0; at < bytes.length; at++) to.write(bytes.subarray(at, at + 1));
      });
      to.on("data", (bytes) => from.write(bytes));
      to.on("end", () => from.end());
      for (const socket of [from, to]) socket.on("error", () => {});
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    const bound = relay.address();
    assert.ok(typeof bound === "object" && bound !== null);
    const { tls } = await tell(bound.port, { servername: "one.example" });
    assert.equal(tls.name, "one.example");
    relay.close();
  });

  it("listen() tells of a client that leaves amid the handshake", async () => {
    await using door = await opened(() => undefined);
    const socket = connectPlain(door.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(new Uint8Array([22, 3, 1]));
    socket.end();
    await within("a failure", door.failed);
    assert.deepEqual(door.failures, ["client left"]);
    socket.destroy();
  });

  for (const [title, end, words] of endings) {
    it(`listen() ${title}`, async () => {
      const context = contextOf(one);
      await using door = await opened(() => choiceOf(context), (connection) => {
        connection.write(new Uint8Array(1));
        connection[end]();
        return deaf();
      });
      // Node's own client tells no torn end from a clean one on Deno.
      const args = ["s_client", "-quiet", "-connect", `127.0.0.1:${door.port}`];
      const child = spawn("openssl", args, { stdio: ["pipe", "ignore", "pipe"] });
      let said = "";
      child.stderr.on("data", (bytes) => said += String(bytes));
      await within("openssl to end", once(child, "close"));
      assert.equal(/unexpected eof|errno=|error:0/.test(said), words, said);
    });
  }

  it("listen() tells a clean end from a broken one", async () => {
    const context = contextOf(one);
    const ends: boolean[] = [];
    const both = Promise.withResolvers<void>();
    await using door = await opened(() => choiceOf(context), (connection) => {
      connection.write(new Uint8Array(1));
      return deaf({
        closed(clean) {
          ends.push(clean);
          if (ends.length === 2) both.resolve();
        },
      });
    });
    const options = {
      ...{ host: "127.0.0.1", port: door.port, ca: ours.certificate, servername: "one.example" },
    };
    const polite = connect(options);
    await within("a byte", once(polite, "data"));
    polite.end();
    await within("an end", once(polite, "close"));
    const plain = connectPlain(door.port, "127.0.0.1");
    const rude = connect({ socket: plain, ca: ours.certificate, servername: "one.example" });
    rude.on("error", () => {});
    await within("a byte", once(rude, "data"));
    plain.resetAndDestroy();
    await within("both ends", both.promise);
    assert.deepEqual(ends, [true, false]);
  });

  it("listen() passes large bodies whole, both ways", async () => {
    const context = contextOf(one);
    await using door = await opened(() => choiceOf(context), (connection) => {
      const waiting: Uint8Array[] = [];
      return deaf({
        data(bytes) {
          if (!connection.write(bytes)) {
            connection.pause();
            waiting.push(bytes);
          }
        },
        drained: () => connection.resume(),
        closed() {},
      });
    });
    const socket = connect({
      ...{ host: "127.0.0.1", port: door.port, ca: ours.certificate, servername: "one.example" },
    });
    await within("a handshake", once(socket, "secureConnect"));
    const sent = new Uint8Array(8 * 1024 * 1024).map((_, at) => (at * 31 + (at >> 8)) & 0xff);
    const back = received(socket, sent.length);
    socket.write(sent);
    assert.ok(Buffer.from(sent).equals(await within("all of it", back)));
    socket.destroy();
  });

  it("listen() stops a sender whose bytes nobody takes", async () => {
    const context = contextOf(one);
    let heard = 0;
    let taker: Connection | undefined;
    const first = Promise.withResolvers<void>();
    await using door = await opened(() => choiceOf(context), (connection) => {
      taker = connection;
      return deaf({
        data(bytes) {
          heard += bytes.length;
          connection.pause();
          first.resolve();
        },
      });
    });
    const socket = connect({
      ...{ host: "127.0.0.1", port: door.port, ca: ours.certificate, servername: "one.example" },
    });
    socket.on("error", () => {});
    await within("a handshake", once(socket, "secureConnect"));
    const piece = new Uint8Array(256 * 1024);
    let sent = 0;
    // Until the system takes no more of it for half a second.
    const stuck = (async () => {
      for (;;) {
        sent += piece.length;
        const taken = new Promise<boolean>((resolve) => {
          socket.write(piece, () => resolve(true));
        });
        const late = platform.clock.sleep(500).then(() => false);
        if (!await Promise.race([taken, late])) return;
        assert.ok(sent < 256 * 1024 * 1024, "nobody stopped the sender");
      }
    })();
    await within("a first piece", first.promise);
    await within("the sender to be stopped", stuck);
    assert.ok(heard < 32 * 1024 * 1024, `${heard} bytes came through`);
    taker?.reset();
    socket.destroy();
  });
});

async function received(socket: TLSSocket, count: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of socket) {
    parts.push(part);
    size += part.length;
    if (size >= count) break;
  }
  return Buffer.concat(parts);
}

describe("tlsContext() and certificateFacts()", () => {
  it("tlsContext() refuses a key that is not the certificate's", () => {
    assert.throws(() => contextOf({ chain: one.chain, key: two.key }), (error) => {
      assert.ok(error instanceof CertificateError);
      return /the key is another certificate's/.test(error.message);
    });
  });

  it("tlsContext() refuses a chain in the wrong order", () => {
    const chain = `${one.chain}${two.chain}`;
    assert.throws(
      () => contextOf({ chain, key: one.key }),
      /certificate 2 of the chain did not sign certificate 1/,
    );
    assert.ok(contextOf({ chain: `${one.chain}${ours.certificate}`, key: one.key }));
  });

  it("tlsContext() shows nothing of a key that cannot be read", () => {
    const key = one.key.replace(/\n[^\n]{10}/, "\nAAAAAAAAAA");
    assert.throws(() => contextOf({ chain: one.chain, key }), (error) => {
      assert.ok(error instanceof Error);
      return !one.key.includes(error.message) && /private key/.test(error.message);
    });
  });

  it("certificateFacts() reads whom a certificate is for and how long", () => {
    const facts = platform.certificateFacts(two.chain);
    assert.deepEqual(facts.names, ["two.example", "*.two.example", "127.0.0.1"]);
    assert.equal(facts.issuer, "CN=Test authority");
    assert.match(facts.fingerprint, /^[0-9a-f]{64}$/);
    const now = platform.clock.now();
    assert.ok(facts.validFrom <= now && now < facts.validTo);
    assert.ok(facts.validTo - facts.validFrom <= 2 * 86_400_000);
  });

  it("certificateFacts() refuses what is no certificate", () => {
    const broken = one.chain.replace(/\n[^\n]{12}/, "\nAAAAAAAAAAAA");
    for (const text of ["", broken]) {
      assert.throws(() => platform.certificateFacts(text), CertificateError);
    }
  });
});
