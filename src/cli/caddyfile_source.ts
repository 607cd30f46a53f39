/** Reads a Caddyfile and all it imports, and checks what it was turned into as any configuration is. */
import { importCaddyfile, type Imported } from "../caddyfile/caddyfile.ts";
import { placeIn, plainOf } from "../caddyfile/plain.ts";
import { type Loaded, loadWritten } from "../config/load.ts";
import type { Platform } from "../platform/platform.ts";
import { type LoadPlatform, sourcesOf } from "./world.ts";

export interface CaddyfileRead {
  readonly imported: Imported;
  /** All texts it was made of, to tell one state of the files from another. */
  readonly fingerprint: string;
  /** Where files are that it was made of, or that a pattern would find. */
  readonly directories: readonly string[];
}

/** The part of the platform that reading takes. */
export type CaddyfilePlatform = Pick<Platform, "env" | "readText" | "listDirectory">;

export function isCaddyfile(path: string): boolean {
  return /(?:^|[/\\])Caddyfile$|\.caddyfile$/.test(path);
}

/** Rejects with `FileError` when the file itself cannot be read. */
export async function readCaddyfile(
  path: string,
  platform: CaddyfilePlatform,
): Promise<CaddyfileRead> {
  const texts: string[] = [];
  const directories = new Set<string>([directoryOf(path)]);
  const text = await platform.readText(path);
  texts.push(text);
  const imported = await importCaddyfile(text, {
    path,
    env: (name) => platform.env(name),
    async readText(other) {
      directories.add(directoryOf(other));
      const read = await platform.readText(other);
      texts.push(other, read);
      return read;
    },
    async listDirectory(directory) {
      directories.add(directory);
      return await platform.listDirectory(directory);
    },
  });
  return { imported, fingerprint: texts.join("\0"), directories: [...directories] };
}

/** Checks an import by the rules of every configuration; its own problems come first. */
export async function loadImported(
  imported: Imported,
  path: string,
  platform: LoadPlatform,
): Promise<Loaded> {
  const { root, problems } = imported;
  if (problems.length > 0) {
    return {
      kind: "refused",
      problems: problems.map(({ file, ...problem }) => ({ path: file, ...problem })),
    };
  }
  const loaded = await loadWritten(plainOf(root), placeIn(root), sourcesOf(platform, path));
  if (loaded.kind === "loaded") return loaded;
  const masked = loaded.problems.map(({ message, ...problem }) => ({
    ...problem,
    message: imported.masked(message),
  }));
  return { kind: "refused", problems: masked };
}

function directoryOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : ".";
}
