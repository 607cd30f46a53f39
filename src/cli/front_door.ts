/** Finds the command that the first word names, hands it the rest, and turns wrong words into exit code 2. */
import { ListenError, type Platform } from "../platform/platform.ts";
import { adapt } from "./adapt.ts";
import { type Command, EXIT, parse, UsageError } from "./command.ts";
import { completionOf } from "./completion.ts";
import { demo } from "./demo.ts";
import { explain } from "./explain.ts";
import { fmt } from "./fmt.ts";
import { init } from "./init.ts";
import { deeds } from "./operate.ts";
import { proxy } from "./proxy.ts";
import { reload } from "./reload.ts";
import { run } from "./run.ts";
import { service } from "./service.ts";
import { standIn } from "./stand_in.ts";
import { status } from "./status.ts";
import { tail } from "./tail.ts";
import { trust } from "./trust.ts";
import { validate } from "./validate.ts";
import { version } from "./version.ts";

/** In the order in which one comes to need them. */
export const COMMANDS: readonly Command[] = [
  ...[init, run, validate, fmt, adapt, proxy, demo],
  ...[status, tail, explain, ...deeds, reload],
  ...[service, trust, completionOf(() => COMMANDS), version],
];

/** Runs what the arguments ask for. Resolves with the exit code. */
export async function frontDoor(platform: Platform, args: readonly string[]): Promise<number> {
  const [word = "run", ...rest] = args;
  if (word === "stand-in") return await orListenError(platform, () => standIn(platform, rest));
  if (word === "--version" || word === "-v") return await version.run(platform, parse(version, []));
  if (["help", "--help", "-h"].includes(word)) return help(platform, rest[0]);

  // Flags alone mean the default command: `understudy --config x.yaml`.
  const [command, own] = word.startsWith("-") ? [run, args] : [named(word), rest];
  if (command === undefined) return unknown(platform, word);
  if (own.includes("--help") || own.includes("-h")) return help(platform, command.name);
  try {
    return await command.run(platform, parse(command, own));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    platform.stderr.write(`${error.message}\nSee: understudy ${command.name} --help\n`);
    return EXIT.usage;
  }
}

function help(platform: Platform, topic: string | undefined): number {
  const command = topic === undefined ? undefined : named(topic);
  if (topic !== undefined && command === undefined) return unknown(platform, topic);
  platform.stdout.write(command?.help ?? overview());
  return EXIT.fine;
}

function overview(): string {
  const lines = COMMANDS
    .filter(({ summary }) => summary !== undefined)
    .map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return `understudy goes to the machine you prefer whenever it is up, to the next one
when it is not, and back again by itself.

Usage: understudy [COMMAND] [FLAGS]

${lines.join("\n")}
  ${"help".padEnd(10)} Explain a command: understudy help run

Start with: understudy demo
`;
}

function unknown(platform: Platform, word: string): number {
  const names = COMMANDS.map(({ name }) => name).join(", ");
  platform.stderr.write(`Unknown command "${word}"; expected one of ${names}, help\n`);
  return EXIT.usage;
}

function named(word: string): Command | undefined {
  return COMMANDS.find(({ name }) => name === word);
}

async function orListenError(platform: Platform, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    platform.stderr.write(`${error.message}\n`);
    return EXIT.failed;
  }
}
