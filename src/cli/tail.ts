/** `understudy tail`: requests as they end, in the words of the access log, whatever that is set to. */
import { readDuration } from "../config/units.ts";
import { accessWords } from "../ops/access.ts";
import { clockTime } from "../ops/log.ts";
import type { Status } from "../ops/status.ts";
import { ADMIN_FLAGS, ADMIN_HELP, withAdmin } from "./admin_client.ts";
import { type Command, EXIT, type Parsed, UsageError } from "./command.ts";
import { listen } from "./listening.ts";
import { painter } from "./table.ts";

export const tail: Command = {
  name: "tail",
  summary: "Show requests as they end",
  help: `Usage: understudy tail [--upstream NAME] [--status 5xx] [--slow 1s]

Shows each request as it ends: when, status, method, what was asked for, who
answered, how long it took, how much it was, and what failed before. Filters
narrow it down; of one that is repeated, either will do.

      --upstream NAME    Only those that this upstream answered
      --status CODE      Only those with this status, or class such as 5xx
      --slow DURATION    Only those that took at least so long
      --json             The access log's JSON lines
${ADMIN_HELP}

Exit codes: 0 ended by a signal, 1 nothing answers there, 2 usage.
`,
  flags: {
    ...ADMIN_FLAGS,
    upstream: { type: "string", multiple: true, values: "upstream" },
    status: { type: "string", multiple: true, values: ["2xx", "3xx", "4xx", "5xx"] },
    slow: { type: "string" },
    json: { type: "boolean" },
  },

  async run(platform, args) {
    const isWanted = filterFrom(args);
    const { stdout, stderr } = platform;
    const colours = stdout.isTerminal && platform.env("NO_COLOR") === undefined;
    const paint = painter(colours);
    return await withAdmin(platform, args, async (client) => {
      // Whoever cannot be reached now was not meant to be waited for.
      await client.get<Status>("/api/status");
      await listen({ platform, client }, {
        path: "/api/requests",
        signal: new AbortController().signal,
        lost: (why) => stderr.write(`${why}\n`),
        heard({ event, data }) {
          if (event !== "request") return;
          const line: AccessJson = JSON.parse(data);
          if (!isWanted(line)) return;
          const text = args.has("json")
            ? data
            : `${paint("dim", clockTime(line.ts * 1000))} ${accessWords(wordsOf(line), paint)}`;
          stdout.write(`${text}\n`);
        },
      });
      return EXIT.fine;
    });
  },
};

/** A line of the access log, as far as it is looked at here. */
interface AccessJson {
  readonly ts: number;
  readonly request: { readonly method: string; readonly host: string; readonly uri: string };
  readonly status: number;
  /** In seconds. */
  readonly duration: number;
  readonly size: number;
  readonly upstream?: string;
  readonly user?: string;
  readonly outcome: Parameters<typeof accessWords>[0]["outcome"];
  readonly failures?: readonly string[];
}

function wordsOf(
  { request, status, duration, size, upstream, user, outcome, failures }: AccessJson,
) {
  return {
    ...{ status, upstream, user, outcome },
    method: request.method,
    host: request.host,
    uri: request.uri,
    durationMs: duration * 1000,
    bodyBytes: size,
    failures: failures ?? [],
  };
}

function filterFrom(args: Parsed): (line: AccessJson) => boolean {
  const upstreams = args.texts("upstream");
  const codes = args.texts("status").map(codeFrom);
  const slow = args.text("slow");
  const leastMs = slow === undefined ? 0 : spanFrom(slow);
  return ({ upstream, status, duration }) =>
    (upstreams.length === 0 || upstreams.includes(upstream ?? "")) &&
    (codes.length === 0 || codes.some((code) => String(status).startsWith(code))) &&
    duration * 1000 >= leastMs;
}

/** What a status must begin with: all of it, or the first digit of its class. */
function codeFrom(text: string): string {
  const [, code] = /^([1-9]\d\d|[1-9](?=xx$))(?:xx)?$/i.exec(text) ?? [];
  if (code !== undefined) return code;
  throw new UsageError(
    `Expected --status to be a code or a class such as 5xx but received "${text}"`,
  );
}

function spanFrom(text: string): number {
  const reading = readDuration(text);
  if (reading.kind === "read") return reading.value;
  throw new UsageError(`Expected --slow to be a duration such as "1s" but received "${text}"`);
}
