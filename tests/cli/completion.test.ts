/** Scripts of completion, read by real shells where there are any. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { UsageError } from "../../src/cli/command.ts";
import { completionOf } from "../../src/cli/completion.ts";
import { completionScript, SHELLS } from "../../src/cli/completion_scripts.ts";
import { COMMANDS } from "../../src/cli/front_door.ts";
import { pairStatus } from "../support/admin_status.ts";
import { json, ranIn } from "../support/fake_admin.ts";

const command = completionOf(() => COMMANDS);
const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;

/** What bash offers for a line; its last word is the one being typed. */
function offered(line: string): string[] {
  const words = line.split(" ");
  const script = `
${completionScript("bash", COMMANDS)}
understudy() { echo gpu; echo slow; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
compopt() { :; }
_understudy
printf '%s\\n' "\${COMPREPLY[@]}"
`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  assert.equal(stderr, "");
  return stdout.split("\n").filter((word) => word !== "");
}

describe("completionScript() for bash", { skip: !has("bash") && "bash is missing" }, () => {
  const cases: [string, string[]][] = [
    ["understudy st", ["status"]],
    ["understudy un", ["undrain"]],
    ["understudy drain ", ["gpu", "slow"]],
    ["understudy drain g", ["gpu"]],
    ["understudy status --w", ["--watch"]],
    ["understudy tail --status 5", ["5xx"]],
    ["understudy tail --upstream s", ["slow"]],
    ["understudy explain --method P", ["POST", "PUT"]],
    ["understudy run --engine w", ["wire", "web"]],
    ["understudy run --config /etc/host", ["/etc/host.conf", "/etc/hostname", "/etc/hosts"]],
    ["understudy service u", ["uninstall"]],
    ["understudy completion z", ["zsh"]],
    ["understudy help relo", ["reload"]],
    ["understudy nonsense ", []],
  ];
  for (const [line, expected] of cases) {
    it(`offers ${expected.join(", ") || "nothing"} for "${line}"`, () => {
      const words = offered(line);
      if (!line.includes("/etc/host")) return assert.deepEqual(words, expected);
      assert.ok(words.length > 0 && words.every((word) => expected.includes(word)), words.join());
    });
  }

  it("offers every command that the overview shows", () => {
    const shown = COMMANDS.flatMap(({ name, summary }) => summary === undefined ? [] : [name]);
    assert.deepEqual(offered("understudy ").toSorted(), [...shown, "help"].toSorted());
  });
});

describe("completionScript()", () => {
  for (const shell of ["zsh", "fish"] as const) {
    const checked = has(shell) ? it : it.skip;
    void checked(`is a script that ${shell} can read`, () => {
      const { status, stderr } = spawnSync(shell, ["-n"], {
        input: completionScript(shell, COMMANDS),
        encoding: "utf8",
      });
      assert.deepEqual([status, stderr], [0, ""]);
    });
  }

  for (const shell of SHELLS) {
    it(`knows every command and flag in ${shell}`, () => {
      const script = completionScript(shell, COMMANDS);
      for (const { name, flags, summary } of COMMANDS) {
        if (summary === undefined) continue;
        assert.ok(script.includes(name), name);
        for (const flag of Object.keys(flags)) assert.ok(script.includes(flag), flag);
      }
    });
  }

  it("says of flags what their help says", () => {
    const script = completionScript("fish", COMMANDS);
    assert.match(script, /seen_subcommand_from status' -l watch -s w -d 'Stay and redraw when/);
    assert.match(script, /seen_subcommand_from explain' -l header -s H -r -d 'A header field'/);
    assert.doesNotMatch(script, /-d ''/);
  });
});

describe("completion", () => {
  it("prints the script of a shell, and refuses others", async () => {
    const { code, stdout } = await ranIn(command, ["bash"]);
    assert.deepEqual([code, stdout], [0, completionScript("bash", COMMANDS)]);
    await assert.rejects(ranIn(command, ["tcsh"]), UsageError);
    await assert.rejects(ranIn(command, []), UsageError);
  });

  it("tells the names of upstreams, and nothing where nobody answers", async () => {
    const answers = { "GET /api/status": json(pairStatus()) };
    assert.equal((await ranIn(command, ["upstreams"], { answers })).stdout, "gpu\nslow\n");
    const alone = await ranIn(command, ["upstreams"]);
    assert.deepEqual([alone.code, alone.stdout, alone.stderr], [0, "", ""]);
  });
});

describe("completionScript() for fish", { skip: !has("fish") && "fish is missing" }, () => {
  const cases: [string, string[]][] = [
    ["understudy st", ["status"]],
    ["understudy status --w", ["--watch"]],
    ["understudy service ", ["install", "status", "uninstall"]],
    ["understudy explain --method P", ["POST", "PUT"]],
  ];
  for (const [line, expected] of cases) {
    it(`offers ${expected.join(", ")} for "${line}"`, () => {
      const { stdout } = spawnSync(
        "fish",
        ["--no-config", "-c", `source -; complete -C"${line}"`],
        {
          input: completionScript("fish", COMMANDS),
          encoding: "utf8",
        },
      );
      const words = stdout.trimEnd().split("\n").map((one) => one.split("\t")[0]);
      assert.deepEqual(words.toSorted(), expected);
    });
  }
});
