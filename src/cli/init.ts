/** `understudy init`: writes a first configuration, from flags or from what it asks at the terminal. */
import { FileError, type Platform } from "../platform/platform.ts";
import { type Command, EXIT, type Parsed, UsageError } from "./command.ts";
import { configText, type Machine, type Wishes } from "./init_config.ts";
import { type Look, lookAt } from "./init_look.ts";
import { checkConfig } from "./source.ts";

export const init: Command = {
  name: "init",
  summary: "Write a first config.yaml: asks, or takes flags",
  help: `Usage: understudy init [--upstream URL …] [--host NAME] [--listen ADDRESS]

Writes a configuration with comments. At a terminal it asks for what no flag
says; otherwise the flags must say it. Looks whether the upstreams answer, and
knows an Ollama when it sees one, to choose how they are probed.

      --upstream URL     Upstream, preferred ones first; may be repeated
      --host NAME        Host that clients ask for, "*" (any) by default
      --listen ADDRESS   Address to listen on, ":8080" by default
      --health URI       What to probe, "off" for nothing; else found by looking
  -o, --output PATH      File to write, config.yaml by default; "-" prints it
  -y, --yes              Ask nothing
      --force            Write over a file that is there

Exit codes: 0 written, 1 not, 2 usage.
`,
  flags: {
    upstream: { type: "string", multiple: true },
    host: { type: "string" },
    listen: { type: "string" },
    health: { type: "string" },
    output: { type: "string", short: "o", values: "file" },
    yes: { type: "boolean", short: "y" },
    force: { type: "boolean" },
  },

  async run(platform, args) {
    const path = args.text("output") ?? "config.yaml";
    if (path !== "-" && !args.has("force") && await platform.fileExists(path)) {
      platform.stderr.write(`"${path}" is there already; --force writes over it\n`);
      return EXIT.failed;
    }
    const asker = args.has("yes") ? undefined : new Asker(platform, path === "-");
    const machines = await machinesFrom(args, asker, platform);
    const looks = await lookAround(machines, platform, path === "-");
    const wishes: Wishes = {
      upstreams: machines.map((url, at): Machine => ({ url, remark: looks[at]?.remark })),
      host: args.text("host") ?? await asker?.ask("Host that clients ask for", "*", hostCheck) ??
        "*",
      listen: args.text("listen") ??
        await asker?.ask("Address to listen on", ":8080", listenCheck) ??
        ":8080",
      health: await healthFrom(args, asker, looks),
    };

    const text = configText(wishes);
    const problems = await problemsOf(text, platform);
    if (problems.length > 0) throw new UsageError(problems.join("\n"));
    if (path === "-") {
      platform.stdout.write(text);
      return EXIT.fine;
    }
    return await write(path, text, platform);
  },
};

async function write(path: string, text: string, platform: Platform): Promise<number> {
  try {
    await platform.writeText(path, text);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    platform.stderr.write(`${error.message}\n`);
    return EXIT.failed;
  }
  const named = path === "config.yaml" ? "" : ` --config ${path}`;
  platform.stdout.write(`Wrote ${path}. Try it: understudy run${named}\n`);
  return EXIT.fine;
}

/** What an answer is checked with: a configuration that is made of it and of nothing else in doubt. */
type Check = (answer: string) => Wishes;

const PLAIN: Wishes = {
  host: "*",
  listen: ":8080",
  upstreams: [{ url: "http://127.0.0.1:11434", remark: undefined }],
  health: undefined,
};
const hostCheck: Check = (host) => ({ ...PLAIN, host });
const listenCheck: Check = (listen) => ({ ...PLAIN, listen });
const upstreamCheck: Check = (url) => ({ ...PLAIN, upstreams: [{ url, remark: undefined }] });
const healthCheck: Check = (uri) => ({
  ...PLAIN,
  health: uri === "off" ? undefined : { uri, status: ["2xx"] },
});

/** Asks at the terminal, again for what is no good. */
class Asker {
  readonly #platform: Platform;
  /** Nobody is there, or what is printed goes elsewhere. */
  #silent: boolean;

  constructor(platform: Platform, silent: boolean) {
    this.#platform = platform;
    this.#silent = silent;
  }

  /** The answer, or what stands for an empty one; undefined where nobody answers. */
  async ask(question: string, byDefault: string, check: Check): Promise<string | undefined> {
    const hint = byDefault === "" ? "" : ` [${byDefault}]`;
    while (!this.#silent) {
      const line = await this.#platform.askLine(`${question}${hint}: `);
      if (line === undefined) {
        this.#silent = true;
        break;
      }
      const answer = line.trim() || byDefault;
      if (answer === "") return answer;
      const problems = await problemsOf(configText(check(answer)), this.#platform);
      if (problems.length === 0) return answer;
      this.#platform.stdout.write(`  ${problems.join("\n  ")}\n`);
    }
    return undefined;
  }
}

async function machinesFrom(
  args: Parsed,
  asker: Asker | undefined,
  platform: Platform,
): Promise<readonly string[]> {
  const named = args.texts("upstream");
  if (named.length > 0) return named;
  const machines: string[] = [];
  while (asker !== undefined) {
    const question = machines.length === 0
      ? "URL of the machine you prefer, such as http://192.168.1.5:11434"
      : "URL of the next one when those are not there (empty: that is all)";
    const url = await asker.ask(question, "", upstreamCheck);
    if (url === undefined || url === "" && machines.length > 0) break;
    if (url !== "") machines.push(url);
  }
  if (machines.length > 0) return machines;
  const where = platform.stdout.isTerminal ? "" : ", as there is no terminal to ask at";
  throw new UsageError(`Expected at least one --upstream URL${where}`);
}

async function lookAround(
  urls: readonly string[],
  platform: Platform,
  quiet: boolean,
): Promise<readonly Look[]> {
  const looks = await Promise.all(urls.map((url) => lookAt(url, platform)));
  const lines = looks.map(({ found }, at) => `${urls[at]}  ${found}\n`);
  if (!quiet) platform.stdout.write(lines.join(""));
  return looks;
}

async function healthFrom(
  args: Parsed,
  asker: Asker | undefined,
  looks: readonly Look[],
): Promise<Wishes["health"]> {
  const seen = looks.filter(({ uri }) => uri !== undefined);
  const [first] = seen;
  const found = first?.uri ?? "/";
  const uri = args.text("health") ??
    await asker?.ask("What to probe them at (off: nothing)", found, healthCheck) ?? found;
  if (uri === "off") return undefined;
  const alike = seen.every((look) =>
    look.uri === first?.uri && String(look.status) === String(first?.status)
  );
  // Where they differ, or were not seen, any answer that tells of life has to do.
  const isFound = uri === found && alike && first !== undefined;
  return { uri, status: isFound ? first.status : ["2xx", "3xx", "4xx"] };
}

/** What is wrong with a text, each without its place, which nobody wrote. */
async function problemsOf(text: string, platform: Platform): Promise<readonly string[]> {
  const source = await checkConfig(text, "", platform);
  if (source.kind === "loaded") return [];
  return source.problems.map((problem) => problem.replace(/^[:\d ]+/, ""));
}
