/**
 * Lets only those pass who know a name and its password. Takes as long for names that do not exist,
 * and keeps a digest of what proved right, so that slow hashing is not paid for with each request.
 */
import type { Action } from "../rules.ts";
import type { World } from "./deps.ts";
import type { Ending } from "./ending.ts";
import { errorEnding } from "./replies.ts";
import type { Visit } from "./visit.ts";

type BasicAuth = Extract<Action, { kind: "basic_auth" }>;
type User = BasicAuth["users"][number];

/** Undefined lets the request go on. */
export async function basicAuth(
  { realm, users }: BasicAuth,
  visit: Visit,
  desk: PasswordDesk,
): Promise<Ending | undefined> {
  const user = await provenUser(users, visit.fields.get("authorization") ?? "", desk);
  if (user !== undefined && user !== "busy") {
    visit.user = user.name;
    return undefined;
  }
  visit.story.outcome = "refused";
  if (user === "busy") return errorEnding(503, visit, { retryAfterMs: 1000 });
  const ending = errorEnding(401, visit);
  ending.reply.fields.append("WWW-Authenticate", challenge(realm));
  return ending;
}

/** The user that an `Authorization` field proves to be theirs; "busy" while too many ask. */
export async function provenUser(
  users: readonly User[],
  field: string,
  desk: PasswordDesk,
): Promise<User | "busy" | undefined> {
  const claim = credentials(field);
  const [someone] = users;
  if (claim === undefined || someone === undefined) return undefined;
  const user = users.find(({ name }) => name === claim.name);
  const found = await desk.check(user ?? { ...someone }, claim.password);
  if (found === "busy") return found;
  return found === "right" ? user : undefined;
}

/** Asks for a name and a password (RFC 7617 section 2). */
export function challenge(realm: string): string {
  const quoted = realm.replace(/["\\]/g, "\\$&");
  return `Basic realm="${quoted}", charset="UTF-8"`;
}

/** Checks at once, of all requests together: hashing takes a core each for a good part of a second. */
const CHECKS_MAX = 2;
/** Those that wait for one; more are turned away. */
const WAITING_MAX = 100;

/** Checks passwords, few at a time. */
export class PasswordDesk {
  readonly #world: Pick<World, "passwordMatches" | "hmacSha256">;
  /** Digest of the password that proved right. Goes with the configuration that names the user. */
  readonly #proven = new WeakMap<User, string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(world: Pick<World, "passwordMatches" | "hmacSha256">) {
    this.#world = world;
  }

  async check(user: User, password: string): Promise<"right" | "wrong" | "busy"> {
    // Keyed by the hash: of no use to anyone who does not have that, and could try passwords on it.
    const digest = this.#world.hmacSha256(user.hash, password);
    const proven = this.#proven.get(user);
    if (proven !== undefined && sameText(proven, digest)) return "right";

    if (this.#running >= CHECKS_MAX) {
      if (this.#waiting.length >= WAITING_MAX) return "busy";
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      if (!await this.#world.passwordMatches(password, user.hash)) return "wrong";
      this.#proven.set(user, digest);
      return "right";
    } finally {
      // Handed on without a gap, so that nobody comes between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** RFC 7617 section 2: base64 of name, colon, password. */
function credentials(field: string): { name: string; password: string } | undefined {
  const [, encoded] = /^basic +([\w+/]+={0,2})\s*$/i.exec(field) ?? [];
  if (encoded === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const colon = text.indexOf(":");
    if (colon < 0) return undefined;
    return { name: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return undefined;
  }
}

/** Takes the same time wherever two texts of one length differ. */
export function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
