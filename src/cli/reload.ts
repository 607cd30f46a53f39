/** `understudy reload`: has the running one read its configuration again, and says what is wrong with it. */
import type { ReloadResult } from "../ops/status.ts";
import { ADMIN_FLAGS, ADMIN_HELP, withAdmin } from "./admin_client.ts";
import { type Command, EXIT } from "./command.ts";

export const reload: Command = {
  name: "reload",
  summary: "Read the configuration again, and say what is wrong with it",
  help: `Usage: understudy reload

Has the running understudy read its configuration again. A good one is taken
over at once and whole; a bad one changes nothing, and its problems are printed.
(A change of the file is taken over without this as well.)

${ADMIN_HELP}

Exit codes: 0 taken over, 1 not, 2 usage.
`,
  flags: ADMIN_FLAGS,

  async run(platform, args) {
    return await withAdmin(platform, args, async (client) => {
      const { config } = await client.post<ReloadResult>("/api/reload");
      platform.stdout.write(`${config.path ?? "The configuration"} is taken over\n`);
      return EXIT.fine;
    });
  },
};
