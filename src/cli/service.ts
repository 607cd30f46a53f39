/**
 * `understudy service`: makes understudy a service of systemd, or ends that. Plans all steps first,
 * so that a dry run prints just what would be done.
 */
import { FileError, type Platform } from "../platform/platform.ts";
import { type Command, EXIT, type Parsed, UsageError } from "./command.ts";
import { UNIT_NAME, UNIT_PATH, unitText } from "./service_unit.ts";
import { readConfig } from "./source.ts";

const ACTIONS = ["install", "uninstall", "status"] as const;
type Action = typeof ACTIONS[number];

const BINARY = "/usr/local/bin/understudy";
const CONFIG = "/etc/understudy/config.yaml";
const USER = "understudy";

export const service: Command = {
  name: "service",
  summary: "Run it as a service of systemd: install, uninstall, status",
  help: `Usage: understudy service install|uninstall|status [--dry-run]

install    copies this program to ${BINARY} and ./config.yaml to
           ${CONFIG} where none is there, makes a user
           of its own, writes a unit that lets it do little else than
           proxy, and starts it. Also brings a new version in place.
uninstall  stops it and removes the unit; configuration and user stay.
status     what systemd says of it

systemd hears when its listeners are open (sd_notify), that it still lives
(watchdog), and when it ends. "systemctl reload understudy" reloads.

      --dry-run        Print what would be done, the unit included
      --binary PATH    Where the program goes, ${BINARY}
      --user NAME      Whom it runs as, understudy
  -c, --config PATH    Its configuration, ${CONFIG}

Exit codes: 0 done, 1 failed (no systemd, not root), 2 usage.
`,
  flags: {
    "dry-run": { type: "boolean" },
    binary: { type: "string", values: "file" },
    user: { type: "string" },
    config: { type: "string", short: "c", values: "file" },
  },
  positionalsMax: 1,
  positionals: ACTIONS,

  async run(platform, args) {
    const [word] = args.positionals;
    const action = ACTIONS.find((one) => one === word);
    if (action === undefined) {
      const what = word === undefined ? "" : ` but received "${word}"`;
      throw new UsageError(`Expected install, uninstall or status${what}`);
    }
    const dry = args.has("dry-run");
    try {
      if (!dry) await needSystemd(platform, action);
      if (action === "status") return await showStatus(platform);
      const steps = action === "install" ? await installSteps(args, platform) : uninstallSteps();
      if (dry) platform.stdout.write(`${steps.map(inWords).join("\n")}\n`);
      else for (const step of steps) await perform(step, platform);
      if (!dry) platform.stdout.write(`${DONE[action]}\n`);
      return EXIT.fine;
    } catch (error) {
      if (!(error instanceof ServiceError || error instanceof FileError)) throw error;
      platform.stderr.write(`${error.message}\n`);
      return EXIT.failed;
    }
  },
};

const DONE: Readonly<Record<Exclude<Action, "status">, string>> = {
  install: "understudy runs. See: understudy status, journalctl -u understudy",
  uninstall: "understudy is stopped, and no service any more",
};

/** Something is in the way, in words. */
class ServiceError extends Error {
  override readonly name = "ServiceError";
}

type Step =
  /** `unless` succeeding means that there is nothing to do. */
  | { readonly kind: "run"; readonly words: readonly string[]; readonly unless?: readonly string[] }
  | { readonly kind: "write"; readonly path: string; readonly text: string };

async function needSystemd(platform: Platform, action: Action): Promise<void> {
  try {
    // sd_booted(3)
    await platform.listDirectory("/run/systemd/system");
  } catch {
    throw new ServiceError(
      "Cannot find systemd: this machine was not started by it; --dry-run shows what would be done",
    );
  }
  if (action === "status") return;
  const { stdout } = await platform.runProgram("id", ["-u"]);
  if (stdout.trim() === "0") return;
  throw new ServiceError(
    `Cannot ${action} a service as this user; try: sudo understudy service ${action}`,
  );
}

