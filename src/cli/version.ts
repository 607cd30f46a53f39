/** `understudy version`, and the one place that knows the number. */
import manifest from "../../package.json" with { type: "json" };
import { type Command, EXIT } from "./command.ts";

export const VERSION = manifest.version;

export const version: Command = {
  name: "version",
  summary: "Say which version this is",
  help: `Usage: understudy version

Prints the version of understudy and of the runtime inside it.
`,
  flags: {},

  run(platform) {
    platform.stdout.write(`understudy ${VERSION} (${platform.runtime})\n`);
    return Promise.resolve(EXIT.fine);
  },
};
