/** Tells of names that an authority cannot give a certificate for as it is asked, before it says so itself. Pure. */
import { parseIp } from "../ip.ts";
import { isPrivateName } from "../names.ts";
import type { AcmeRules } from "../tls_rules.ts";
import { isPublicAuthority } from "./acme.ts";
import type { Clash } from "./course.ts";
import type { Path } from "./places.ts";

export function acmeClashes(
  names: readonly string[],
  issuers: readonly AcmeRules[],
  path: Path,
): Clash[] {
  const clash = (expected: string, received: string): Clash => ({ path, expected, received });
  const clashes: Clash[] = [];
  for (const issuer of issuers) {
    const wildcard = names.find((name) => name.startsWith("*."));
    if (wildcard !== undefined && issuer.dns === undefined) {
      clashes.push(clash('"dns" in "acme" for a wildcard', JSON.stringify(wildcard)));
    }
    if (issuer.challenges.includes("dns-01") && issuer.dns === undefined) {
      clashes.push(clash('"dns" beside the challenge dns-01', "none"));
    }
    if (issuer.challenges.length === 0) {
      clashes.push(clash('a way to prove the names, such as a listener on ":80",', "none"));
    }
    const foreign = isPublicAuthority(issuer.directory)
      ? names.find((name) => isPrivateName(name) && parseIp(name) === undefined)
      : undefined;
    if (foreign !== undefined) {
      const host = new URL(issuer.directory).hostname;
      clashes.push(clash(`a public name, as ${host} signs no others,`, JSON.stringify(foreign)));
    }
  }
  // Stand-ins would say the same again.
  return clashes.slice(0, 1);
}
