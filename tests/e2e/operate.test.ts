/** The commands that ask and steer the understudy that runs, as processes of their own. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { folder, run } from "../support/commands.ts";
import { Child, StandIn, type Subject, subjects, Understudy } from "../support/processes.ts";
import { StreamUpstream } from "../support/stream_upstream.ts";
import { ask, freePort, RawRequest } from "../support/streams.ts";

const SLOW = { timeout: 60_000 };
/** An answer of some seconds. */
const TICKS = "/ticks?every=100&count=40";
const TOKEN = "only-for-those-who-know-it";

function config(admin: string, gpu: string, spare: string, more = ""): string {
  return `
listen: "127.0.0.1:0"
admin: ${admin}
log: { level: info }
routes:
  - upstreams: [{ name: gpu, url: "${gpu}" }, { name: spare, url: "${spare}" }]
    health: { uri: /, interval: 200ms, timeout: 1s }
    ${more}
`;
}

/** Two upstreams, and an understudy before them that is asked by commands. */
async function stage(subject: Subject, more = "") {
  const gpu = await StreamUpstream.open("gpu");
  const spare = await StreamUpstream.open("spare");
  const text = config("127.0.0.1:0", gpu.url, spare.url, more);
  const proxy = await Understudy.start(subject, text);
  await proxy.phase("gpu", "up");
  await proxy.phase("spare", "up");
  const started = await proxy.line(({ msg }) => msg === "proxy.started");
  const env = { UNDERSTUDY_ADMIN: String(started["admin"]) };
  return {
    ...{ gpu, spare, proxy, env, config: text },
    /** Runs a command to its end. */
    do: (...words: string[]) => run(subject, words, { env, cwd: proxy.folder }),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await gpu[Symbol.asyncDispose]();
      await spare[Symbol.asyncDispose]();
    },
  };
}

