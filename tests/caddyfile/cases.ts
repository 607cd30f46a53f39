/** What a case of a Caddyfile is, and the whole way from its text to a configuration or to problems. */
import { importCaddyfile } from "../../src/caddyfile/caddyfile.ts";
import { placeIn, plainOf } from "../../src/caddyfile/plain.ts";
import type { Taken } from "../../src/caddyfile/session.ts";
import { supportOf } from "../../src/caddyfile/support_table.ts";
import { loadWritten } from "../../src/config/load.ts";
import type { Config } from "../../src/rules.ts";

/** A Caddyfile without site addresses, and the one route it becomes or what is said against it. */
export type Case =
  & {
    readonly title: string;
    readonly text: readonly string[];
  }
  & (
    | {
      /** Without what Caddy's defaults add to every `transport`. */
      readonly route: Readonly<Record<string, unknown>>;
    }
    /** `line:column where: message`, in order. */
    | { readonly problems: readonly string[] }
  );

/** One `reverse_proxy` with these options in its block, from line 2 on. */
export function proxy(...options: readonly string[]): readonly string[] {
  return ["reverse_proxy a:8080 {", ...options.map((line) => `  ${line}`), "}"];
}

/** What is said of something that the table of support has as refused. */
export function refusal(place: string, name: string): string {
  const { note, nearest } = supportOf(name) ?? {};
  return `${place} ${name}: Cannot take this over as ${note}; use ${nearest}`;
}

/** What stands in every pool, as these defaults of Caddy differ from ours. */
const TRANSPORT_DEFAULTS = new Map<string, unknown>([
  ["keepalive", "2m"],
  ["keepalive_idle_conns", 32],
  ["max_response_header", "10MiB"],
]);

export interface Outcome {
  /** The tree of the first route; undefined when there are problems. */
  readonly route: unknown;
  readonly problems: readonly string[];
  readonly taken: readonly Taken[];
  /** Undefined when there are problems. */
  readonly config: Config | undefined;
}

export async function outcomeOf(lines: readonly string[]): Promise<Outcome> {
  const path = "Caddyfile";
  const { root, problems, taken } = await importCaddyfile(`${lines.join("\n")}\n`, {
    path,
    env: () => undefined,
    readText: () => Promise.reject(new Error("no such file")),
    listDirectory: () => Promise.resolve([]),
  });
  const refused = (all: readonly Told[]): Outcome => ({
    route: undefined,
    problems: all.map(({ line, column, where, message }) =>
      `${line}:${column} ${where}: ${message}`
    ),
    taken,
    config: undefined,
  });
  if (problems.length > 0) return refused(problems);

  const tree = plainOf(root);
  const loaded = await loadWritten(tree, placeIn(root), {
    path,
    env: (name) => ENVIRONMENT[name],
    readSecret: (file) => file.endsWith(".key") ? KEY : CERTIFICATE,
    certificateNames: () => [],
  });
  if (loaded.kind === "refused") return refused(loaded.problems);
  return { route: routeOf(tree), problems: [], taken, config: loaded.config };
}

interface Told {
  readonly line: number;
  readonly column: number;
  readonly where: string;
  readonly message: string;
}

const ENVIRONMENT: Readonly<Record<string, string>> = { UP: "gpu.lan:9000", HOST: "gpu.lan" };
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const KEY = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

function routeOf(tree: unknown): unknown {
  const routes = isMap(tree) ? tree["routes"] : undefined;
  return Array.isArray(routes) ? withoutDefaults(routes[0]) : undefined;
}

/** Leaves out of every pool what stands in all of them. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
      if (key !== "transport" || !isMap(inner)) return [[key, withoutDefaults(inner)]];
      const own = Object.entries(inner).filter(([name, at]) => TRANSPORT_DEFAULTS.get(name) !== at);
      return own.length === 0 ? [] : [[key, Object.fromEntries(own)]];
    }),
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
