/** What a proxy and its configuration take of the platform as it is, whoever opens it. */
import type { ProxyDeps } from "../app.ts";
import type { LoadSources } from "../config/load.ts";
import type { Platform } from "../platform/platform.ts";

type Taken = "clock" | "names" | "random" | "hmacSha256" | "passwordMatches" | "compressor";

export function worldOf(platform: Platform): Pick<ProxyDeps, Taken> {
  return {
    clock: platform.clock,
    names: platform.names,
    random: () => platform.random(),
    hmacSha256: (key, text) => platform.hmacSha256(key, text),
    passwordMatches: (password, hash) => platform.passwordMatches(password, hash),
    compressor: (format) => platform.compressor(format),
  };
}

/** What a file of that path is loaded with. */
export function sourcesOf(platform: LoadPlatform, path: string): LoadSources {
  return {
    path,
    env: (name) => platform.env(name),
    readSecret: (secret) => platform.readText(secret),
    certificateNames(chain, key) {
      platform.tlsContext({ chain, key, clientAuthorities: [], minVersion: "1.2" });
      return platform.certificateFacts(chain).names;
    },
  };
}

export type LoadPlatform = Pick<
  Platform,
  "env" | "readText" | "tlsContext" | "certificateFacts"
>;
