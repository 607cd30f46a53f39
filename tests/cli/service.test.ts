/** The steps by which a service is made and ended, the unit, and the words where that cannot be. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { UsageError } from "../../src/cli/command.ts";
import { service } from "../../src/cli/service.ts";
import { UNIT_PATH, unitText, type UnitWishes } from "../../src/cli/service_unit.ts";
import { FileError, type Platform } from "../../src/platform/platform.ts";
import { ranIn, type Scene } from "../support/fake_admin.ts";

const WISHES: UnitWishes = {
  binary: "/usr/local/bin/understudy",
  config: "/etc/understudy/config.yaml",
  user: "understudy",
  graceMs: 600_000,
  answers: true,
};
const CONFIG = "routes: [{ upstreams: [http://a] }]\n";

/** A machine on which systemd and root are there or not, and which notes what is run. */
function machine({ systemd = true, uid = 0, fails = "", users = "" } = {}) {
  const ran: string[] = [];
  const platform: Partial<Platform> = {
    program: ["/home/ann/understudy"],
    listDirectory: () =>
      systemd ? Promise.resolve([]) : Promise.reject(new FileError("no such directory")),
    runProgram(file, args) {
      const line = [file, ...args].join(" ");
      if (line === "id -u") return Promise.resolve({ code: 0, stdout: `${uid}\n`, stderr: "" });
      ran.push(line);
      const code = line.startsWith("id -u ") ? (users.includes(args[1] ?? "") ? 0 : 1) : 0;
      const isBad = fails !== "" && line.startsWith(fails);
      return Promise.resolve({
        code: isBad ? 1 : code,
        stdout: "out",
        stderr: isBad ? "why\n" : "",
      });
    },
  };
  return { ran, platform };
}

