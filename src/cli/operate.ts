/** `understudy drain`, `undrain`, `probe` and `failback`: what an operator does to one upstream. */
import type { ActionResult, Status } from "../ops/status.ts";
import { ADMIN_FLAGS, ADMIN_HELP, type AdminClient, withAdmin } from "./admin_client.ts";
import { AdminError } from "./admin_place.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { spelledMs } from "./moments.ts";

interface Deed {
  readonly name: "drain" | "undrain" | "probe" | "failback";
  readonly summary: string;
  /** What it does, for the help. */
  readonly about: string;
  /** What was done, in words. */
  done(result: ActionResult): string;
  /** Whether it was to the good. */
  passed?(result: ActionResult): boolean;
}

const DEEDS: readonly Deed[] = [
  {
    name: "drain",
    summary: "Send an upstream nothing new; what runs there ends",
    about: `Takes an upstream out of play: it gets no new requests until "undrain", and
those that run there end in peace. Lasts across reloads, not across a restart.`,
    done: ({ upstream: { name, inFlight } }) =>
      `${name} is drained; ${
        inFlight === 0 ? "nothing runs" : inFlight === 1 ? "1 still runs" : `${inFlight} still run`
      } there`,
  },
  {
    name: "undrain",
    summary: "Send a drained upstream requests again",
    about: "Puts an upstream back into play after a drain.",
    done: ({ upstream: { name, phase } }) =>
      `${name} takes requests again${phase === "down" ? ", as soon as it is up" : ""}`,
  },
  {
    name: "probe",
    summary: "Ask an upstream now how it is",
    about: `Probes an upstream at once and says what came of it. Exit code 1 when the
probe fails.`,
    done: ({ upstream: { name, phase }, probe }) => {
      if (probe === undefined) return `${name} was asked; it is ${phase}`;
      const verdict = probe.passed ? "passed" : "failed";
      return `${name} ${verdict} in ${spelledMs(probe.ms)}: ${probe.reason}; it is ${phase}`;
    },
    passed: ({ probe }) => probe?.passed !== false,
  },
  {
    name: "failback",
    summary: "Go back to a preferred upstream now",
    about: `Ends what holds requests on another upstream (failback: after, sticky, manual):
they go to this one now, if it can take them.`,
    done: ({ upstream: { name, available } }) =>
      available ? `Requests go to ${name} again` : `${name} cannot take requests now`,
    passed: ({ upstream }) => upstream.available,
  },
];

export const deeds: readonly Command[] = DEEDS.map(commandOf);

function commandOf(deed: Deed): Command {
  const { name, summary } = deed;
  return {
    name,
    summary,
    help: `Usage: understudy ${name} NAME

${deed.about}

NAME is the upstream's as "understudy status" shows it. Where several routes
have one of that name, the answer lists what to write instead.

      --json             The answer of the API, for programs
${ADMIN_HELP}

Exit codes: 0 done, 1 failed, 2 usage.
`,
    flags: { ...ADMIN_FLAGS, json: { type: "boolean" } },
    positionalsMax: 1,
    positionals: "upstream",

    async run(platform, args) {
      const [upstream] = args.positionals;
      if (upstream === undefined) throw new UsageError("Expected the NAME of an upstream");
      return await withAdmin(platform, args, async (client) => {
        const path = `/api/upstreams/${encodeURIComponent(upstream)}/${name}`;
        const result = await client.post<ActionResult>(path);
        const text = args.has("json") ? JSON.stringify(result) : deed.done(result);
        platform.stdout.write(`${text}\n`);
        return deed.passed?.(result) ?? true ? EXIT.fine : EXIT.failed;
      });
    },
  };
}

/** Names of all upstreams, for the completion of words. Empty where nobody can be asked. */
export async function upstreamNames(client: AdminClient): Promise<readonly string[]> {
  try {
    const { routes } = await client.get<Status>("/api/status", NAMES_LIMIT_MS);
    const pools = routes.flatMap(({ pools }) => pools);
    return [...new Set(pools.flatMap(({ upstreams }) => upstreams.map(({ name }) => name)))];
  } catch (error) {
    if (error instanceof AdminError) return [];
    throw error;
  }
}

/** Whoever presses Tab waits for it. */
const NAMES_LIMIT_MS = 1000;
