/** Dialling over TLS: whom we believe, whom we ask for, and what we show of ourselves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { createServer, type Server, type TlsOptions, type TLSSocket } from "node:tls";
import { dial } from "../../src/platform/net_node.ts";
import type {
  ConnectionEvents,
  Dialled,
  DialLimits,
  DialTls,
} from "../../src/platform/platform.ts";
import type { UpstreamTls } from "../../src/rules.ts";
import { Authority, type Pair } from "../support/certificates.ts";
import { freePort, Peer, within } from "./support.ts";

const PLAIN: UpstreamTls = {
  name: undefined,
  authorities: [],
  certificate: undefined,
  insecure: false,
};

let ours: Authority;
let theirs: Authority;
let localhost: Pair;
let address: Pair;
let client: Pair;

before(async () => {
  ours = await Authority.open();
  theirs = await Authority.open();
  localhost = ours.issue("DNS:localhost", "DNS:gpu.lan");
  address = ours.issue("IP:127.0.0.1");
  client = ours.issue("DNS:understudy");
});

after(async () => {
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

interface Seen {
  readonly asked: string | false | null;
  readonly protocol: string | false | null;
  readonly shown: string | undefined;
}

/** Says "hi" to whoever gets through the handshake, and tells what it saw of them. */
async function greeter(options: TlsOptions, seen: (seen: Seen) => void = () => {}) {
  const server: Server = createServer(options, (socket: TLSSocket) => {
    socket.on("error", () => {});
    const shown = options.requestCert ? socket.getPeerCertificate().subject?.CN : undefined;
    const asked: unknown = Reflect.get(socket, "servername");
    seen({
      asked: typeof asked === "string" ? asked : null,
      protocol: socket.alpnProtocol,
      shown: typeof shown === "string" ? shown : undefined,
    });
    socket.write("hi");
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  assert.ok(typeof bound === "object" && bound !== null);
  return {
    port: bound.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Dials, and hears the greeting where it comes to one. */
async function greeted(port: number, tls: Omit<DialTls, "protocols">, protocols = ["http/1.1"]) {
  const heard = Promise.withResolvers<string>();
  const events: ConnectionEvents = {
    data: (bytes) => heard.resolve(new TextDecoder().decode(bytes)),
    drained() {},
    closed: () => heard.resolve("(closed)"),
  };
  const dialled: Dialled = await within(
    "the dial",
    dial({ kind: "tcp", host: "127.0.0.1", port }, events, {
      timeoutMs: 5_000,
      signal: new AbortController().signal,
      tls: { ...tls, protocols },
    }),
  );
  if (dialled.kind !== "connected") return dialled.kind === "failed" ? dialled.code : dialled.kind;
  const text = await within("the greeting", heard.promise);
  dialled.connection.close();
  return text;
}

describe("dial() over TLS", () => {
  const cases: [string, () => Pair, string, () => Partial<UpstreamTls>, string][] = [
    ["refuses an authority it does not know", () => localhost, "localhost", () => ({}), "tls"],
    [
      "believes the authorities it is given",
      () => localhost,
      "localhost",
      () => ({ authorities: [ours.certificate] }),
      "hi",
    ],
    [
      "believes any of several authorities",
      () => localhost,
      "localhost",
      () => ({ authorities: [theirs.certificate, ours.certificate] }),
      "hi",
    ],
    [
      "refuses a certificate of another authority",
      () => localhost,
      "localhost",
      () => ({ authorities: [theirs.certificate] }),
      "tls",
    ],
    [
      "takes the name that is asked for and not the address dialled",
      () => localhost,
      "gpu.lan",
      () => ({ authorities: [ours.certificate] }),
      "hi",
    ],
    [
      "refuses a certificate for other names",
      () => localhost,
      "other.lan",
      () => ({ authorities: [ours.certificate] }),
      "tls",
    ],
    [
      "takes an address that the certificate proves",
      () => address,
      "127.0.0.1",
      () => ({ authorities: [ours.certificate] }),
      "hi",
    ],
    [
      "refuses an address that the certificate does not prove",
      () => localhost,
      "127.0.0.1",
      () => ({ authorities: [ours.certificate] }),
      "tls",
    ],
    [
      "takes anything when told to",
      () => localhost,
      "other.lan",
      () => ({ insecure: true }),
      "hi",
    ],
  ];
  for (const [title, pair, name, rules, expected] of cases) {
    it(title, async () => {
      const { chain, key } = pair();
      await using server = await greeter({ cert: chain, key });
      assert.equal(await greeted(server.port, { name, rules: { ...PLAIN, ...rules() } }), expected);
    });
  }

  it("asks for the name and offers the protocols", async () => {
    const seen: Seen[] = [];
    await using server = await greeter({
      cert: localhost.chain,
      key: localhost.key,
      ALPNProtocols: ["http/1.1"],
    }, (one) => seen.push(one));
    const rules = { ...PLAIN, authorities: [ours.certificate] };
    assert.equal(await greeted(server.port, { name: "gpu.lan", rules }), "hi");
    assert.deepEqual(seen, [{ asked: "gpu.lan", protocol: "http/1.1", shown: undefined }]);
  });

  it("shows its certificate to an upstream that wants one", async () => {
    const seen: Seen[] = [];
    await using server = await greeter({
      cert: localhost.chain,
      key: localhost.key,
      ca: ours.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    }, (one) => seen.push(one));
    const rules = { ...PLAIN, authorities: [ours.certificate], certificate: client };
    assert.equal(await greeted(server.port, { name: "localhost", rules }), "hi");
    assert.match(seen[0]?.shown ?? "", /^issued-/);
  });

  it("is hung up on by an upstream that wants a certificate and gets none", async () => {
    await using server = await greeter({
      cert: localhost.chain,
      key: localhost.key,
      ca: ours.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const rules = { ...PLAIN, authorities: [ours.certificate] };
    // With TLS 1.3 a client is through before the other side has looked at it.
    const outcome = await greeted(server.port, { name: "localhost", rules });
    assert.ok(outcome === "tls" || outcome === "(closed)", outcome);
  });

  it("fails in words when its own key is none", async () => {
    await using server = await greeter({ cert: localhost.chain, key: localhost.key });
    const certificate = { chain: "no certificate", key: "no key" };
    const rules = { ...PLAIN, authorities: [ours.certificate], certificate };
    assert.equal(await greeted(server.port, { name: "localhost", rules }), "tls");
  });
});

const DEAF: ConnectionEvents = { data() {}, drained() {}, closed() {} };

function limits(changes: Partial<DialLimits>): DialLimits {
  return { timeoutMs: 5_000, signal: new AbortController().signal, ...changes };
}

describe("dial() with an address of ours", () => {
  const from: [string, string, string][] = [
    ["leaves from it", "127.0.0.9", "connected"],
    ["fails when the machine has no such address", "203.0.113.9", "unreachable"],
  ];
  for (const [title, localAddress, expected] of from) {
    it(title, async () => {
      const seen: (string | undefined)[] = [];
      await using peer = await Peer.open((socket) => seen.push(socket.remoteAddress));
      const place = { kind: "tcp", host: "127.0.0.1", port: peer.port } as const;
      const dialled = await dial(place, DEAF, limits({ localAddress }));
      assert.equal(dialled.kind === "failed" ? dialled.code : dialled.kind, expected);
      if (dialled.kind !== "connected") return;
      dialled.connection.close();
      assert.deepEqual(seen, ["127.0.0.9"]);
    });
  }
});

describe("dial() with bytes that lead", () => {
  const lead = new TextEncoder().encode("PROXY UNKNOWN\r\n");

  it("writes them ahead of what comes later", async () => {
    const heard = Promise.withResolvers<string>();
    let text = "";
    await using peer = await Peer.open((socket) => {
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (text.endsWith("!")) heard.resolve(text);
      });
    });
    const place = { kind: "tcp", host: "127.0.0.1", port: peer.port } as const;
    const dialled = await dial(place, DEAF, limits({ lead }));
    assert.ok(dialled.kind === "connected");
    dialled.connection.write(new TextEncoder().encode("then!"));
    assert.equal(await within("the bytes", heard.promise), "PROXY UNKNOWN\r\nthen!");
    dialled.connection.close();
  });

  it("writes them ahead of the handshake of TLS", async () => {
    await using secure = await greeter({ cert: localhost.chain, key: localhost.key });
    let first = "";
    // Takes the line off, as an upstream would, and hands the rest on to where TLS is spoken.
    await using peer = await Peer.open((socket) => {
      socket.once("data", (chunk) => {
        first = chunk.subarray(0, lead.length).toString("latin1");
        const inner = connect(secure.port, "127.0.0.1");
        inner.on("error", () => {});
        socket.on("close", () => inner.destroy());
        inner.write(chunk.subarray(lead.length));
        socket.pipe(inner).pipe(socket);
      });
    });
    const rules = { ...PLAIN, authorities: [ours.certificate] };
    const tls = { name: "localhost", rules, protocols: ["http/1.1"] };
    const heard = Promise.withResolvers<string>();
    const place = { kind: "tcp", host: "127.0.0.1", port: peer.port } as const;
    const dialled = await dial(place, {
      ...DEAF,
      data: (bytes) => heard.resolve(new TextDecoder().decode(bytes)),
    }, limits({ lead, tls }));
    assert.ok(dialled.kind === "connected", JSON.stringify(dialled));
    assert.equal(await within("the greeting", heard.promise), "hi");
    assert.equal(first, "PROXY UNKNOWN\r\n");
    dialled.connection.close();
  });

  it("tells a refused dial from a failed handshake", async () => {
    const rules = { ...PLAIN, authorities: [theirs.certificate] };
    const tls = { name: "localhost", rules, protocols: ["http/1.1"] };
    const refused = { kind: "tcp", host: "127.0.0.1", port: await freePort() } as const;
    const nobody = await dial(refused, DEAF, limits({ lead, tls }));
    assert.equal(nobody.kind === "failed" && nobody.code, "refused");

    await using peer = await Peer.open((socket) => socket.end("no TLS here"));
    const place = { kind: "tcp", host: "127.0.0.1", port: peer.port } as const;
    const outcome = await dial(place, DEAF, limits({ lead, tls }));
    assert.equal(outcome.kind === "failed" && outcome.code, "tls");
  });
});
