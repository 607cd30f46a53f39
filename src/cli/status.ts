/** `understudy status`: who answers now, and how all upstreams are; once, or for as long as one looks. */
import { clockTime } from "../ops/log.ts";
import type { Status, Transition } from "../ops/status.ts";
import type { Platform } from "../platform/platform.ts";
import { ADMIN_FLAGS, ADMIN_HELP, type AdminClient, withAdmin } from "./admin_client.ts";
import { type Command, EXIT } from "./command.ts";
import type { ServerEvent } from "./event_stream.ts";
import { listen } from "./listening.ts";
import { statusLines, transitionLine } from "./status_table.ts";
import { painter } from "./table.ts";

const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_REST = "\x1b[J";

export const status: Command = {
  name: "status",
  summary: "Say who answers now, how each upstream is and each certificate",
  help: `Usage: understudy status [--watch] [--json]

Shows each route's upstreams in order of preference: → marks the one that the
next request gets. The state is up, down, drained (by an operator), penalised
(requests failed there), full, unknown (not probed yet) or unprobed.

Below them the certificates, where TLS is spoken: good, failing (no new one
comes), expiring, expired, awaited (its first one is on its way) or missing.

  -w, --watch            Stay and redraw when something happens. Without a
                         terminal: the table once, then a line an event
      --json             What GET /api/status tells, for programs. With --watch
                         a line an event
${ADMIN_HELP}

Exit codes: 0 fine, 1 nothing answers there, 2 usage.
`,
  flags: { ...ADMIN_FLAGS, watch: { type: "boolean", short: "w" }, json: { type: "boolean" } },

  async run(platform, args) {
    return await withAdmin(platform, args, async (client) => {
      const view: View = { platform, client, json: args.has("json") };
      const first = await client.get<Status>("/api/status");
      show(first, view);
      if (args.has("watch")) await watch(view);
      return EXIT.fine;
    });
  },
};

interface View {
  readonly platform: Platform;
  readonly client: AdminClient;
  readonly json: boolean;
}

function show(now: Status, { platform, json }: View): void {
  const text = json ? JSON.stringify(now) : linesFor(now, platform).join("\n");
  platform.stdout.write(`${text}\n`);
}

function linesFor(now: Status, platform: Platform): readonly string[] {
  const { stdout } = platform;
  return statusLines(now, {
    width: stdout.isTerminal ? stdout.columns : undefined,
    paint: painter(stdout.isTerminal && platform.env("NO_COLOR") === undefined),
  });
}

/** Follows until a signal ends it, or "q". */
async function watch(view: View): Promise<void> {
  const { platform, platform: { stdout, stderr }, json } = view;
  const drawing = stdout.isTerminal && !json;
  const quit = new AbortController();
  const stopKeys = drawing ? platform.onKey((key) => key === "q" && quit.abort()) : () => {};
  if (drawing) stdout.write(`${HOME}${CLEAR_REST}`);
  try {
    await listen(view, {
      path: "/api/events",
      signal: quit.signal,
      heard: (event) => drawing ? redraw(view) : tell(event, view),
      lost: (why) => {
        if (drawing) stdout.write(`${HOME}${why}${CLEAR_LINE}\n${CLEAR_REST}`);
        else stderr.write(`${why}\n`);
      },
    });
  } finally {
    stopKeys();
  }
}

async function redraw({ client, platform }: View): Promise<void> {
  const now = await client.get<Status>("/api/status");
  const { rows = Infinity } = platform.stdout;
  // One more would scroll the first away.
  const lines = linesFor(now, platform).slice(0, rows - 1).map((line) => `${line}${CLEAR_LINE}`);
  platform.stdout.write(`${HOME}${lines.join("\n")}\n${CLEAR_REST}`);
}

function tell({ event, data }: ServerEvent, { platform: { stdout }, json }: View): void {
  if (json) return stdout.write(`{"event":${JSON.stringify(event)},"data":${data}}\n`);
  if (event !== "transition") return;
  const transition: Transition = JSON.parse(data);
  stdout.write(`${transitionLine(transition, clockTime)}\n`);
}
