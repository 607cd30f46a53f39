/** The operator's desk over a real proxy: what it tells of upstreams and requests, and what it does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServerResponse } from "node:http";
import { READERS_MAX } from "../src/ops/feed.ts";
import { passive, retry } from "./support/fake_route.ts";
import { AdminLab } from "./support/admin_lab.ts";

describe("GET /api/status", () => {
  it("tells who answers, since when and why", async () => {
    await using desk = await AdminLab.open();
    await desk.lab.get();
    const status = await desk.status();
    const [route] = status.routes;
    const [pool] = route?.pools ?? [];
    assert.ok(route && pool);
    assert.equal(status.version, "1.2.3");
    assert.deepEqual(status.listen, [`http://127.0.0.1:${desk.lab.port}`]);
    assert.deepEqual([route.id, route.hosts, route.paths], ["r", ["*"], ["/"]]);
    assert.deepEqual([pool.id, pool.policy, pool.failback, pool.chosen], [
      "r",
      "first",
      "immediate",
      "main",
    ]);
    const [main, spare] = pool.upstreams;
    assert.ok(main && spare);
    assert.equal(main.address, `http://127.0.0.1:${desk.lab.upstream("main").port}`);
    assert.deepEqual([main.phase, main.reason, main.streak], ["up", "answered 200", 0]);
    assert.deepEqual([main.requests, main.failures, spare.requests], [1, 0, 0]);
    assert.deepEqual([main.inFlight, main.drained, main.available], [0, false, true]);
    assert.deepEqual([main.lastProbe?.passed, main.lastProbe?.status], [true, 200]);
    assert.deepEqual([main.latencyMs.length, main.probeMs.length], [1, 1]);
    assert.deepEqual(status.config.problems, []);
  });

  it("tells of a fall and a return: phases, who is chosen, and why", async () => {
    await using desk = await AdminLab.open();
    await desk.lab.stop("main");
    await desk.lab.clock.advance(11_000);
    const fallen = await desk.status();
    assert.equal(fallen.routes[0]?.pools[0]?.chosen, "spare");
    const [chosen, phase] = fallen.transitions;
    assert.deepEqual([phase?.kind, phase?.upstream, phase?.from, phase?.to], [
      "phase",
      "main",
      "up",
      "down",
    ]);
    assert.deepEqual([chosen?.kind, chosen?.from, chosen?.to, chosen?.reason], [
      "chosen",
      "main",
      "spare",
      "main refused the connection",
    ]);

    await desk.lab.start("main");
    await desk.lab.clock.advance(11_000);
    const [back] = (await desk.status()).transitions;
    assert.deepEqual([back?.kind, back?.to, back?.reason], [
      "chosen",
      "main",
      "main is preferred and can be asked again",
    ]);
  });

  it("tells until when penalties last, and that the choice returns as they lapse", async () => {
    await using desk = await AdminLab.open({ route: { passive: passive(), health: undefined } });
    await desk.lab.stop("main");
    assert.equal(await desk.lab.get(), "spare");
    const status = await desk.status();
    const [pool] = status.routes[0]?.pools ?? [];
    assert.deepEqual(pool?.upstreams[0]?.penalties, [{ until: desk.lab.clock.now() + 30_000 }]);
    assert.deepEqual(status.transitions.map(({ kind }) => kind), ["chosen", "penalised"]);
    await desk.lab.clock.advance(31_000);
    assert.equal((await desk.status()).transitions[0]?.to, "main");
  });

  it("remembers requests that failed over, and that nobody answered", async () => {
    await using desk = await AdminLab.open({ route: { health: undefined } });
    await desk.lab.stop("main");
    await desk.lab.get("/?token=hush");
    await desk.lab.stop("spare");
    await desk.lab.get();
    await desk.lab.accounted(2);
    const { notable } = await desk.status();
    assert.deepEqual(notable.map(({ kind, status }) => [kind, status]), [
      ["failed", 502],
      ["failed_over", 200],
    ]);
    const [, moved] = notable;
    assert.deepEqual([moved?.uri, moved?.upstream, moved?.attempts], [
      "/?token=REDACTED",
      "spare",
      2,
    ]);
    assert.match(moved?.failures[0] ?? "", /^main: refused/);
  });

  it("remembers a request whose head took longer than the operator's limit", async () => {
    await using desk = await AdminLab.open({ admin: { slowMs: 2_000 } });
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    desk.lab.upstream("main").answering = (_request, response) => resolve(response);
    const got = desk.lab.get("/slow");
    const response = await promise;
    await desk.lab.clock.advance(3_000);
    response.end("late");
    assert.equal(await got, "late");
    await desk.lab.accounted(1);
    const [slow] = (await desk.status()).notable;
    assert.deepEqual([slow?.kind, slow?.uri, slow?.firstByteMs], ["slow", "/slow", 3_000]);
  });
});

describe("POST /api/upstreams/{name}/drain", () => {
  it("lets a running stream finish, sends nothing new, and is taken back by undrain", async () => {
    await using desk = await AdminLab.open();
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    desk.lab.upstream("main").answering = (request, response) => {
      if (request.url !== "/stream") return void response.end("main");
      response.write("one ");
      resolve(response);
    };
    const running = await desk.lab.fetch("/stream");
    const upstream = await promise;

    const { status, body } = await desk.post("/api/upstreams/main/drain");
    assert.equal(status, 200);
    assert.deepEqual([body.upstream.drained, body.upstream.inFlight], [true, 1]);
    for (let count = 0; count < 3; count++) assert.equal(await desk.lab.get(), "spare");
    upstream.end("two");
    assert.equal(await running.text(), "one two");
    await desk.lab.accounted(4);
    const drained = desk.lab.lines.filter(({ msg }) => msg === "upstream.drained");
    assert.deepEqual(drained.map((line) => [line["route"], line["upstream"]]), [["r", "main"]]);

    await desk.post("/api/upstreams/main/undrain");
    assert.equal(await desk.lab.get(), "main");
    const kinds = (await desk.status()).transitions.map(({ kind, to }) => to ?? kind);
    assert.deepEqual(kinds.slice(0, 4), ["main", "undrained", "spare", "drained"]);
  });

  it("is kept across reloads", async () => {
    await using desk = await AdminLab.open();
    await desk.post("/api/upstreams/main/drain");
    await desk.replace(desk.lab.config({}, { passive: passive() }));
    assert.equal(await desk.lab.get(), "spare");
    assert.equal((await desk.status()).routes[0]?.pools[0]?.upstreams[0]?.drained, true);
  });

  it("knows upstreams by name, and by pool and name, and says when a name is nobody's", async () => {
    await using desk = await AdminLab.open();
    assert.equal(
      (await desk.post(`/api/upstreams/${encodeURIComponent("r|main")}/drain`)).status,
      200,
    );
    assert.deepEqual(await desk.post("/api/upstreams/nobody/drain"), {
      status: 404,
      body: { error: 'Cannot find an upstream "nobody"' },
    });
    assert.equal((await desk.post("/api/upstreams/main/explode")).status, 404);
  });
});

describe("POST /api/upstreams/{name}/probe", () => {
  it("tells the verdict of a probe that began since", async () => {
    await using desk = await AdminLab.open();
    await desk.lab.stop("main");
    let isTold = false;
    const asked = desk.post("/api/upstreams/main/probe").finally(() => (isTold = true));
    // The answer needs the probe, and the probe the clock.
    while (!isTold) await desk.lab.clock.advance(100);
    const { status, body } = await asked;
    assert.equal(status, 200);
    assert.deepEqual([body.probe.passed, body.probe.reason], [false, "refused the connection"]);
    assert.equal(body.upstream.phase, "down");
  });

  it("says so where nothing is probed", async () => {
    await using desk = await AdminLab.open({ route: { health: undefined } });
    const { status, body } = await desk.post("/api/upstreams/main/probe");
    assert.equal(status, 409);
    assert.match(body.error, /has no health checks/);
  });
});

describe("POST /api/upstreams/{name}/failback", () => {
  it("lets the pool go back to whom it prefers", async () => {
    await using desk = await AdminLab.open({ route: { failback: { kind: "manual" } } });
    await desk.lab.stop("main");
    await desk.lab.clock.advance(11_000);
    assert.equal(await desk.lab.get(), "spare");
    await desk.lab.start("main");
    await desk.lab.clock.advance(11_000);
    assert.equal(await desk.lab.get(), "spare");
    const [pool] = (await desk.status()).routes[0]?.pools ?? [];
    assert.deepEqual([pool?.failback, pool?.chosen, pool?.held], ["manual", "spare", "spare"]);

    assert.equal((await desk.post("/api/upstreams/spare/failback")).status, 200);
    assert.equal(await desk.lab.get(), "main");
    assert.equal((await desk.status()).transitions[0]?.to, "main");
  });
});

describe("POST /api/reload", () => {
  it("answers 422 with the problems, shows them until a good one comes, and tells watchers", async () => {
    let problems = ["config.yaml:1:1: Expected a map but received nothing"];
    await using desk = await AdminLab.open({
      reload: async ({ lab, operator }) => {
        await Promise.resolve();
        if (problems.length > 0) operator.refused(problems);
        else operator.taken(lab.config());
        return problems;
      },
    });
    await using events = await desk.listen();
    const refused = await desk.post("/api/reload");
    assert.equal(refused.status, 422);
    assert.deepEqual(refused.body.problems, problems);
    assert.deepEqual((await desk.status()).config.problems, problems);
    assert.deepEqual((await events.next("config")).problems, problems);

    problems = [];
    const taken = await desk.post("/api/reload");
    assert.equal(taken.status, 200);
    assert.deepEqual(taken.body.config.problems, []);
    assert.equal(taken.body.config.path, "config.yaml");
    assert.deepEqual((await events.next("config")).problems, []);
  });

  it("says so where there is no file", async () => {
    await using desk = await AdminLab.open();
    assert.equal((await desk.post("/api/reload")).status, 409);
  });
});

describe("GET /api/events", () => {
  it("begins with a summary, sends one a second, and each transition as it happens", async () => {
    await using desk = await AdminLab.open();
    await using events = await desk.listen();
    const first = await events.next("summary");
    assert.deepEqual(first.chosen, { r: "main" });
    assert.deepEqual(first.upstreams.map(({ id }) => id), ["r/main", "r/spare"]);
    await desk.post("/api/upstreams/main/drain");
    const { at } = await events.next("transition", ({ kind }) => kind === "drained");
    assert.equal(at, desk.lab.clock.now());
    assert.equal((await events.next("transition")).to, "spare");
    await desk.lab.clock.advance(1_000);
    assert.deepEqual((await events.next("summary")).chosen, { r: "spare" });
  });

  it("tells of notable requests", async () => {
    await using desk = await AdminLab.open({ route: { health: undefined } });
    await using events = await desk.listen();
    await desk.lab.stop("main");
    await desk.lab.get();
    assert.equal((await events.next("notable")).kind, "failed_over");
  });

  it("has room for so many readers, and for others once these have left", async () => {
    await using desk = await AdminLab.open();
    const readers = await Promise.all(Array.from({ length: READERS_MAX }, () => desk.listen()));
    assert.equal((await desk.told("/api/events")).status, 503);
    for (const reader of readers) await reader[Symbol.asyncDispose]();
    // That their connections are gone takes a moment to be heard of.
    const deadline = Date.now() + 4_000;
    let status = 503;
    while (status === 503 && Date.now() < deadline) {
      const leaving = new AbortController();
      const response = await desk.ask("/api/events", { signal: leaving.signal });
      status = response.status;
      leaving.abort();
      await response.body?.cancel().catch(() => {});
    }
    assert.equal(status, 200);
  });

  it("ends when the desk closes", async () => {
    const desk = await AdminLab.open();
    const events = await desk.listen();
    await events.next("summary");
    desk.operator.close();
    assert.equal(await events.any().catch(() => undefined), undefined);
    await desk[Symbol.asyncDispose]();
  });
});

describe("GET /api/requests", () => {
  it("sends the line of each request as it ends", async () => {
    await using desk = await AdminLab.open();
    await using lines = await desk.listen("/api/requests");
    await desk.lab.get("/x?token=hush");
    const line = await lines.any();
    assert.ok(line);
    const data = Object(line.data);
    assert.equal(line.name, "request");
    assert.deepEqual([data.msg, data.status, data.upstream, data.request.uri], [
      "handled request",
      200,
      "main",
      "/x?token=REDACTED",
    ]);
  });
});

describe("GET /reverse_proxy/upstreams", () => {
  it("answers in Caddy's shape, and more", async () => {
    await using desk = await AdminLab.open({ route: { passive: passive(), retry: retry() } });
    await desk.lab.stop("main");
    await desk.lab.get();
    const { body } = await desk.told("/reverse_proxy/upstreams");
    const { port } = desk.lab.upstream("main");
    assert.equal(body.length, 2);
    assert.deepEqual(
      [body[0].address, body[0].num_requests, body[0].fails],
      [`127.0.0.1:${port}`, 0, 1],
    );
    assert.deepEqual(body[0].pools.map(({ pool, name }: Record<string, string>) => [pool, name]), [
      ["r", "main"],
    ]);
  });
});
