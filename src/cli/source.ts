/** Finds and reads the configuration file that a command is about, and puts what is wrong with it into lines. */
import type { Imported } from "../caddyfile/caddyfile.ts";
import { formatProblem, load, type Loaded } from "../config/load.ts";
import type { Config } from "../rules.ts";
import { FileError, type Platform } from "../platform/platform.ts";
import { isCaddyfile, loadImported, readCaddyfile } from "./caddyfile_source.ts";
import { sourcesOf } from "./world.ts";

/** Where a configuration is looked for when nobody names one (SEMANTICS section 1). */
export const DEFAULT_PATHS = ["config.yaml", "/etc/understudy/config.yaml"];

export type Source =
  | {
    readonly kind: "loaded";
    readonly config: Config;
    /** What it was made of: the text of the file, for a Caddyfile with those it imports. */
    readonly text: string;
    /** How the Caddyfile was read; undefined for YAML. */
    readonly imported?: Imported;
  }
  /** Lines for people, one a problem. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

type Located =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "none"; readonly problem: string };

/** Finds the file that is meant. */
export async function locate(named: string | undefined, platform: Platform): Promise<Located> {
  if (named !== undefined) return { kind: "file", path: named };
  for (const path of DEFAULT_PATHS) {
    if (await platform.fileExists(path)) return { kind: "file", path };
  }
  const looked = DEFAULT_PATHS.map((path) => `"${path}"`).join(" and ");
  return {
    kind: "none",
    problem: `Cannot find a configuration: looked for ${looked}; name one with --config PATH`,
  };
}

/** Finds, reads and checks a configuration; says what is wrong with it and gives undefined when it is no good. */
export async function sourceOf(
  named: string | undefined,
  platform: Platform,
): Promise<(Extract<Source, { kind: "loaded" }> & { readonly path: string }) | undefined> {
  const located = await locate(named, platform);
  if (located.kind === "none") {
    platform.stderr.write(`${located.problem}\n`);
    return undefined;
  }
  const source = await readConfig(located.path, platform);
  if (source.kind === "loaded") return { ...source, path: located.path };
  platform.stderr.write(`${source.problems.join("\n")}\n`);
  return undefined;
}

/** Reads and checks a file. Never rejects. */
export async function readConfig(path: string, platform: Platform): Promise<Source> {
  try {
    if (!isCaddyfile(path)) return await checkConfig(await platform.readText(path), path, platform);
    const { imported, fingerprint } = await readCaddyfile(path, platform);
    const loaded = await loadImported(imported, path, platform);
    return { ...sourceFrom(loaded, fingerprint), ...(loaded.kind === "loaded" && { imported }) };
  } catch (error) {
    if (error instanceof FileError) return { kind: "refused", problems: [error.message] };
    throw error;
  }
}

/** Checks a text of YAML that was read already. */
export async function checkConfig(text: string, path: string, platform: Platform): Promise<Source> {
  return sourceFrom(await load(text, sourcesOf(platform, path)), text);
}

function sourceFrom(loaded: Loaded, text: string): Source {
  return loaded.kind === "loaded"
    ? { kind: "loaded", config: loaded.config, text }
    : { kind: "refused", problems: loaded.problems.map(formatProblem) };
}
