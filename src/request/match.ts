/**
 * Answers questions about a request, and about an upstream's response. Each matcher becomes a
 * function once, so that no request pays for reading patterns. Pure, but for the groups that a
 * regular expression found, which the request keeps.
 */
import type { Fields } from "../fields.ts";
import { sameName } from "../fields.ts";
import { inCidr, parseIp } from "../ip.ts";
import { isWithin } from "../reasons.ts";
import type { Matcher, ResponseMatcher } from "../rules.ts";
import { pathTest, wildcardTest } from "./pattern.ts";
import { isUnder } from "./route.ts";

/** What of a request can be asked about. */
export interface Asked {
  readonly method: string;
  /** As `cleanPath` gives it. */
  readonly path: string;
  /** Query without its "?". */
  readonly query: string;
  readonly params: URLSearchParams;
  readonly fields: Fields;
  /** Without port, lower case. */
  readonly hostname: string;
  readonly scheme: "http" | "https";
  readonly remoteIp: string;
  readonly clientIp: string;
  variable(name: string): string | undefined;
  /** Keeps what the groups of a regular expression matched. */
  keep(name: string, groups: RegExpExecArray): void;
}

type Test = (asked: Asked) => boolean;

const TESTS = new WeakMap<Matcher, Test>();

export function matches(matcher: Matcher, asked: Asked): boolean {
  let test = TESTS.get(matcher);
  if (test === undefined) TESTS.set(matcher, test = testOf(matcher));
  return test(asked);
}

/** True where every question of the matcher is answered with yes. */
export function matchesResponse(
  { status, headers }: ResponseMatcher,
  response: { readonly status: number; readonly fields: Fields },
): boolean {
  if (status.length > 0 && !isWithin(response.status, status)) return false;
  return headers.every(({ name, values }) => anyField(response.fields, name, testsOf(values)));
}

function testOf(matcher: Matcher): Test {
  switch (matcher.kind) {
    case "all": {
      const tests = matcher.of.map(testOf);
      return (asked) => tests.every((test) => test(asked));
    }
    case "any": {
      const tests = matcher.of.map(testOf);
      return (asked) => tests.some((test) => test(asked));
    }
    case "not": {
      const test = testOf(matcher.of);
      return (asked) => !test(asked);
    }
    case "host":
      return hostTest(matcher.hosts);
    case "path": {
      const tests = matcher.patterns.map(pathTest);
      return ({ path }) => tests.some((test) => test(path));
    }
    case "prefix":
      return ({ path }) => matcher.paths.some((prefix) => isUnder(path, prefix));
    case "path_regexp":
      return (asked) => finds(matcher, asked.path, asked);
    case "method":
      return ({ method }) => matcher.methods.includes(method);
    case "header": {
      const tests = testsOf(matcher.values);
      return ({ fields }) => anyField(fields, matcher.name, tests);
    }
    case "header_regexp":
      return (asked) =>
        [...asked.fields].some(([name, value]) =>
          sameName(name, matcher.field) && finds(matcher, value, asked)
        );
    case "query":
      return queryTest(matcher);
    case "remote_ip":
    case "client_ip": {
      const { kind, blocks } = matcher;
      return ({ remoteIp, clientIp }) => {
        const ip = parseIp(kind === "remote_ip" ? remoteIp : clientIp);
        return ip !== undefined && blocks.some((block) => inCidr(ip, block));
      };
    }
    case "protocol": {
      const { protocol } = matcher;
      if (protocol !== "grpc") return ({ scheme }) => scheme === protocol;
      return ({ fields }) => /^application\/grpc/i.test(fields.get("content-type") ?? "");
    }
    case "var": {
      const { name, values } = matcher;
      return (asked) => values.includes(asked.variable(name) ?? "");
    }
  }
}

function hostTest(hosts: readonly string[]): Test {
  const exact = new Set(hosts);
  if (exact.has("*")) return () => true;
  return ({ hostname }) => {
    if (exact.has(hostname)) return true;
    const dot = hostname.indexOf(".");
    return dot > 0 && exact.has(`*${hostname.slice(dot)}`);
  };
}

function queryTest(
  { key, values }: { readonly key: string; readonly values: readonly string[] },
): Test {
  if (values.length > 0) {
    const any = values.includes("*");
    return ({ params }) =>
      any ? params.has(key) : params.getAll(key).some((value) => values.includes(value));
  }
  return key === "" ? ({ query }) => query === "" : ({ params }) => !params.has(key);
}

type ValueTest = (value: string) => boolean;

/** One matcher is asked of every request, so its values are read once. */
const VALUE_TESTS = new WeakMap<readonly string[], readonly ValueTest[]>();

function testsOf(values: readonly string[]): readonly ValueTest[] {
  let tests = VALUE_TESTS.get(values);
  if (tests === undefined) VALUE_TESTS.set(values, tests = values.map(wildcardTest));
  return tests;
}

/** Whether a field of that name has one of the values; without values, whether there is none. */
function anyField(fields: Fields, wanted: string, tests: readonly ValueTest[]): boolean {
  if (tests.length === 0) return !fields.has(wanted);
  for (const [name, value] of fields) {
    if (sameName(name, wanted) && tests.some((test) => test(value))) return true;
  }
  return false;
}

function finds(
  { name, pattern }: { readonly name: string; readonly pattern: RegExp },
  text: string,
  asked: Asked,
): boolean {
  // A pattern with a flag that makes it remember would begin where the last request ended.
  pattern.lastIndex = 0;
  const groups = pattern.exec(text);
  if (groups === null) return false;
  asked.keep(name, groups);
  return true;
}
