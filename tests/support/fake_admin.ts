/**
 * A platform whose `fetch` reaches a made-up admin API, and whose terminal is a text, for tests of
 * commands without any process.
 */
import { platform } from "#platform";
import { type Command, parse } from "../../src/cli/command.ts";
import { FileError, type Platform } from "../../src/platform/platform.ts";

export interface Scene {
  /** What the API answers, by method and path; undefined refuses the connection. */
  readonly answers?: Readonly<Record<string, () => Response>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly columns?: number;
  /** What is typed at the terminal, line by line. */
  readonly lines?: readonly string[];
  readonly platform?: Partial<Platform>;
}

export interface Asked {
  readonly line: string;
  readonly authorization: string | null;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Requests in order. */
  readonly asked: readonly Asked[];
  /** Files as they are at the end. */
  readonly files: Readonly<Record<string, string>>;
}

export async function ranIn(
  command: Command,
  words: readonly string[],
  scene: Scene = {},
): Promise<Ran> {
  const asked: Asked[] = [];
  const files = { ...scene.files };
  const lines = [...scene.lines ?? []];
  let [stdout, stderr] = ["", ""];
  const isTerminal = scene.columns !== undefined;
  const fake: Platform = {
    ...platform,
    env: (name) => scene.env?.[name],
    fetch(url, { method, headers }) {
      const line = `${method} ${url}`;
      asked.push({ line, authorization: headers.get("authorization") });
      const answer = scene.answers?.[line] ?? scene.answers?.[`${method} ${new URL(url).pathname}`];
      if (answer === undefined) return Promise.reject(new Error("refused"));
      return Promise.resolve(answer());
    },
    explain: () => ({ dialFailed: true, code: "refused", detail: "connection refused" }),
    readText: (path) => {
      const text = files[path];
      const error = new FileError(`Cannot read "${path}": no such file`);
      return text === undefined ? Promise.reject(error) : Promise.resolve(text);
    },
    writeText: (path, text) => {
      files[path] = text;
      return Promise.resolve();
    },
    fileExists: (path) => Promise.resolve(files[path] !== undefined),
    stdout: { isTerminal, columns: scene.columns, write: (text) => void (stdout += text) },
    stderr: { isTerminal, columns: scene.columns, write: (text) => void (stderr += text) },
    askLine(question) {
      const line = lines.shift();
      stdout += `${question}${line ?? ""}\n`;
      return Promise.resolve(line);
    },
    ...scene.platform,
  };
  const code = await command.run(fake, parse(command, words));
  return { code, stdout, stderr, asked, files };
}

/** An answer of the API. */
export function json(value: unknown, status = 200): () => Response {
  return () => Response.json(value, { status });
}