async function installSteps(args: Parsed, platform: Platform): Promise<readonly Step[]> {
  const binary = absolute("binary", args.text("binary") ?? BINARY);
  const config = absolute("config", args.text("config") ?? CONFIG);
  const user = args.text("user") ?? USER;
  if (!/^[a-z_][\w-]{0,30}$/.test(user)) {
    throw new UsageError(`Expected --user to be a user's name but received "${user}"`);
  }
  const isThere = await platform.fileExists(config);
  const from = isThere ? config : "config.yaml";
  if (!isThere && !await platform.fileExists(from)) {
    throw new ServiceError(
      `Cannot find a configuration: looked for "${config}" and "${from}"; write one with: understudy init`,
    );
  }
  const source = await readConfig(from, platform);
  if (source.kind === "refused") throw new ServiceError(source.problems.join("\n"));

  const { graceMs, admin } = source.config;
  const answers = admin !== undefined;
  const folder = config.slice(0, config.lastIndexOf("/")) || "/";
  return [
    {
      kind: "run",
      words: [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
      ]
        .concat("--shell", "/usr/sbin/nologin", user),
      unless: ["id", "-u", user],
    },
    ...programSteps(binary, args.has("dry-run"), platform),
    ...(isThere ? [] : copySteps(from, config, folder, user)),
    { kind: "write", path: UNIT_PATH, text: unitText({ binary, config, user, graceMs, answers }) },
    systemctl("daemon-reload"),
    systemctl("enable", UNIT_NAME),
    // Waits until it serves; not "start", so that a new version takes the old one's place.
    systemctl("restart", UNIT_NAME),
  ];
}

/** Only the compiled program can be copied; run from its source it is many files. */
function programSteps(binary: string, dry: boolean, { program }: Platform): readonly Step[] {
  const [own = "", ...rest] = program;
  const isSource = rest.length > 0;
  if (isSource && !dry) {
    throw new ServiceError(
      "Cannot install understudy from its source; build the program first: npm run build",
    );
  }
  const from = isSource ? "dist/understudy" : own;
  return from === binary ? [] : [{ kind: "run", words: ["install", "-m", "0755", from, binary] }];
}

/** Its secrets are for it alone. */
function copySteps(from: string, config: string, folder: string, user: string): readonly Step[] {
  const owned = ["-o", "root", "-g", user];
  return [
    { kind: "run", words: ["install", "-d", "-m", "0750", ...owned, folder] },
    { kind: "run", words: ["install", "-m", "0640", ...owned, from, config] },
  ];
}

function uninstallSteps(): readonly Step[] {
  return [
    systemctl("disable", "--now", UNIT_NAME),
    { kind: "run", words: ["rm", "-f", UNIT_PATH] },
    systemctl("daemon-reload"),
  ];
}

function systemctl(...words: readonly string[]): Step {
  return { kind: "run", words: ["systemctl", ...words] };
}

function absolute(flag: string, path: string): string {
  if (path.startsWith("/")) return path;
  throw new UsageError(`Expected --${flag} to be an absolute path but received "${path}"`);
}

/** A step as one would type it. */
function inWords(step: Step): string {
  if (step.kind === "write") return `cat > ${step.path} <<'END'\n${step.text}END`;
  const line = step.words.map(shellWord).join(" ");
  return step.unless === undefined ? line : `${step.unless.join(" ")} || ${line}`;
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function perform(step: Step, platform: Platform): Promise<void> {
  if (step.kind === "write") return await platform.writeText(step.path, step.text);
  const { unless } = step;
  if (unless !== undefined && (await run(unless, platform)).code === 0) return;
  const { code, stderr } = await run(step.words, platform);
  if (code === 0) return;
  throw new ServiceError(`Cannot do "${step.words.join(" ")}":\n${stderr.trimEnd()}`);
}

function run([file = "", ...args]: readonly string[], platform: Platform) {
  return platform.runProgram(file, args);
}

async function showStatus(platform: Platform): Promise<number> {
  const { code, stdout, stderr } = await platform.runProgram("systemctl", [
    ...["status", "--no-pager", "--lines=5", UNIT_NAME],
  ]);
  platform.stdout.write(stdout);
  platform.stderr.write(stderr);
  return code === 0 ? EXIT.fine : EXIT.failed;
}
