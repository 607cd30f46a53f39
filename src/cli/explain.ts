/**
 * `understudy explain`: what would become of a request. Asks the request path's own router, matchers
 * and choice with what is configured, and with how the upstreams stand where that can be asked.
 */
import {
  type EndTold,
  explain as explained,
  type Knowledge,
  type Question,
} from "../request/explain.ts";
import type { PoolStatus, Status, UpstreamStatus } from "../ops/status.ts";
import type { Platform } from "../platform/platform.ts";
import type { Config } from "../rules.ts";
import { ADMIN_FLAGS, ADMIN_HELP, AdminClient } from "./admin_client.ts";
import { AdminError } from "./admin_place.ts";
import { type Command, EXIT, type Parsed, UsageError } from "./command.ts";
import { explanationLines } from "./explain_print.ts";
import { sourceOf } from "./source.ts";
import { painter } from "./table.ts";

/** Its status is a help and no need: whoever asks shall not wait for it. */
const STATUS_LIMIT_MS = 1000;

export const explain: Command = {
  name: "explain",
  summary: "Say what would become of a request, and why",
  help: `Usage: understudy explain URL [--method M] [--header 'N: V']

Says which route a request finds, which steps it takes, which upstream it gets
and why, where it goes if that fails, and how long it may wait. Sends nothing.
Takes the configuration as it is in the file, and the state of the upstreams
from the understudy that runs, where one does.

  -m, --method M         Its method, GET by default
  -H, --header 'N: V'    A header field; may be repeated
      --from IP          Who asks, 127.0.0.1 by default
      --offline          Do not ask the one that runs
      --json             As data, for programs
${ADMIN_HELP}

  understudy explain http://ollama.example.com/api/generate --method POST

Exit codes: 0 an upstream or a step answers it, 1 nobody does, 2 usage.
`,
  flags: {
    ...ADMIN_FLAGS,
    method: { type: "string", short: "m", values: ["GET", "HEAD", "POST", "PUT", "DELETE"] },
    header: { type: "string", short: "H", multiple: true },
    from: { type: "string" },
    offline: { type: "boolean" },
    json: { type: "boolean" },
  },
  positionalsMax: 1,

  async run(platform, args) {
    const source = await sourceOf(args.text("config"), platform);
    if (source === undefined) return EXIT.failed;
    const { config } = source;
    const asked = questionFrom(args, config);
    const live = args.has("offline") ? "not asked for" : await statusFrom(args, platform);
    const status = typeof live === "string" ? undefined : live.status;

    const explanation = explained(asked.question, {
      config,
      knowledge: knowledgeFrom(status, platform),
      world: {
        random: () => platform.random(),
        hmacSha256: (key, text) => platform.hmacSha256(key, text),
      },
    });
    const { stdout } = platform;
    if (args.has("json")) {
      const data = { asked: asked.url, live: status !== undefined, ...explanation };
      stdout.write(`${JSON.stringify(data, plain)}\n`);
    } else {
      const colours = stdout.isTerminal && platform.env("NO_COLOR") === undefined;
      const lines = explanationLines(explanation, {
        asked: `${asked.question.method} ${asked.url}`,
        path: source.path,
        state: typeof live === "string" ? live : unknownTo(live, explanation.end),
        now: status?.now ?? platform.clock.now(),
        paint: painter(colours),
      });
      stdout.write(`${lines.join("\n")}\n`);
    }
    const { end } = explanation;
    const answered = end.kind === "forwarded" ? end.order.order.length > 0 : end.kind !== "error";
    return answered ? EXIT.fine : EXIT.failed;
  },
};

interface Asked {
  readonly url: string;
  readonly question: Question;
}

/** A URL, or `host/path`, or a path alone. Taken apart by hand, as `URL` would tidy the path up. */
const URL_FORM = /^(?:(https?):\/\/)?([^/?#]*)([^#]*)/i;
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

function questionFrom(args: Parsed, { listen }: Config): Asked {
  const [written] = args.positionals;
  if (written === undefined) throw new UsageError("Expected the URL of a request");
  const [, scheme = "http", host = "", rest = ""] = URL_FORM.exec(written) ?? [];
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  const method = args.text("method") ?? "GET";
  if (!TOKEN.test(method)) throw new UsageError(`Expected a method but received "${method}"`);
  const own = args.texts("header").map(fieldFrom);
  const isNamed = own.some(([name]) => name.toLowerCase() === "host");

  const name = host === "" ? "localhost" : host;
  const [, port] = /:(\d+)$/.exec(name) ?? [];
  const ports = listen.flatMap(({ address }) => address.kind === "tcp" ? [address.port] : []);
  const isSecure = scheme.toLowerCase() === "https";
  return {
    url: `${scheme}://${name}${target}`,
    question: {
      method,
      target,
      fields: [...(isNamed ? [] : [["Host", name] as const]), ...own],
      scheme: isSecure ? "https" : "http",
      ip: args.text("from") ?? "127.0.0.1",
      // One that we do not listen on is that of a proxy before us.
      localPort: port === undefined
        ? ports[0]
        : ports.includes(Number(port))
        ? Number(port)
        : undefined,
    },
  };
}

function fieldFrom(text: string): readonly [string, string] {
  const [, name, value = ""] = /^([^:]+):\s*(.*?)\s*$/.exec(text) ?? [];
  if (name !== undefined && TOKEN.test(name)) return [name, value];
  throw new UsageError(`Expected --header 'Name: value' but received "${text}"`);
}

interface Live {
  readonly url: string;
  readonly status: Status;
}

/** The status of the one that runs, or why there is none. */
async function statusFrom(args: Parsed, platform: Platform): Promise<Live | string> {
  try {
    const client = await AdminClient.find(args, platform);
    const status = await client.get<Status>("/api/status", STATUS_LIMIT_MS);
    return { url: client.place.url, status };
  } catch (error) {
    if (error instanceof AdminError) return error.message.split(";")[0] ?? error.message;
    throw error;
  }
}

/** Why the state is not known although somebody told of theirs; undefined where it is. */
function unknownTo({ url }: Live, end: EndTold): string | undefined {
  if (end.kind !== "forwarded") return undefined;
  const all = [...end.order.order, ...end.order.barred];
  const isNobody = all.every(({ phase }) => phase === undefined);
  return isNobody ? `${url} knows none of these upstreams` : undefined;
}

function knowledgeFrom(status: Status | undefined, { clock }: Platform): Knowledge {
  const now = status?.now ?? clock.now();
  const pools = status?.routes.flatMap((route) => route.pools) ?? [];
  const upstreams = new Map(
    pools.flatMap((pool) => pool.upstreams.map((one) => [one.id, one] as const)),
  );
  const byId = new Map(pools.map((pool) => [pool.id, pool]));
  return {
    now,
    upstream(id) {
      const one = upstreams.get(id);
      return one && { ...one, penalisedUntil: barUntil(one, now) };
    },
    held: (poolId) => holderOf(byId.get(poolId)),
  };
}

function barUntil({ available, penalties }: UpstreamStatus, now: number): number | undefined {
  const until = penalties.at(-1)?.until;
  // Fewer than `max_fails` bar nobody.
  return available || until === undefined || until <= now ? undefined : until;
}

function holderOf(pool: PoolStatus | undefined): string | undefined {
  return pool?.held ?? (pool?.failback === "immediate" ? undefined : pool?.chosen);
}

/** What JSON has no words for. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof RegExp) return String(value);
  return value === Infinity ? null : value;
}