describe("unitText()", () => {
  it("waits for readiness, keeps a watchdog, and gives requests their grace", () => {
    const text = unitText(WISHES);
    for (
      const line of [
        "Type=notify",
        "WatchdogSec=30s",
        "TimeoutStopSec=630s",
        "ExecStart=/usr/local/bin/understudy run --config /etc/understudy/config.yaml",
        "ExecReload=/usr/local/bin/understudy reload --config /etc/understudy/config.yaml",
        "ProtectSystem=strict",
        "StateDirectoryMode=0700",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
      ]
    ) assert.ok(text.split("\n").includes(line), line);
  });

  it("reloads by a signal when nobody answers", () => {
    assert.match(
      unitText({ ...WISHES, answers: false }),
      /^ExecReload=\/bin\/kill -HUP \$MAINPID$/m,
    );
  });

  it("quotes odd paths", () => {
    const text = unitText({ ...WISHES, config: '/srv/a b/100%"$x' });
    assert.match(text, /--config "\/srv\/a b\/100%%\\"\$\$x"$/m);
  });

  const analyze = "/usr/bin/systemd-analyze";
  const verified = existsSync(analyze) ? it : it.skip;
  void verified(
    "is a unit that systemd takes, and thinks well of",
    { timeout: 60_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "understudy-unit-"));
      try {
        const path = join(folder, "understudy.service");
        await writeFile(path, unitText({ ...WISHES, binary: process.execPath, user: "root" }));
        const verdict = spawnSync(analyze, ["verify", "--man=no", path], { encoding: "utf8" });
        const about = verdict.stderr.split("\n").filter((line) =>
          line.includes("understudy.service")
        );
        assert.deepEqual([verdict.status, about], [0, []]);
        const security = spawnSync(
          analyze,
          ["security", "--offline=yes", "--threshold=30", "--no-pager", path],
          { encoding: "utf8" },
        );
        assert.equal(security.status, 0, security.stdout);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});

describe("service", () => {
  const files = { "config.yaml": CONFIG };

  it("prints all that would be done, and does none of it, in a dry run", async () => {
    const { ran, platform } = machine({ systemd: false, uid: 1000 });
    const result = await ranIn(service, ["install", "--dry-run"], { files, platform });
    assert.deepEqual([result.code, result.stderr, ran, result.files], [0, "", [], files]);
    const [unit, rest] = [unitText(WISHES), result.stdout.replace(unitText(WISHES), "…\n")];
    assert.ok(result.stdout.includes(unit));
    assert.deepEqual(rest.trimEnd().split("\n"), [
      "id -u understudy || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin understudy",
      "install -m 0755 /home/ann/understudy /usr/local/bin/understudy",
      "install -d -m 0750 -o root -g understudy /etc/understudy",
      "install -m 0640 -o root -g understudy config.yaml /etc/understudy/config.yaml",
      "cat > /etc/systemd/system/understudy.service <<'END'",
      "…",
      "END",
      "systemctl daemon-reload",
      "systemctl enable understudy.service",
      "systemctl restart understudy.service",
    ]);
  });

  it("does it, and leaves what is there already", async () => {
    const { ran, platform } = machine({ users: "understudy" });
    const there = { "/etc/understudy/config.yaml": CONFIG };
    const result = await ranIn(service, ["install"], { files: there, platform });
    assert.deepEqual([result.code, result.stderr], [0, ""]);
    assert.deepEqual(ran, [
      "id -u understudy",
      "install -m 0755 /home/ann/understudy /usr/local/bin/understudy",
      "systemctl daemon-reload",
      "systemctl enable understudy.service",
      "systemctl restart understudy.service",
    ]);
    assert.equal(result.files[UNIT_PATH], unitText(WISHES));
  });

  it("stops and forgets it, but keeps the configuration", async () => {
    const { ran, platform } = machine();
    const result = await ranIn(service, ["uninstall"], { files, platform });
    assert.equal(result.code, 0);
    assert.deepEqual(ran, [
      "systemctl disable --now understudy.service",
      `rm -f ${UNIT_PATH}`,
      "systemctl daemon-reload",
    ]);
  });

  it("shows what systemd says", async () => {
    const { platform } = machine({ fails: "systemctl status" });
    const result = await ranIn(service, ["status"], { platform });
    assert.deepEqual([result.code, result.stdout, result.stderr], [1, "out", "why\n"]);
  });

  const refusals: [string, string[], Scene, RegExp][] = [
    [
      "there is no systemd",
      ["install"],
      { files, ...machine({ systemd: false }) },
      /^Cannot find systemd: this machine was not started by it; --dry-run shows/,
    ],
    [
      "it is not root",
      ["install"],
      { files, ...machine({ uid: 1000 }) },
      /^Cannot install a service as this user; try: sudo understudy service install\n$/,
    ],
    [
      "there is no configuration",
      ["install"],
      machine(),
      /^Cannot find a configuration: .*understudy init/,
    ],
    [
      "the configuration is no good",
      ["install"],
      { files: { "config.yaml": "routes: 7" }, ...machine() },
      /^config\.yaml:1:9 routes: Expected/,
    ],
    [
      "it runs from its source",
      ["install"],
      { files, platform: { ...machine().platform, program: ["bun", "run", "main.ts"] } },
      /^Cannot install understudy from its source; build the program first: npm run build\n$/,
    ],
    [
      "a step fails",
      ["install"],
      { files, ...machine({ fails: "systemctl restart" }) },
      /^Cannot do "systemctl restart understudy.service":\nwhy\n$/,
    ],
  ];
  for (const [title, words, scene, expected] of refusals) {
    it(`says so when ${title}`, async () => {
      const { code, stderr } = await ranIn(service, words, scene);
      assert.match(stderr, expected);
      assert.equal(code, 1);
    });
  }

  const wrong: [string, string[]][] = [
    ["nothing is asked for", []],
    ["something unknown is asked for", ["start"]],
    ["a path is relative", ["install", "--binary", "x"]],
    ["a user is none", ["install", "--user", "a b"]],
  ];
  for (const [title, words] of wrong) {
    it(`refuses when ${title}`, async () => {
      await assert.rejects(ranIn(service, words, { files, ...machine() }), UsageError);
    });
  }
});
