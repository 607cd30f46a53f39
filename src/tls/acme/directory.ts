/** What an authority offers and where: its directory (RFC 8555 section 7.1.1), read with a doubtful eye. Pure. */
import { member, parsed, textOf } from "../json.ts";
import { AcmeFailure } from "./problem.ts";

export interface Directory {
  /** As it came, for the library. */
  readonly resources: Readonly<Record<string, unknown>>;
  readonly newNonce: string;
  /** RFC 9773; undefined where it says nothing of renewals. */
  readonly renewalInfo: string | undefined;
  /** Names of the profiles that it offers. */
  readonly profiles: readonly string[];
}

/** Throws `AcmeFailure` where it is none. */
export function readDirectory(text: string): Directory {
  const value = parsed(text);
  const newNonce = textOf(member(value, "newNonce"));
  if (newNonce === undefined) throw new AcmeFailure("what it shows is no ACME directory");
  const profiles = member(member(value, "meta"), "profiles");
  return {
    resources: entriesOf(value),
    newNonce,
    renewalInfo: textOf(member(value, "renewalInfo")),
    profiles: Object.keys(entriesOf(profiles)),
  };
}

function entriesOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** The authority's short name: its host, with the port where that is an unusual one. Fit for a file. */
export function nameOf(directory: string): string {
  const { hostname, port } = new URL(directory);
  const host = hostname.replace(/[[\]]/g, "").replaceAll(":", "-");
  return port === "" ? host : `${host}-${port}`;
}
