/** `understudy stand-in`: one pretended Ollama, for the demo and the tests; not in the overview. */
import { parseStandInArgs, runStandIn } from "../demo/stand_in.ts";
import type { Platform } from "../platform/platform.ts";
import { EXIT } from "./command.ts";

/** Reads its own flags, as they are those of `runStandIn`. */
export async function standIn(platform: Platform, args: readonly string[]): Promise<number> {
  const parsed = parseStandInArgs(args);
  if (parsed.kind === "refused") {
    platform.stderr.write(`${parsed.problem}\n`);
    return EXIT.usage;
  }
  const server = await runStandIn(platform, parsed.options);
  await new Promise<void>((resolve) => {
    platform.onSignal("SIGTERM", resolve);
    platform.onSignal("SIGINT", resolve);
  });
  server.abort();
  return EXIT.fine;
}
