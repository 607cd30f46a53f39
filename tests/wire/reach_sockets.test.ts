/** Upstreams on real sockets, reached by their rules: TLS with certificates both ways, h2c, unix, PROXY; and probed so. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { platform } from "#platform";
import { Deadlines } from "../../src/deadlines.ts";
import { Fields } from "../../src/fields.ts";
import { probe } from "../../src/health/probe.ts";
import type { Outcome, Transport } from "../../src/model.ts";
import type { HealthRules, Upstream, UpstreamTls } from "../../src/rules.ts";
import { wireTransport } from "../../src/wire/client.ts";
import { Authority, type Pair } from "../support/certificates.ts";
import { readText } from "../support/fake_bytes.ts";
import { health, upstream } from "../support/fake_route.ts";
import { within } from "../support/fake_upstream.ts";

const { clock, dial } = platform;
const PLAIN = upstream("u");

function transport(): Transport {
  return wireTransport({ clock, dial, deadlines: new Deadlines(clock) });
}

async function answerOf(to: Upstream): Promise<string> {
  const outcome: Outcome = await within(
    "an answer",
    transport().send({
      upstream: to,
      method: "GET",
      target: "/",
      fields: Fields.from([["Host", "a.test"]]),
      body: undefined,
      upgrade: undefined,
      progress: { sent: false },
      fresh: true,
      dialTimeoutMs: 3_000,
      headersTimeoutMs: undefined,
      signal: new AbortController().signal,
      client: { ip: "192.0.2.7", port: 4711 },
    }),
  );
  if (outcome.kind !== "answered") return outcome.kind === "failed" ? outcome.reason : outcome.kind;
  return outcome.response.body === undefined ? "" : await readText(outcome.response.body);
}

async function probed(to: Upstream, rules: Partial<HealthRules> = {}): Promise<string> {
  const { signal } = new AbortController();
  const verdict = await within(
    "a verdict",
    probe(to, health(rules), { transport: transport(), clock, signal }),
  );
  return verdict.reason;
}

async function listening<Kind extends Server>(server: Kind): Promise<number> {
  server.on("connection", (socket: Socket) => sockets.add(socket));
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound: AddressInfo | string | null = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

const servers: Server[] = [];
const sockets = new Set<Socket>();

function at(port: number, changes: Partial<Upstream> = {}): Upstream {
  const authority = `localhost:${port}`;
  return { ...PLAIN, address: { kind: "tcp", host: "127.0.0.1", port }, authority, ...changes };
}

describe("Upstreams on real sockets", () => {
  let folder: string;
  let authority: Authority;
  let client: Pair;
  let securePort: number;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "understudy-reach-"));
    authority = await Authority.open();
    client = authority.issue("DNS:understudy");
    const { chain, key } = authority.issue("DNS:gpu.lan");
    const secure = createHttps({
      cert: chain,
      key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    }, (request, response) => response.end(`secure ${request.headers.host}`));
    secure.on("tlsClientError", () => {});
    securePort = await listening(secure);
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
    await authority[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function secured(tls: Partial<UpstreamTls>): Upstream {
    const rules = { name: "gpu.lan", authorities: [authority.certificate], insecure: false };
    return at(securePort, { scheme: "https", tls: { ...rules, certificate: client, ...tls } });
  }

  it("are asked and probed over TLS, each side proving who it is", async () => {
    assert.equal(await answerOf(secured({})), "secure a.test");
    assert.equal(await probed(secured({})), "answered 200");
  });

  const strangers: [string, Partial<UpstreamTls>, RegExp][] = [
    ["another name", { name: "other.lan" }, /TLS/i],
    ["an authority unknown here", { authorities: [] }, /TLS/i],
    ["no certificate of ours", { certificate: undefined }, /TLS|closed|hung up|ended|connection/i],
  ];
  for (const [title, tls, reason] of strangers) {
    it(`fail their probes with ${title}`, async () => {
      assert.match(await probed(secured(tls)), reason);
      assert.doesNotMatch(await answerOf(secured(tls)), /secure/);
    });
  }

  it("are asked and probed by HTTP/2 in the clear", async () => {
    const asked: string[] = [];
    const server = createHttp2((request, response) => {
      asked.push(`${request.httpVersion} ${request.headers[":authority"]}`);
      response.end("h2c");
    });
    const to = at(await listening(server), { scheme: "h2c" });
    assert.equal(await answerOf(to), "h2c");
    assert.equal(
      await probed(to, { headers: [{ name: "Host", value: "own.lan" }] }),
      "answered 200",
    );
    assert.equal(await probed(to, { expectBody: /^h2c$/ }), "answered 200");
    assert.deepEqual(asked, ["2.0 a.test", "2.0 own.lan", `2.0 ${to.authority}`]);
  });

  it("are asked and probed on unix sockets", async () => {
    const path = join(folder, "up.sock");
    const server = createHttp((request, response) => response.end(`unix ${request.headers.host}`));
    servers.push(server);
    server.listen(path);
    await once(server, "listening");
    const to = { ...PLAIN, address: { kind: "unix", path }, authority: "localhost" } as const;
    assert.equal(await answerOf(to), "unix a.test");
    assert.equal(await probed(to, { expectBody: /^unix localhost$/ }), "answered 200");
  });

  it("are told who the client is, and that a probe is nobody's, by the PROXY protocol", async () => {
    const leads: string[] = [];
    const inner = createHttp((_request, response) => response.end("ok"));
    const innerPort = await listening(inner);
    const outer = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", (chunk) => {
        const end = chunk.indexOf("\r\n") + 2;
        leads.push(chunk.subarray(0, end - 2).toString("latin1"));
        const through = connect(innerPort, "127.0.0.1");
        through.on("error", () => {});
        through.write(chunk.subarray(end));
        socket.pipe(through).pipe(socket);
      });
    });
    const rules = { ...PLAIN.connections, proxyProtocol: "v1" } as const;
    const to = at(await listening(outer), { connections: rules });
    assert.equal(await answerOf(to), "ok");
    assert.equal(await probed(to), "answered 200");
    assert.deepEqual(leads, ["PROXY TCP4 192.0.2.7 0.0.0.0 4711 0", "PROXY UNKNOWN"]);
  });
});