for (const subject of subjects) {
  describe(`commands that ask the one that runs (${subject.name})`, () => {
    it("show who answers, within a second of a death", SLOW, async () => {
      await using gpu = await StandIn.start("gpu");
      await using spare = await StreamUpstream.open("spare");
      await using proxy = await Understudy.start(
        subject,
        config("127.0.0.1:0", gpu.url, spare.url),
      );
      await proxy.phase("gpu", "up");
      const started = await proxy.line(({ msg }) => msg === "proxy.started");
      const admin = String(started["admin"]);
      const before = await run(subject, ["status", "--admin", admin]);
      assert.deepEqual([before.code, before.stderr], [0, ""]);
      assert.match(before.stdout, /^any host +→ +gpu +up +\d+s +0 +200 in .* answered 200$/m);
      assert.match(before.stdout, /^ +spare +up /m);

      await using watching = new Child([...subject.command, "status", "--watch", "--admin", admin]);
      await watching.until(() => watching.stdout.includes("spare"));
      const killedAt = Date.now();
      gpu.kill("SIGKILL");
      await watching.until(() => watching.stdout.includes("gpu is down"));
      assert.ok(Date.now() - killedAt < 1000, `it took ${Date.now() - killedAt} ms`);
      await watching.until(() => watching.stdout.includes("requests go to spare now, not to gpu"));

      const after = await run(subject, ["status", "--admin", admin]);
      // A probe that was on its way at the death had the connection closed on it.
      assert.match(after.stdout, /^any host +gpu +down .*(refused|closed) the connection/m);
      assert.match(after.stdout, /^ +→ +spare +up /m);
      watching.kill("SIGINT");
      assert.deepEqual(await watching.exited, { code: 0, signal: null });
    });

    it("drain and undrain, while what runs ends in peace", SLOW, async () => {
      await using scene = await stage(subject);
      const { proxy } = scene;
      const running = new RawRequest(proxy.port, { path: TICKS });
      await scene.gpu.until(() => scene.gpu.calls.some(({ target }) => target === TICKS));

      const drained = await scene.do("drain", "gpu");
      assert.deepEqual([drained.code, drained.stderr], [0, ""]);
      assert.match(drained.stdout, /^gpu is drained; 1 still runs there\n$/);
      assert.equal((await ask(proxy.port)).body, "spare");
      assert.match((await scene.do("status")).stdout, /gpu +drained .* by an operator$/m);
      assert.match((await scene.do("explain", "/")).stdout, /^Passed by +gpu +drained by an/m);
      assert.equal((await running.answer()).end, "whole");

      assert.equal((await scene.do("undrain", "gpu")).stdout, "gpu takes requests again\n");
      assert.equal((await ask(proxy.port)).body, "gpu");
    });

    it("probe and fail back", SLOW, async () => {
      await using scene = await stage(subject, "failback: manual");
      assert.equal((await ask(scene.proxy.port)).body, "gpu");
      assert.match(
        (await scene.do("probe", "gpu")).stdout,
        /^gpu passed in .*answered 200; it is up\n$/,
      );
      await scene.do("drain", "gpu");
      assert.equal((await ask(scene.proxy.port)).body, "spare");
      await scene.do("undrain", "gpu");
      assert.equal((await ask(scene.proxy.port)).body, "spare");
      assert.match(
        (await scene.do("explain", "/")).stdout,
        /^Upstream +spare +held on to by failback/m,
      );

      assert.equal((await scene.do("failback", "gpu")).stdout, "Requests go to gpu again\n");
      assert.equal((await ask(scene.proxy.port)).body, "gpu");
      const nobody = await scene.do("probe", "nobody");
      assert.deepEqual([nobody.code, nobody.stdout], [1, ""]);
      assert.match(nobody.stderr, /^Cannot find an upstream "nobody"\n$/);
    });

    it("reload, and print what is wrong", SLOW, async () => {
      await using scene = await stage(subject);
      const path = scene.proxy.configPath;
      assert.equal((await scene.do("reload")).stdout, `${path} is taken over\n`);
      await writeFile(path, `${scene.config}\n    nonsense: 1\n`);
      const { code, stdout, stderr } = await scene.do("reload");
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /config\.yaml:\d+:\d+ routes\[0\]\.nonsense: Expected a known key/);
      assert.match(
        (await scene.do("status")).stdout,
        /^The configuration was changed, but not taken/m,
      );
      assert.equal((await ask(scene.proxy.port)).body, "gpu");
    });

    it("explain what then happens", SLOW, async () => {
      await using scene = await stage(subject);
      const { proxy } = scene;
      for (const drained of ["", "gpu"]) {
        if (drained !== "") await scene.do("drain", drained);
        const told = await scene.do("explain", proxy.url, "--json");
        const { live, end } = JSON.parse(told.stdout);
        assert.equal(live, true);
        assert.equal(end.order.order[0].name, (await ask(proxy.port)).body);
      }
    });

    it("say so when the one that runs is another than the one explained", SLOW, async () => {
      await using scene = await stage(subject);
      await using place = await folder({ "config.yaml": config("off", "http://a", "http://b") });
      const { env } = scene;
      const told = await run(subject, ["explain", "/"], { env, cwd: place.path });
      // The names are the same there, so it is known by name; under another host it is not.
      assert.doesNotMatch(told.stdout, /^State/m);
      await writeFile(
        join(place.path, "config.yaml"),
        config("off", "http://a", "http://b", "host: a.test"),
      );
      const other = await run(subject, ["explain", "a.test"], { env, cwd: place.path });
      assert.match(other.stdout, /^State +not known: \S+ knows none of these upstreams$/m);
    });

    it("show requests as they end, and only those wanted", SLOW, async () => {
      await using scene = await stage(subject);
      const tail = (...words: string[]) =>
        new Child([...subject.command, "tail", ...words], { env: scene.env });
      await using all = tail();
      await using json = tail("--json", "--status", "2xx", "--upstream", "gpu");
      // They listen a moment after they have begun: requests go on until all have seen one.
      const endsAt = Date.now() + 20_000;
      while (all.lines.length === 0 || json.lines.length === 0) {
        assert.ok(Date.now() < endsAt, all.stderr);
        await ask(scene.proxy.port);
      }
      assert.match(all.stdout, /^\d\d:\d\d:\d\d 200 GET +\S+ → gpu [\d.]+ ms, 3 B$/m);
      const [line] = json.lines;
      assert.deepEqual([line?.["status"], line?.["upstream"]], [200, "gpu"]);
      for (const child of [all, json]) child.kill("SIGINT");
      for (const child of [all, json]) {
        assert.deepEqual([await child.exited, child.stderr], [{ code: 0, signal: null }, ""]);
      }
    });

    it("need the token, and wait for one that comes back", SLOW, async () => {
      const port = await freePort();
      await using spare = await StreamUpstream.open("spare");
      await using place = await folder({ token: `${TOKEN}\n` });
      const file = join(place.path, "token");
      const admin = `{ listen: "127.0.0.1:${port}", token: ${TOKEN} }`;
      const text = config(admin, spare.url, spare.url);
      const words = ["--admin", `127.0.0.1:${port}`];
      let proxy = await Understudy.start(subject, text);
      try {
        const refused = await run(subject, ["status", ...words]);
        assert.deepEqual([refused.code, refused.stdout], [1, ""]);
        assert.match(refused.stderr, /asks for a token; give it by --token-file/);
        // By the configuration alone.
        assert.equal((await run(subject, ["status", "-c", proxy.configPath])).code, 0);

        await using watching = new Child([
          ...[...subject.command, "status", "--watch", "--json", ...words, "--token-file", file],
        ]);
        await watching.until(() => watching.stdout.includes('"event":"summary"'));
        await proxy[Symbol.asyncDispose]();
        await watching.until(() => watching.stderr.includes("; trying again"));
        const before = watching.lines.length;
        proxy = await Understudy.start(subject, text);
        await watching.until(() => watching.lines.length > before);
        watching.kill("SIGTERM");
        assert.deepEqual(await watching.exited, { code: 0, signal: null });
      } finally {
        await proxy[Symbol.asyncDispose]();
      }
    });

    it("say that nothing answers, whichever asks", SLOW, async () => {
      const at = ["--admin", `127.0.0.1:${await freePort()}`];
      for (const words of [["status"], ["drain", "gpu"], ["reload"], ["tail"]]) {
        const { code, stdout, stderr } = await run(subject, [...words, ...at]);
        assert.deepEqual([code, stdout], [1, ""], words[0]);
        assert.match(
          stderr,
          /^Nothing answers at http:\/\/127\.0\.0\.1:\d+; is understudy running/,
        );
      }
    });
  });

  describe(`commands around a configuration (${subject.name})`, () => {
    it("write one that serves", SLOW, async () => {
      await using gpu = await StandIn.start("gpu");
      const place = await mkdtemp(join(tmpdir(), "understudy-init-"));
      try {
        const options = { cwd: place };
        const words = ["init", "--yes", "--upstream", gpu.url, "--listen", "127.0.0.1:0"];
        const { code, stdout, stderr } = await run(subject, words, options);
        assert.deepEqual([code, stderr], [0, ""]);
        assert.match(
          stdout,
          /Ollama, and it answers\nWrote config\.yaml\. Try it: understudy run\n$/,
        );
        assert.equal((await run(subject, ["validate"], options)).code, 0);
        assert.equal((await run(subject, ["fmt", "--check"], options)).code, 0);
        assert.equal((await run(subject, words, options)).code, 1);

        const text = await readFile(join(place, "config.yaml"), "utf8");
        await using proxy = await Understudy.start(
          subject,
          text.replace(/^admin: .*/m, "admin: off"),
        );
        assert.equal((await fetch(proxy.url)).status, 200);
      } finally {
        await rm(place, { recursive: true });
      }
    });

    it("print a unit where there is no systemd, and install nothing", SLOW, async () => {
      await using place = await folder({ "config.yaml": config("off", "http://a", "http://b") });
      const options = { cwd: place.path };
      const dry = await run(subject, ["service", "install", "--dry-run"], options);
      assert.deepEqual([dry.code, dry.stderr], [0, ""]);
      assert.match(dry.stdout, /^Type=notify$/m);
      assert.match(dry.stdout, /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
      const removed = await run(subject, ["service", "uninstall", "--dry-run"]);
      assert.match(removed.stdout, /^systemctl disable --now understudy\.service$/m);
    });
  });
}
