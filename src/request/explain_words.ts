/** Matchers, actions and rules in words, for those who ask what would become of a request. Pure. */
import { spellAddress } from "../address.ts";
import type {
  Action,
  Cidr,
  GuardRules,
  HeaderRules,
  Matcher,
  Policy,
  Rewrite,
  Route,
  StatusRange,
  Template,
  Upstream,
} from "../rules.ts";

/** A question as it goes on from "where …". */
export function matcherInWords(matcher: Matcher): string {
  switch (matcher.kind) {
    case "all":
      return matcher.of.map(braced).join(" and ");
    case "any":
      return matcher.of.map(braced).join(" or ");
    case "not":
      return `not ${braced(matcher.of)}`;
    case "host":
      return `host is ${either(matcher.hosts)}`;
    case "path":
      return `path is ${either(matcher.patterns)}`;
    case "prefix":
      return `path is under ${either(matcher.paths)}`;
    case "path_regexp":
      return `path matches ${matcher.pattern}`;
    case "method":
      return `method is ${either(matcher.methods)}`;
    case "header":
      return valued(`header ${matcher.name}`, matcher.values);
    case "header_regexp":
      return `header ${matcher.field} matches ${matcher.pattern}`;
    case "query":
      if (matcher.key === "") return "there is no query";
      return valued(`query ${matcher.key}`, matcher.values);
    case "remote_ip":
      return `peer is in ${either(matcher.blocks.map(spellCidr))}`;
    case "client_ip":
      return `client is in ${either(matcher.blocks.map(spellCidr))}`;
    case "protocol":
      return `protocol is ${matcher.protocol}`;
    case "var":
      return valued(`variable ${matcher.name}`, matcher.values);
  }
}

function braced(matcher: Matcher): string {
  const words = matcherInWords(matcher);
  const isPlain = matcher.kind !== "all" && matcher.kind !== "any";
  return isPlain || matcher.of.length < 2 ? words : `(${words})`;
}

function valued(what: string, values: readonly string[]): string {
  return values.length === 0 ? `${what} is absent` : `${what} is ${either(values)}`;
}

function either(words: readonly string[]): string {
  return words.join(" or ");
}

/** What a step does, in the words of a list of deeds. */
export function actionInWords(action: Action): string {
  switch (action.kind) {
    case "proxy":
      return `forwards to ${poolInWords(action.pool)}`;
    case "respond":
      return `answers ${templateInWords(action.status) || "200"}`;
    case "redirect":
      return `redirects to ${templateInWords(action.to)} (${action.status})`;
    case "error":
      return `ends with error ${templateInWords(action.status) || "500"}`;
    case "rewrite":
      return rewriteInWords(action.rewrite);
    case "headers":
      return headersInWords(action.request, action.response);
    case "var":
      return `sets variable ${action.name} to "${templateInWords(action.value)}"`;
    case "encode":
      return `compresses answers: ${action.formats.join(", ")}`;
    case "basic_auth":
      return `asks for a password of ${either(action.users.map(({ name }) => name))}`;
    case "forward_auth":
      return `asks ${poolInWords(action.pool)} for leave first`;
    case "limit":
      return `takes bodies of ${action.bodyBytes} bytes at most`;
    case "unlogged":
      return "keeps it out of the access log";
    case "copy_response":
      return "passes the upstream's answer on";
    case "copy_response_headers":
      return "copies fields of the upstream's answer";
    case "steps":
      return "does these steps";
    case "first_of":
      return "takes the first branch that matches";
  }
}

export function poolInWords(
  { upstreams, dynamic }: Extract<Action, { kind: "proxy" }>["pool"],
): string {
  const names = [
    ...upstreams.map(({ name }) => name),
    ...dynamic.map(({ name }) => `what ${name} resolves to`),
  ];
  return names.join(", ");
}

function rewriteInWords({ method, uri, stripPrefix, stripSuffix, replace }: Rewrite): string {
  const deeds = [
    ...(method === undefined ? [] : [`makes the method ${templateInWords(method)}`]),
    ...(uri === undefined ? [] : [`rewrites to ${templateInWords(uri)}`]),
    ...(stripPrefix === undefined ? [] : [`strips ${templateInWords(stripPrefix)} in front`]),
    ...(stripSuffix === undefined ? [] : [`strips ${templateInWords(stripSuffix)} at the end`]),
    ...replace.map((rule) => `replaces ${rule.search} by "${templateInWords(rule.with)}"`),
  ];
  return deeds.join(", ") || "rewrites nothing";
}

