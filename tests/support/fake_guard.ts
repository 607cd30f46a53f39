/** Doors for tests: one that lets everyone in, with what a test is about put in by hand. */
import { parseIp } from "../../src/ip.ts";
import type { AuthRules, Cidr, CorsRules, GuardRules } from "../../src/rules.ts";

/** Of "hiccup", with 2^4 rounds. */
export const HICCUP = "$2b$04$tIsILlJ/oACfTAaJWclomOeuTL29BPViXe2u5sdh8cSyeJ9l8.rm6";

export function guard(changes: Partial<GuardRules> = {}): GuardRules {
  return {
    allow: [],
    deny: [],
    cors: undefined,
    rate: undefined,
    auth: undefined,
    concurrentMax: Infinity,
    ...changes,
  };
}

export function cors(changes: Partial<CorsRules> = {}): CorsRules {
  return {
    origins: undefined,
    methods: ["GET", "POST"],
    headers: undefined,
    credentials: false,
    maxAgeMs: 600_000,
    ...changes,
  };
}

/** Bob with his password, and two keys. */
export function auth(changes: Partial<AuthRules> = {}): AuthRules {
  return {
    basic: { realm: "cellar", users: [{ name: "bob", hash: HICCUP }] },
    keys: [{ name: "laptop", secret: "key-of-laptop" }, { name: "phone", secret: "key-of-phone" }],
    pass: false,
    ...changes,
  };
}

export function block(ip: string, bits: number): Cidr {
  return { bytes: parseIp(ip) ?? [], bits };
}
