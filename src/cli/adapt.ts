/** `understudy adapt`: prints a Caddyfile as the YAML one would have written instead. */
import { FileError } from "../platform/platform.ts";
import { formatProblem } from "../config/load.ts";
import { loadImported, readCaddyfile } from "./caddyfile_source.ts";
import { type Command, EXIT } from "./command.ts";
import { toYaml } from "./written_yaml.ts";

export const adapt: Command = {
  name: "adapt",
  summary: "Print a Caddyfile as config.yaml",
  help: `Usage: understudy adapt [PATH] [--config PATH]

Prints the configuration that a Caddyfile is taken for as YAML, comments
included. Says what cannot be taken over, with line, reason and the nearest
thing there is; nothing is left out silently. "validate" tells of each line
what it becomes.

  -c, --config PATH   The Caddyfile. Without it: ./Caddyfile

  understudy adapt Caddyfile > config.yaml

Exit codes: 0 fine, 1 something cannot be taken over, 2 usage.
`,
  flags: { config: { type: "string", short: "c", values: "file" } },
  positionalsMax: 1,
  positionals: "file",

  async run(platform, args) {
    const path = args.text("config") ?? args.positionals[0] ?? "Caddyfile";
    try {
      const { imported } = await readCaddyfile(path, platform);
      const loaded = await loadImported(imported, path, platform);
      if (loaded.kind === "loaded") {
        platform.stdout.write(toYaml(imported.root));
        return EXIT.fine;
      }
      platform.stderr.write(`${loaded.problems.map(formatProblem).join("\n")}\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      platform.stderr.write(`${error.message}\n`);
    }
    return EXIT.failed;
  },
};