function headersInWords(request: HeaderRules, response: HeaderRules): string {
  const both = [[request, "request"], [response, "answer"]] as const;
  const deeds = both.flatMap(([rules, what]) => {
    const names = namesOf(rules);
    return names.length === 0 ? [] : [`${names.join(", ")} of the ${what}`];
  });
  return `edits ${deeds.join(", and ") || "no fields"}`;
}

function namesOf({ remove, replace, set, add, fallback }: HeaderRules): string[] {
  const named = [...replace, ...set, ...add, ...fallback].map(({ name }) => name);
  return [...new Set([...remove.map((name) => `-${name}`), ...named])];
}

/** What a route asks of those who come before it answers them, in its order. */
export function doorInWords({ tls: { clientAuth }, guard }: Pick<Route, "tls" | "guard">) {
  return [
    ...(clientAuth?.required === true
      ? ["asks for a certificate that its authorities signed"]
      : []),
    ...(guard === undefined ? [] : guardInWords(guard)),
  ];
}

function guardInWords(guard: GuardRules): readonly string[] {
  const { allow, deny, cors, rate, auth, concurrentMax } = guard;
  const keys = auth?.keys.map(({ name }) => name) ?? [];
  const users = auth?.basic?.users.map(({ name }) => name) ?? [];
  const proofs = [
    ...(keys.length === 0 ? [] : [`the key of ${either(keys)}`]),
    ...(users.length === 0 ? [] : [`the password of ${either(users)}`]),
  ];
  return [
    ...(deny.length === 0 ? [] : [`turns away clients in ${either(deny.map(spellCidr))}`]),
    ...(allow.length === 0 ? [] : [`lets in only clients in ${either(allow.map(spellCidr))}`]),
    ...(cors === undefined ? [] : ["answers browsers that ask for pages of other origins"]),
    ...(rate === undefined ? [] : [`lets a client ask ${rate.requests} times in ${rate.perMs} ms`]),
    ...(proofs.length === 0 ? [] : [`asks for ${either(proofs)}`]),
    ...(concurrentMax === Infinity ? [] : [`bears ${concurrentMax} requests of a client at once`]),
  ];
}

/** A template as it was written. */
export function templateInWords(template: Template): string {
  return template.map((part) => {
    if (typeof part === "string") return part;
    return part.of === undefined ? `{${part.name}}` : `{${part.name}.${part.of}}`;
  }).join("");
}

/** How a policy chooses, as it goes on from "chosen …". */
export function policyInWords(policy: Policy): string {
  switch (policy.kind) {
    case "first":
      return "by preference";
    case "random":
      return "by chance";
    case "random_choose":
      return `as the least busy of ${policy.choices} taken by chance`;
    case "round_robin":
      return "in turn";
    case "weighted_round_robin":
      return `in turn, by weights ${policy.weights.join(", ")}`;
    case "least_conn":
      return "as the least busy";
    case "ip_hash":
      return "by the peer's address";
    case "client_ip_hash":
      return "by the client's address";
    case "uri_hash":
      return "by path and query";
    case "query":
      return `by the query's ${policy.key}, else ${policyInWords(policy.fallback)}`;
    case "header":
      return `by the header ${policy.name}, else ${policyInWords(policy.fallback)}`;
    case "cookie":
      return `by the cookie ${policy.name}, else ${policyInWords(policy.fallback)}`;
  }
}

export function upstreamUrl({ scheme, address }: Upstream): string {
  const spelled = spellAddress(address);
  return address.kind === "unix" ? spelled : `${scheme}://${spelled}`;
}

export function statusInWords(ranges: readonly StatusRange[]): string {
  return ranges.map(({ from, to }) => from === to ? `${from}` : `${from}–${to}`).join(", ");
}

export function spellCidr({ bytes, bits }: Cidr): string {
  if (bytes.length === 4) return bits === 32 ? bytes.join(".") : `${bytes.join(".")}/${bits}`;
  const groups = Array.from(
    { length: 8 },
    (_, at) => (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  // The shortest spelling of RFC 5952 is a URL's own.
  const short = new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  return bits === 128 ? short : `${short}/${bits}`;
}
