/**
 * What the log says of requests and of upstreams: one line each, under Caddy's names, credentials
 * hidden, nothing lost at the end.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { configFor } from "../support/commands.ts";
import { isWire } from "../support/engine.ts";
import { type LogLine, subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask, freePort, RawRequest } from "../support/streams.ts";

const isAccess = (line: LogLine) => line["msg"] === "handled request";

/** The one line of the request whose URI begins so. */
async function accessLine(proxy: Understudy, uri: string): Promise<LogLine> {
  return await proxy.line((line) => isAccess(line) && requestOf(line).uri.startsWith(uri));
}

interface LoggedRequest {
  readonly uri: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

function requestOf(line: LogLine): LoggedRequest {
  const request: unknown = line["request"];
  assert.ok(typeof request === "object" && request !== null, "Line has no request");
  const uri: unknown = Reflect.get(request, "uri");
  const headers: unknown = Reflect.get(request, "headers");
  return { uri: String(uri), headers: Object.fromEntries(Object.entries(headers ?? {})) };
}

for (const subject of subjects) {
  describe(`the log of understudy (${subject.name})`, () => {
    it("has a line for what broke the rules of HTTP, and says which", {
      skip: isWire ? false : "the runtime refuses it and tells nobody",
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const socket = connect(proxy.port, "127.0.0.1");
      socket.end("GET / HTTP/1.1\r\n\r\n");
      const line = await proxy.line(({ msg }) => msg === "refused request");
      const { status, outcome, reason } = line;
      assert.deepEqual([status, outcome, reason], [400, "refused", "No Host field"]);
      socket.destroy();
    });

    it("has a JSON line with Caddy's names and ours for a request", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const before = Date.now() / 1000;
      const { body } = await ask(proxy.port, {
        path: "/silent?ms=100&api_key=secret1&plain=yes",
        method: "POST",
        body: "four",
        headers: {
          Host: "Name.test:81",
          "User-Agent": "probe/1",
          Authorization: "Bearer secret2",
          Cookie: "session=secret3",
          "X-Api-Key": "secret4",
          "Proxy-Authorization": "Basic secret5",
        },
      });
      const line = await accessLine(proxy, "/silent");
      const { request, resp_headers: replied, ts, duration, ...rest } = line;
      assert.deepEqual(rest, {
        level: "info",
        logger: "http.log.access",
        msg: "handled request",
        bytes_read: 4,
        size: body.length,
        status: 200,
        route: "*/",
        upstream: `127.0.0.1:${upstream.port}`,
        attempts: 1,
        outcome: "answered",
        request_id: rest["request_id"],
      });
      assert.match(String(rest["request_id"]), /^[0-9a-z]{6}-[0-9a-z]+$/);
      assert.ok(Number(ts) >= before && Number(ts) <= Date.now() / 1000, `ts ${Number(ts)}`);
      assert.ok(Number(duration) >= 0.09 && Number(duration) < 5, `duration ${Number(duration)}`);
      assert.deepEqual(Object.keys(request ?? {}), [
        "remote_ip",
        "remote_port",
        "client_ip",
        "proto",
        "method",
        "host",
        "uri",
        "headers",
      ]);
      const { uri, headers } = requestOf(line);
      assert.equal(uri, "/silent?ms=100&api_key=REDACTED&plain=yes");
      assert.deepEqual(headers["User-Agent"], ["probe/1"]);
      assert.deepEqual(headers["Authorization"], ["REDACTED"]);
      assert.match(JSON.stringify(request), /"remote_ip":"127\.0\.0\.1".*"proto":"HTTP\/1\.1"/);
      assert.match(JSON.stringify(request), /"method":"POST","host":"Name\.test:81"/i);
      assert.match(JSON.stringify(replied), /"X-Upstream":\["raw"\]/);
      assert.doesNotMatch(proxy.stdout, /secret\d/);
    });

    it("tells how each request ended", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      const dead = await freePort();
      const config = `
listen: 127.0.0.1:0
routes:
  - host: pair.test
    upstreams: [{ url: "http://127.0.0.1:${dead}", name: dead }, { url: "${upstream.url}", name: main }]
  - host: dead.test
    upstreams: [{ url: "http://127.0.0.1:${dead}", name: dead }]
  - host: small.test
    upstreams: [{ url: "http://127.0.0.1:${dead}", name: dead }]
    limits: { request_body: 1B }
  - host: down.test
    upstreams: [{ url: "http://127.0.0.1:${dead}", name: dead }]
    health: { uri: /, init_state: down }
`;
      await using proxy = await Understudy.start(subject, config);
      const asked = (path: string, host: string) => {
        const upload = path === "/large" ? { method: "POST", body: "more" } : {};
        return new RawRequest(proxy.port, { path, headers: { Host: host }, ...upload });
      };
      const ends: [string, string, Record<string, unknown>][] = [
        ["/second", "pair.test", {
          status: 200,
          outcome: "answered",
          upstream: "main",
          attempts: 2,
        }],
        ["/die", "pair.test", { status: 200, outcome: "truncated", upstream: "main" }],
        ["/failed", "dead.test", { status: 502, outcome: "failed", upstream: "dead", attempts: 1 }],
        ["/down", "down.test", { status: 503, outcome: "unavailable", attempts: 0 }],
        ["/nowhere", "other.test", { status: 404, outcome: "unrouted", attempts: 0 }],
        ["/large", "small.test", { status: 413, outcome: "refused", attempts: 0 }],
      ];
      for (const [path, host, expected] of ends) {
        await asked(path, host).end;
        const line = await accessLine(proxy, path);
        const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, line[key]]));
        assert.deepEqual(seen, expected, path);
        assert.equal(line["level"], Number(line["status"]) >= 500 ? "error" : "info");
      }
      const second = await accessLine(proxy, "/second");
      assert.match(JSON.stringify(second["failures"]), /^\["dead: refused \(not sent\)/);

      const left = asked("/hang", "pair.test");
      await upstream.until(() => upstream.calls.some(({ target }) => target === "/hang"));
      left.abort();
      const { status, outcome } = await accessLine(proxy, "/hang");
      assert.deepEqual([status, outcome], [499, "abandoned"]);
      assert.equal(proxy.lines.filter(isAccess).length, ends.length + 1);
    });

