/** `understudy validate`: says everything that is wrong with a configuration, and serves nothing. */
import { poolsOf } from "../steps.ts";
import { tableOf } from "./caddyfile_table.ts";
import { type Command, EXIT } from "./command.ts";
import { sourceOf } from "./source.ts";

export const validate: Command = {
  name: "validate",
  summary: "Check a configuration and say everything that is wrong with it",
  help: `Usage: understudy validate [PATH] [--config PATH]

Checks a configuration as "run" would and reports all problems at once, each as
  config.yaml:12:5 routes[0].health.timeout: Expected … but received …

For a Caddyfile, a table says what each of its lines becomes, and whether that
is the same, better or different.

  -c, --config PATH   Configuration file, YAML or a Caddyfile. Without it:
                      ./config.yaml, then /etc/understudy/config.yaml

Exit codes: 0 the file is good, 1 it is not, 2 usage.
`,
  flags: { config: { type: "string", short: "c", values: "file" } },
  positionalsMax: 1,
  positionals: "file",

  async run(platform, args) {
    const source = await sourceOf(args.text("config") ?? args.positionals[0], platform);
    if (source === undefined) return EXIT.failed;
    const { routes } = source.config;
    if (source.imported !== undefined) {
      platform.stdout.write(`${tableOf(source.imported).join("\n")}\n\n`);
    }
    const upstreams = poolsOf(routes).reduce((sum, pool) => sum + pool.upstreams.length, 0);
    platform.stdout.write(
      `${source.path} is good: ${counted(routes.length, "route")}, ${
        counted(upstreams, "upstream")
      }\n`,
    );
    return EXIT.fine;
  },
};

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
