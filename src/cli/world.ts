/** What a proxy takes of the platform as it is, whoever opens it. */
import type { ProxyDeps } from "../app.ts";
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
