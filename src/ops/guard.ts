/**
 * Decides who may use the admin listener. Pages of strangers must not reach it: not by a name of their
 * own that resolves to us (DNS rebinding, told by `Host`), nor by requests that a browser sends on
 * their behalf (CSRF, told by `Origin` and `Sec-Fetch-Site`). Pure.
 */
import { isLoopback, parseIp } from "../ip.ts";
import type { AdminRules } from "../rules.ts";

export interface Asked {
  /** It holds no secret and does nothing: the empty page, and whether we live. */
  readonly isOpen: boolean;
  readonly host: string | null;
  readonly origin: string | null;
  /** `Sec-Fetch-Site`, which browsers send. */
  readonly site: string | null;
  readonly authorization: string | null;
}

export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly error: string;
}

/** Compares in a time that does not tell where two texts differ. */
export type SameSecret = (given: string, expected: string) => boolean;

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i;

export function refusal(
  asked: Asked,
  rules: Pick<AdminRules, "address" | "token" | "origins">,
  same: SameSecret,
): Refusal | undefined {
  const { host, origin, site } = asked;
  const [, name] = HOST.exec(host ?? "") ?? [];
  if (host === null || name === undefined) return { status: 400, error: "Expected one valid Host" };
  if (!isOurs(name, host, rules)) {
    return { status: 403, error: `Cannot answer for the host "${name}"; see admin.origins` };
  }
  if (origin !== null && !isOwnOrigin(origin, host, rules.origins)) {
    return { status: 403, error: "Cannot be asked by pages of other origins" };
  }
  // Also what a browser sends without an Origin, such as an image of a page elsewhere.
  const isForeign = site !== null && site !== "same-origin" && site !== "none";
  if (isForeign && !asked.isOpen) {
    return { status: 403, error: "Cannot be asked by pages of other origins" };
  }

  if (rules.token === undefined || asked.isOpen) return undefined;
  const [, given] = /^bearer +([^\s]+) *$/i.exec(asked.authorization ?? "") ?? [];
  if (given === undefined) return { status: 401, error: "Expected a bearer token" };
  return same(given, rules.token) ? undefined : { status: 401, error: "Expected another token" };
}

/** A name of this machine's own, of the address that is listened on, or of an origin that was allowed. */
function isOurs(
  name: string,
  host: string,
  { address, origins }: Pick<AdminRules, "address" | "origins">,
): boolean {
  const bare = name.replace(/^\[|\]$/g, "").toLowerCase().replace(/\.$/, "");
  if (isLoopback(bare) || bare.endsWith(".localhost")) return true;
  if (origins.some((origin) => new URL(origin).host === host.toLowerCase())) return true;
  if (address.kind !== "tcp") return false;
  // An address cannot be made to resolve to us, so where all are listened on, each is taken.
  const isAny = address.host === "" || address.host === "::" || address.host === "0.0.0.0";
  return isAny ? parseIp(bare) !== undefined : bare === address.host;
}

function isOwnOrigin(origin: string, host: string, origins: readonly string[]): boolean {
  const lower = host.toLowerCase();
  return origin === `http://${lower}` || origin === `https://${lower}` || origins.includes(origin);
}
