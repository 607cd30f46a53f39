/** Dialling over TLS: whom we believe, whom we ask for, and what we show of ourselves. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlain } from "node:net";
import { after, before, describe, it } from "node:test";
import { createServer, type Server, type TlsOptions, type TLSSocket } from "node:tls";
import { dial } from "../../src/platform/net_node.ts";
import type { ConnectionEvents, Dialled, DialTls } from "../../src/platform/platform.ts";
import type { UpstreamTls } from "../../src/rules.ts";
import { Authority, type Pair } from "../support/certificates.ts";
import { within } from "./support.ts";

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

describe("dial() with an address of ours", () => {
  it("leaves from it", async () => {
    const from = Promise.withResolvers<string | undefined>();
    const server = createPlain((socket) => {
      from.resolve(socket.remoteAddress);
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const dialled = await dial({ kind: "tcp", host: "127.0.0.1", port }, {
      data() {},
      drained() {},
      closed() {},
    }, { timeoutMs: 5_000, signal: new AbortController().signal, localAddress: "127.0.0.9" });
    assert.equal(dialled.kind, "connected");
    assert.equal(await within("the connection", from.promise), "127.0.0.9");
    if (dialled.kind === "connected") dialled.connection.close();
    server.close();
  });

  it("fails when the machine has no such address", async () => {
    const server = createPlain().listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const dialled = await dial({ kind: "tcp", host: "127.0.0.1", port }, {
      data() {},
      drained() {},
      closed() {},
    }, { timeoutMs: 5_000, signal: new AbortController().signal, localAddress: "203.0.113.9" });
    assert.equal(dialled.kind === "failed" && dialled.code, "unreachable");
    server.close();
  });
});
