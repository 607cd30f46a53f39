/**
 * What a policy may know: of the request that asks for an upstream, and of the world. Whatever else
 * happens to an exchange has no say in where it goes.
 */
import type { Exchange } from "../model.ts";
import type { Policy } from "../rules.ts";
import type { Client } from "./client.ts";

/** Chance, and what can be signed with a secret. */
export interface World {
  /** A number from 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** HMAC-SHA256 of the text in lower-case hexadecimal digits. */
  readonly hmacSha256: (key: string, text: string) => string;
}

/** A request that asks for an upstream. Made of what it has at hand, so that asking costs nothing. */
export interface Asker {
  readonly forwarding: {
    readonly exchange: Pick<Exchange, "scheme" | "target" | "fields" | "peer">;
    readonly client: Client;
  };
  readonly world: World;
}

export type KeyedPolicy = Extract<Policy, { kind: "query" | "header" }>;

/**
 * What a request is told from others by; empty where it has nothing of the kind. All values count: by
 * the first alone a client could say one thing here and another to an upstream that reads the last.
 */
export function keyOf(policy: KeyedPolicy, { forwarding: { exchange } }: Asker): string {
  if (policy.kind === "header") return exchange.fields.joined(policy.name) ?? "";
  const mark = exchange.target.indexOf("?");
  if (mark < 0) return "";
  return new URLSearchParams(exchange.target.slice(mark + 1)).getAll(policy.key).join(",");
}