    it("loses no line when SIGTERM comes right after the answers", {
      timeout: 20_000,
    }, async () => {
      await using upstream = await StreamUpstream.open();
      await using proxy = await Understudy.start(subject, configFor(upstream.url));
      const answers = await Promise.all(Array.from({ length: 200 }, () => ask(proxy.port)));
      proxy.kill("SIGTERM");
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      assert.equal(answers.filter(({ status }) => status === 200).length, 200);
      assert.equal(proxy.lines.filter(isAccess).length, 200);
      assert.deepEqual(proxy.lines.slice(-1).map(({ msg }) => msg), ["drain.ended"]);
      const ids = new Set(proxy.lines.filter(isAccess).map((line) => line["request_id"]));
      assert.equal(ids.size, 200);
    });

    it("tells of what grace_period cut", { timeout: 20_000 }, async () => {
      await using upstream = await StreamUpstream.open();
      const config = configFor(upstream.url, "grace_period: 300ms");
      await using proxy = await Understudy.start(subject, config);
      const stream = new RawRequest(proxy.port, { path: "/ticks?every=50&count=1000" });
      const waiting = new RawRequest(proxy.port, { path: "/hang" });
      await upstream.until(() => upstream.calls.length === 2);
      assert.equal(await stream.status, 200);
      proxy.kill("SIGTERM");
      await proxy.exited;
      assert.deepEqual(
        proxy.lines.filter(isAccess).map((line) => requestOf(line).uri.slice(0, 5)).toSorted(),
        // Deno's server has no way of telling a handler that waits for a head that it was cut.
        subject.name === "deno" && !isWire ? ["/tick"] : ["/hang", "/tick"],
      );
      waiting.abort();
    });

    it("has one line for each change of an upstream and none in between", {
      timeout: 30_000,
    }, async () => {
      const port = await freePort();
      const config = `
listen: 127.0.0.1:0
routes:
  - upstreams: [{ url: "http://127.0.0.1:${port}", name: main }]
    health: { uri: /, interval: 50ms, timeout: 2s }
`;
      await using proxy = await Understudy.start(subject, config);
      const down = await proxy.phase("main", "down");
      assert.match(String(down["reason"]), /refused|connect/i);
      assert.equal(down["level"], "warn");
      for (let round = 0; round < 2; round++) {
        const since = proxy.lines.length;
        await using upstream = await StreamUpstream.open("main", port);
        await proxy.phase("main", "up", since);
        const seen = upstream.calls.length;
        await upstream.until(() => upstream.calls.length >= seen + 5);
        const until = proxy.lines.length;
        await upstream[Symbol.asyncDispose]();
        await proxy.phase("main", "down", until);
      }
      const changes = proxy.lines.filter(({ msg }) => msg === "health.changed");
      const path = changes.map(({ from, to }) => `${String(from)} ${String(to)}`);
      assert.deepEqual(path, ["unknown down", "down up", "up down", "down up", "up down"]);
      assert.ok(changes.every(({ route, reason }) => route === "*/" && reason !== ""));
    });
  });
}
