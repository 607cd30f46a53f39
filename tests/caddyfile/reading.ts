/** Reads a Caddyfile from memory, with the files and the environment it sees. */
import { importCaddyfile, type Imported } from "../../src/caddyfile/caddyfile.ts";
import { placeIn, plainOf } from "../../src/caddyfile/plain.ts";
import { loadWritten } from "../../src/config/load.ts";
import type { Config } from "../../src/rules.ts";

export interface Surroundings {
  /** Texts by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Reading {
  readonly imported: Imported;
  /** The tree as YAML would give it. */
  readonly tree: unknown;
  /** `file:line:column where: message`; those of the schema where the import had none. */
  readonly problems: readonly string[];
  readonly config: Config | undefined;
}

export async function readingOf(
  text: string,
  { files = {}, env = {} }: Surroundings = {},
): Promise<Reading> {
  const path = "Caddyfile";
  const imported = await importCaddyfile(text, {
    path,
    env: (name) => env[name],
    readText(other) {
      const found = files[other];
      return found === undefined
        ? Promise.reject(new Error(`Cannot read "${other}": no such file`))
        : Promise.resolve(found);
    },
    listDirectory(directory) {
      const prefix = directory === "." ? "" : directory;
      const names = Object.keys(files)
        .filter((file) => file.startsWith(prefix))
        .map((file) => file.slice(prefix.length).split("/")[0] ?? "");
      return Promise.resolve([...new Set(names)]);
    },
  });
  const tree = plainOf(imported.root);
  if (imported.problems.length > 0) {
    const problems = imported.problems.map(({ file, ...problem }) => told(file, problem));
    return { imported, tree, problems, config: undefined };
  }
  const loaded = await loadWritten(tree, placeIn(imported.root), {
    path,
    env: (name) => env[name],
    readSecret: () => "",
    certificateNames: () => [],
  });
  return loaded.kind === "loaded" ? { imported, tree, problems: [], config: loaded.config } : {
    imported,
    tree,
    problems: loaded.problems.map((problem) => told(problem.path, problem)),
    config: undefined,
  };
}

/** The steps of a site on :8080 with this body. */
export async function stepsOf(body: string): Promise<unknown> {
  const { tree, problems } = await readingOf(`:8080 {\n${body}\n}\n`);
  if (problems.length > 0) return problems;
  return at(tree, "routes", 0, "steps");
}

/** A value within maps and lists. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner)) return inner[Number(key)];
    return typeof inner === "object" && inner !== null
      ? Object.entries(inner).find(([name]) => name === key)?.[1]
      : undefined;
  }, value);
}

interface Told {
  readonly line: number;
  readonly column: number;
  readonly where: string;
  readonly message: string;
}

function told(file: string, { line, column, where, message }: Told): string {
  return `${file}:${line}:${column} ${where}: ${message}`;
}
