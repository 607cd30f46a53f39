/**
 * Finds the admin listener of the understudy that is meant, and its token: by flag, by environment,
 * by the configuration that `run` would take. A broken configuration is no hindrance, as what runs
 * may still have the one before it.
 */
import { parse } from "yaml";
import { spellAddress } from "../address.ts";
import { FileError, type Platform } from "../platform/platform.ts";
import type { AdminRules } from "../rules.ts";
import { isCaddyfile } from "./caddyfile_source.ts";
import type { Parsed } from "./command.ts";
import { locate, readConfig } from "./source.ts";

export interface AdminPlace {
  /** Without a path: "http://127.0.0.1:2020". */
  readonly url: string;
  readonly token: string | undefined;
  /** Of a unix socket, which `url` only spells then. */
  readonly unixPath: string | undefined;
}

/** Asking the one that runs went wrong, in words. */
export class AdminError extends Error {
  override readonly name = "AdminError";
  /** More lines about it. */
  readonly problems: readonly string[];

  constructor(message: string, problems: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.problems = problems;
  }
}

/** What a configuration says of it where it says nothing. */
const DEFAULT_ADMIN = "127.0.0.1:2020";

/** Rejects with `AdminError` where nothing can be made of what was said. */
export async function adminPlace(args: Parsed, platform: Platform): Promise<AdminPlace> {
  const told = {
    address: args.text("admin") ?? (platform.env("UNDERSTUDY_ADMIN") || undefined),
    token: await tokenTold(args, platform),
  };
  if (told.address !== undefined) return { ...placeAt(told.address), token: told.token };

  const configured = await inConfiguration(args.text("config"), platform);
  return { ...configured, token: told.token ?? configured.token };
}

async function tokenTold(args: Parsed, platform: Platform): Promise<string | undefined> {
  const path = args.text("token-file");
  if (path === undefined) return platform.env("UNDERSTUDY_TOKEN") || undefined;
  try {
    return (await platform.readText(path)).trim();
  } catch (error) {
    if (error instanceof FileError) throw new AdminError(error.message);
    throw error;
  }
}

const ALL_INTERFACES = /^(?:0\.0\.0\.0|\[::\])?(?=:\d)/;

/** Reads an address as people write it: a URL, `host:port`, `:port`, `unix/PATH`. */
function placeAt(written: string): AdminPlace {
  const [, unixPath] = /^unix\/(\/.+)$/.exec(written) ?? [];
  if (unixPath !== undefined) return { url: written, token: undefined, unixPath };
  const scheme = /^https:/i.test(written) ? "https" : "http";
  // Where it listens on all interfaces, this machine's own is the nearest.
  const place = written.replace(/^https?:\/\//i, "").replace(ALL_INTERFACES, "127.0.0.1");
  try {
    const { host } = new URL(`${scheme}://${place}`);
    return { url: `${scheme}://${host}`, token: undefined, unixPath: undefined };
  } catch {
    throw new AdminError(
      `Expected the admin listener to be a URL such as "http://127.0.0.1:2020" but received "${written}"`,
    );
  }
}

async function inConfiguration(named: string | undefined, platform: Platform): Promise<AdminPlace> {
  const located = await locate(named, platform);
  if (located.kind === "none") return placeAt(DEFAULT_ADMIN);
  const source = await readConfig(located.path, platform);
  if (source.kind === "refused") return placeAt(await glimpsed(located.path, platform));

  const { admin } = source.config;
  if (admin === undefined) {
    throw new AdminError(
      `"${located.path}" turns "admin" off, so nobody can ask the understudy that runs by it`,
    );
  }
  return placeOf(admin);
}

function placeOf({ address, token }: AdminRules): AdminPlace {
  return { ...placeAt(spellAddress(address)), token };
}

/** The address in a file that is no good as a whole; the default where even that cannot be seen. */
async function glimpsed(path: string, platform: Platform): Promise<string> {
  if (isCaddyfile(path)) return DEFAULT_ADMIN;
  try {
    const root: unknown = parse(await platform.readText(path));
    const admin = memberOf(root, "admin");
    const listen = typeof admin === "string" ? admin : memberOf(admin, "listen");
    const isAddress = typeof listen === "string" && listen.includes(":") && !listen.includes("$");
    return isAddress ? listen : DEFAULT_ADMIN;
  } catch {
    return DEFAULT_ADMIN;
  }
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
