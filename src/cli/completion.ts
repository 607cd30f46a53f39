/** `understudy completion`: prints the script by which a shell completes understudy's words. */
import { AdminClient } from "./admin_client.ts";
import { AdminError } from "./admin_place.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { completionScript, SHELLS } from "./completion_scripts.ts";
import { upstreamNames } from "./operate.ts";

/** Takes the commands late, as it is one of them. */
export function completionOf(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    summary: "Print a script that completes words in bash, zsh or fish",
    help: `Usage: understudy completion bash|zsh|fish

Prints a script by which the shell completes commands, flags, their values and,
from the understudy that runs, the names of upstreams.

  source <(understudy completion bash)                      # in ~/.bashrc
  understudy completion zsh > "\${fpath[1]}/_understudy"
  understudy completion fish > ~/.config/fish/completions/understudy.fish
`,
    flags: {},
    positionalsMax: 1,
    positionals: SHELLS,

    async run(platform, args) {
      const [word] = args.positionals;
      // What the scripts themselves ask for.
      if (word === "upstreams") {
        try {
          const names = await upstreamNames(await AdminClient.find(args, platform));
          platform.stdout.write(names.map((name) => `${name}\n`).join(""));
        } catch (error) {
          if (!(error instanceof AdminError)) throw error;
        }
        return EXIT.fine;
      }
      const shell = SHELLS.find((one) => one === word);
      if (shell === undefined) {
        const what = word === undefined ? "" : ` but received "${word}"`;
        throw new UsageError(`Expected bash, zsh or fish${what}`);
      }
      platform.stdout.write(completionScript(shell, commands()));
      return EXIT.fine;
    },
  };
}
