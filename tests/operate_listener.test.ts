/** The admin listener: who is let in, what is refused and how, and where it goes with the configuration. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { Metrics } from "../src/ops/sinks.ts";
import { ADMIN, AdminLab } from "./support/admin_lab.ts";
import { misfits } from "./support/json_schema.ts";

const TOKEN = "0123456789abcdef";

const METRICS: Metrics = {
  adopt: () => {},
  account: () => {},
  told: () => {},
  certified: () => {},
  secured: () => {},
  handshakeFailed: () => {},
  probed: () => {},
  reloaded: () => {},
  render: ({ version }) => `version ${version}\n`,
};

describe("the admin listener", () => {
  it("lets nobody in without the token but to the page and to signs of life", async () => {
    await using desk = await AdminLab.open({
      admin: { token: TOKEN },
      sinks: { metrics: METRICS },
    });
    const paths = [
      "/api/status",
      "/api/events",
      "/api/config",
      "/api/root.pem",
      "/metrics",
      "/reverse_proxy/upstreams",
    ];
    for (const path of paths) {
      const response = await desk.ask(path);
      assert.equal(response.status, 401, path);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      await response.body?.cancel();
    }
    assert.equal((await desk.post("/api/upstreams/main/drain")).status, 401);
    assert.equal((await desk.told(`/api/status?token=${TOKEN}`)).status, 401);
    for (const path of ["/", "/healthz", "/readyz"]) {
      assert.equal((await desk.ask(path)).status, 200, path);
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await desk.told("/api/status", { headers })).status, 200);
    await using events = await desk.listen("/api/events", headers);
    await events.next("summary");
  });

  it("does nothing for pages of other origins", async () => {
    await using desk = await AdminLab.open();
    const headers = { origin: "https://evil.example" };
    const asking = { method: "POST", headers };
    assert.equal((await desk.told("/api/upstreams/main/drain", asking)).status, 403);
    assert.equal((await desk.told("/api/events", { headers })).status, 403);
    assert.equal((await desk.status()).routes[0]?.pools[0]?.upstreams[0]?.drained, false);
    const own = { origin: `http://127.0.0.1:${desk.port}`, "sec-fetch-site": "same-origin" };
    const ours = { method: "POST", headers: own };
    assert.equal((await desk.told("/api/upstreams/main/drain", ours)).status, 200);
  });

  it("answers for its own names alone", async () => {
    await using desk = await AdminLab.open();
    const evil = await desk.told("/api/status", { headers: { host: "evil.example" } });
    assert.equal(evil.status, 403);
    const page = await desk.ask("/", { headers: { host: "evil.example" } });
    assert.equal(page.status, 403);
    const own = await desk.told("/api/status", { headers: { host: "localhost:1" } });
    assert.equal(own.status, 200);
  });

  it("refuses what it does not know in JSON", async () => {
    await using desk = await AdminLab.open();
    const unknown = await desk.told("/api/nothing");
    assert.equal(unknown.status, 404);
    assert.match(unknown.body.error, /openapi/);
    const response = await desk.ask("/api/reload");
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
    assert.deepEqual(await response.json(), { error: "Expected POST but received GET" });
    const deleted = await desk.told("/api/status", { method: "DELETE" });
    assert.equal(deleted.status, 405);
    assert.equal((await desk.told("/metrics")).status, 404);
  });

  it("tells browsers to be careful with all of it", async () => {
    await using desk = await AdminLab.open({ sinks: { page: () => "<script>1</script>" } });
    for (const path of ["/", "/api/status", "/api/nothing", "/healthz"]) {
      const { headers } = await desk.ask(path);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("cache-control"), "no-store");
      assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
    }
    const page = await desk.ask("/");
    assert.match(page.headers.get("content-security-policy") ?? "", /script-src 'sha256-/);
    assert.equal(await page.text(), "<script>1</script>");
  });

  it("serves metrics in the form that scrapers want", async () => {
    await using desk = await AdminLab.open({ sinks: { metrics: METRICS } });
    const response = await desk.ask("/metrics");
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(await response.text(), "version 1.2.3\n");
  });

  it("is not ready once it ends", async () => {
    await using desk = await AdminLab.open();
    assert.equal((await desk.ask("/readyz")).status, 200);
    await desk.lab.proxy.drain(0);
    assert.equal((await desk.ask("/readyz")).status, 503);
    assert.equal((await desk.ask("/healthz")).status, 200);
    assert.equal((await desk.status()).draining, true);
    assert.equal((await desk.post("/api/reload")).status, 409);
  });

  it("plays what only the demo can do", async () => {
    const played: string[] = [];
    const stage = {
      acts: ["kill"],
      play: (name: string, act: string) => {
        played.push(`${act} ${name}`);
        return Promise.resolve(played.length > 1 ? "It is dead" : undefined);
      },
    };
    await using desk = await AdminLab.open({ sinks: { stage } });
    assert.deepEqual((await desk.status()).stage, ["kill"]);
    assert.equal((await desk.post("/api/stage/main/kill")).status, 200);
    assert.deepEqual(await desk.post("/api/stage/main/kill"), {
      status: 409,
      body: { error: "It is dead" },
    });
    assert.equal((await desk.post("/api/stage/main/shoot")).status, 404);
    assert.deepEqual(played, ["kill main", "kill main"]);
  });
});

describe("the admin listener in a new configuration", () => {
  it("takes another token at once", async () => {
    await using desk = await AdminLab.open();
    const { port } = desk;
    await desk.replace(desk.lab.config({ admin: { ...ADMIN, token: TOKEN } }));
    assert.equal(desk.port, port);
    assert.equal((await desk.told("/api/status")).status, 401);
  });

  it("moves, and ends the streams where it was", async () => {
    await using desk = await AdminLab.open();
    const events = await desk.listen();
    const { port } = desk;
    const address = { kind: "tcp", host: "localhost", port: 0 } as const;
    await desk.replace(desk.lab.config({ admin: { ...ADMIN, address } }));
    assert.notEqual(desk.port, port);
    while (await events.any() !== undefined);
    await desk.lab.clock.advance(1_000);
  });

  it("goes and comes back", async () => {
    await using desk = await AdminLab.open();
    await desk.replace(desk.lab.config({ admin: undefined }));
    assert.equal(desk.operator.address, undefined);
    await desk.lab.clock.advance(1_000);
    await desk.replace(desk.lab.config());
    assert.equal((await desk.told("/api/status")).status, 200);
  });

  it("goes without a port that is taken where nobody wrote it, and says so once", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const at = server.address();
      const port = typeof at === "object" && at !== null ? at.port : 0;
      const address = { kind: "tcp", host: "127.0.0.1", port } as const;
      await using desk = await AdminLab.open({ admin: { address, written: false } });
      assert.equal(desk.operator.address, undefined);
      await desk.replace(desk.lab.config());
      const warned = desk.lab.lines.filter(({ msg }) => msg === "admin.unavailable");
      assert.equal(warned.length, 1);
      await assert.rejects(
        desk.operator.prepare(desk.lab.config({ admin: { ...ADMIN, address } })),
        /the port is taken/,
      );
    } finally {
      server.close();
    }
  });
});

describe("GET /api/openapi.json", () => {
  it("describes what is really answered", async () => {
    let problems: string[] = [];
    await using desk = await AdminLab.open({
      reload: () => Promise.resolve(problems),
      sinks: { metrics: METRICS, page: () => "<p>page</p>" },
      route: { health: undefined },
    });
    await desk.lab.stop("main");
    await desk.lab.get();
    await desk.lab.accounted(1);
    await desk.post("/api/upstreams/main/drain");
    const { body: api } = await desk.told("/api/openapi.json");
    const { schemas } = api.components;
    const fit = (name: string, value: unknown) => {
      const schema = { $ref: `#/components/schemas/${name}`, $defs: schemas };
      assert.deepEqual(misfits(schema, value), [], `${name} ${JSON.stringify(value)}`);
    };

    // What is described, asked for one by one.
    const checked = new Map<string, string>();
    for (const [path, item] of Object.entries<Record<string, Described>>(api.paths)) {
      const [[method, described] = []] = Object.entries(item);
      assert.ok(method && described);
      if (path === "/api/events" || path === "/api/requests") continue;
      const { status, text, type } = await ask(desk, method, path);
      const content = described.responses[status]?.content ?? {};
      assert.ok(type in content, `${method} ${path} answers ${status} as ${type}`);
      const { $ref, type: kind, items } = content[type]?.schema ?? {};
      const name = $ref ?? items?.$ref;
      if (name === undefined) {
        if (kind === "object") assert.equal(typeof JSON.parse(text), "object");
        continue;
      }
      const all = $ref === undefined ? JSON.parse(text) : [JSON.parse(text)];
      for (const one of all) fit(name.split("/").at(-1) ?? "", one);
      checked.set(path, name);
    }
    assert.equal(checked.size, 10);

    problems = ["no good"];
    fit("Error", (await desk.post("/api/reload")).body);
    fit("Error", (await desk.told("/api/nothing")).body);
    await using events = await desk.listen();
    fit("Summary", await events.next("summary"));
    await desk.post("/api/upstreams/main/drain");
    fit("Transition", await events.next("transition"));
    await desk.post("/api/upstreams/main/undrain");
    await desk.lab.get();
    fit("Notable", await events.next("notable"));
    desk.operator.refused(["no good"]);
    fit("ConfigStatus", await events.next("config"));
    await using probed = await AdminLab.open();
    fit("Status", await probed.status());
    fit("ActionResult", (await probed.post("/api/upstreams/main/failback")).body);
  });
});

interface Described {
  readonly responses: Readonly<Record<string, { readonly content?: Contents }>>;
}

type Contents = Readonly<Record<string, { readonly schema: SchemaPart }>>;

interface SchemaPart {
  readonly $ref?: string;
  readonly type?: string;
  readonly items?: SchemaPart;
}

async function ask(desk: AdminLab, method: string, path: string) {
  const asked = path.replace("{name}", "main");
  const response = await desk.ask(asked, { method: method.toUpperCase() });
  const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
  return { status: response.status, type, text: await response.text() };
}
