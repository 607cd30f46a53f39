/** `understudy fmt`: formats a YAML configuration and changes nothing it says. */
import { format } from "../config/format.ts";
import { FileError, type Platform } from "../platform/platform.ts";
import { isCaddyfile } from "./caddyfile_source.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { locate } from "./source.ts";

export const fmt: Command = {
  name: "fmt",
  summary: "Format a YAML configuration; comments and order stay",
  help: `Usage: understudy fmt [--check | --write] [PATH]

Formats a YAML configuration: two spaces a level, at most one blank line,
[a, b] and { a: b }. Values, comments and the order of keys stay as they are.
Without a flag the result goes to standard output.

      --check         Only say whether the file is formatted
  -w, --write         Write the result to the file

Without PATH: ./config.yaml, then /etc/understudy/config.yaml

Exit codes: 0 fine, 1 the file cannot be formatted, or is not and --check
asked for it, 2 usage.
`,
  flags: { check: { type: "boolean" }, write: { type: "boolean", short: "w" } },
  positionalsMax: 1,
  positionals: "file",

  async run(platform, args) {
    if (args.has("check") && args.has("write")) {
      throw new UsageError("Expected either --check or --write but received both");
    }
    const located = await locate(args.positionals[0], platform);
    if (located.kind === "none") return failed(platform, located.problem);
    const { path } = located;
    if (isCaddyfile(path)) {
      const why = `${path}: Expected a YAML configuration but received a Caddyfile`;
      return failed(
        platform,
        `${why}; "caddy fmt" formats it, "understudy adapt" makes YAML of it`,
      );
    }

    try {
      const text = await platform.readText(path);
      const result = format(text, path);
      if (result.kind === "refused") return failed(platform, result.problems.join("\n"));
      if (args.has("check")) {
        return result.text === text ? EXIT.fine : failed(platform, `${path} is not formatted`);
      }
      if (!args.has("write")) platform.stdout.write(result.text);
      else if (result.text !== text) await platform.writeText(path, result.text);
      return EXIT.fine;
    } catch (error) {
      if (error instanceof FileError) return failed(platform, error.message);
      throw error;
    }
  },
};

function failed(platform: Platform, problem: string): number {
  platform.stderr.write(`${problem}\n`);
  return EXIT.failed;
}
