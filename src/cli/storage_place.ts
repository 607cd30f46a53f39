/**
 * Finds the folder where certificates are kept, for commands that look into it from outside: by flag, by
 * the configuration that `run` would take, else where it usually is. A configuration that is no good as a
 * whole is no hindrance, as the environment it needs may be the service's alone.
 */
import { parse } from "yaml";
import type { Platform } from "../platform/platform.ts";
import { storagePlace, SYSTEM_PLACE } from "../tls/place.ts";
import { isCaddyfile } from "./caddyfile_source.ts";
import { type Parsed, UsageError } from "./command.ts";
import { locate, readConfig } from "./source.ts";

/** Nobody can tell where certificates are kept, in words. */
export class PlaceError extends Error {
  override readonly name = "PlaceError";
}

export interface Place {
  readonly folder: string;
  /** Flags by which root finds the same folder. */
  readonly flags: readonly string[];
}

/** Where a root's certificate is in such a folder. */
export const rootIn = (folder: string): string => `${folder}/internal/root.pem`;

/** Rejects with `PlaceError`, and with `FileError` where a configuration that was named cannot be read. */
export async function storageOf(args: Parsed, platform: Platform): Promise<Place> {
  const [storage, config] = [args.text("storage"), args.text("config")];
  if (storage !== undefined && config !== undefined) {
    throw new UsageError("Expected either --storage or --config but received both");
  }
  if (storage !== undefined) return { folder: storage, flags: ["--storage", storage] };

  const located = await locate(config, platform);
  const configured = located.kind === "file"
    ? await configuredStorage(located.path, platform)
    : undefined;
  const userId = platform.userId();
  const usual = storagePlace({ configured, userId, env: (name) => platform.env(name) });
  if (configured !== undefined || usual === undefined) return named(usual, config);
  return userId === 0 ? await ofRoot(usual, platform) : await ofUser(usual, platform);
}

function named(folder: string | undefined, config: string | undefined): Place {
  if (folder === undefined) {
    throw new PlaceError(
      "Cannot tell where certificates are kept: HOME is not set; name the folder with --storage PATH",
    );
  }
  return { folder, flags: config === undefined ? [] : ["--config", config] };
}

/** Root's, unless nothing is kept there and the user that it stands in for has an authority. */
async function ofRoot(usual: string, platform: Platform): Promise<Place> {
  const home = await sudoHome(platform);
  if (home === undefined || await platform.fileExists(rootIn(usual))) {
    return { folder: usual, flags: [] };
  }
  const theirs = storagePlace({
    configured: undefined,
    userId: undefined,
    env: (name) => name === "HOME" ? home : undefined,
  });
  const isTheirs = theirs !== undefined && await platform.fileExists(rootIn(theirs));
  return isTheirs ? { folder: theirs, flags: ["--storage", theirs] } : { folder: usual, flags: [] };
}

/** The user's own, and by name even to root, unless there is only the system's. */
async function ofUser(usual: string, platform: Platform): Promise<Place> {
  const isOwn = await platform.fileExists(rootIn(usual)) ||
    await platform.ownerOf(SYSTEM_PLACE) === undefined;
  return { folder: usual, flags: isOwn ? ["--storage", usual] : [] };
}

/** Home of the user who called sudo. */
export async function sudoHome(platform: Platform): Promise<string | undefined> {
  const user = platform.env("SUDO_USER");
  if (!user || platform.userId() !== 0) return undefined;
  const { stdout } = await platform.runProgram("getent", ["passwd", user]);
  return stdout.split(":")[5] || undefined;
}

async function configuredStorage(path: string, platform: Platform): Promise<string | undefined> {
  const source = await readConfig(path, platform);
  if (source.kind === "loaded") return source.config.tls?.storage;
  if (!isCaddyfile(path)) return glimpsed(path, await platform.readText(path));
  throw new PlaceError(
    [...source.problems, "Name the folder of certificates with --storage PATH"].join("\n"),
  );
}

/** What a file says of it that is no good as a whole. */
function glimpsed(path: string, text: string): string | undefined {
  const storage = memberOf(memberOf(parsed(text), "tls"), "storage");
  if (typeof storage !== "string") return undefined;
  if (!storage.includes("${")) return storage;
  throw new PlaceError(
    `Cannot tell where certificates are kept: "${path}" says "${storage}"; name the folder with --storage PATH`,
  );
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
