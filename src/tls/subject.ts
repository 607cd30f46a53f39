/** Whom a certificate can be for: names and addresses as they stand in one, or the reason why they cannot. Pure. */
import { parseIp } from "../ip.ts";
import { isDnsName, NAME_MAX } from "../names.ts";
import { IssueError } from "./issuer.ts";

export interface AlternativeName {
  readonly type: "dns" | "ip";
  readonly value: string;
}

/** A certificate is sent in every handshake, and nobody has so many names. */
const NAMES_MAX = 100;

/** Each once. Throws `IssueError`. */
export function alternativeNames(names: readonly string[]): readonly AlternativeName[] {
  if (names.length === 0 || names.length > NAMES_MAX) {
    throw new IssueError(
      `Cannot issue a certificate for ${names.length} names: Expected 1 to ${NAMES_MAX}`,
    );
  }
  const all = names.map(alternativeName);
  return all.filter(({ value }, at) => all.findIndex((one) => one.value === value) === at);
}

function alternativeName(name: string): AlternativeName {
  const ip = name.includes("%") ? undefined : parseIp(name);
  if (ip !== undefined) return { type: "ip", value: spellIp(ip) };
  const value = name.toLowerCase().replace(/\.$/, "");
  if (value.length <= NAME_MAX && isDnsName(value.replace(/^\*\./, ""))) {
    return { type: "dns", value };
  }
  throw new IssueError(
    `Cannot issue a certificate for ${JSON.stringify(name.slice(0, NAME_MAX))}: ` +
      `Expected a name such as "app.lan" or "*.app.lan", or an IP address`,
  );
}

function spellIp(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, at) => (bytes[2 * at] ?? 0) << 8 | (bytes[2 * at + 1] ?? 0),
  );
  return groups.map((group) => group.toString(16)).join(":");
}
