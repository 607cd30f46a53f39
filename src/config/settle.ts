/**
 * Makes a whole configuration of what was written where TLS is concerned: its parts depend on one another
 * across listeners, routes and the top, so that no schema of one of them could tell.
 */
import { bareHost } from "../names.ts";
import type { Config, ListenRules, Route } from "../rules.ts";
import type { Challenge, RouteTls, TlsRules } from "../tls_rules.ts";
import { type Asking, heldCertificates, type Place } from "./certificates.ts";
import { clientClashes } from "./client_clash.ts";
import type { Clash } from "./course.ts";
import type { ListenDraft } from "./listen.ts";
import type { Path } from "./places.ts";
import type { RouteTlsDraft, TlsDraft } from "./tls.ts";

/** A configuration before listeners, routes and certificates know of one another. */
export interface ConfigDraft extends Omit<Config, "listen" | "tls" | "routes"> {
  readonly listen: readonly ListenDraft[];
  readonly tls: TlsDraft | undefined;
  readonly routes: readonly RouteSketch[];
}

/** A route but for what TLS adds to it. */
export type RouteSketch = Omit<Route, "tls"> & { readonly tls: RouteTlsDraft | undefined };

export interface Settled {
  readonly config: Config;
  readonly clashes: readonly Clash[];
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export function settle(
  draft: ConfigDraft,
  namesOf: (chain: string, key: string) => readonly string[],
): Settled {
  const { tls: top } = draft;
  const clashes: Clash[] = [];
  const places = draft.listen.map((one, at) => toPlace(one, top, ["listen", at], clashes));
  const secure = places.filter(({ rules }) => rules.tls);
  if (secure.length === 0) {
    clashes.push(...pointless(draft));
    const routes = draft.routes.map((route): Route => ({ ...route, tls: IN_THE_CLEAR }));
    const listen = places.map(({ rules }) => rules);
    return { config: { ...draft, listen, tls: undefined, routes }, clashes };
  }

  const own = places.map(({ rules }) => rules);
  const helper = helperOf(own);
  const asking = draft.routes.map(({ hosts, ports, tls }, at): Asking => ({
    path: ["routes", at],
    ...{ hosts, ports, tls },
  }));
  const held = heldCertificates({
    ...{ top, places: secure, routes: asking, namesOf },
    possible: possibleChallenges(helper === undefined ? own : [...own, helper]),
  });
  const plainPorts = new Set(own.filter(({ tls }) => !tls).map(portOf));
  const routes = draft.routes.map((route): Route => ({
    ...route,
    tls: routeTls(route, top, plainPorts),
  }));
  clashes.push(...held.clashes, ...clientClashes(routes));

  const isUseful = helper !== undefined &&
    (routes.some(({ tls }) => tls.inTheClear === "redirect") || ordersByHttp(held.certificates));
  return {
    clashes,
    config: {
      ...draft,
      listen: isUseful ? [...own, helper] : own,
      routes,
      tls: {
        minVersion: top?.minVersion ?? "1.2",
        storage: top?.storage,
        certificates: held.certificates,
        onDemand: held.onDemand,
        defaultName: top?.defaultName && bareHost(top.defaultName),
        redirectPort: typeof top?.redirect === "number" ? top.redirect : undefined,
        clientAuth: askedClients(routes),
      },
    },
  };
}

const IN_THE_CLEAR: RouteTls = { inTheClear: "answer", hsts: undefined, clientAuth: undefined };

function toPlace(
  { address, tls, protocols }: ListenDraft,
  top: TlsDraft | undefined,
  path: Path,
  clashes: Clash[],
): Place {
  const port = address.kind === "tcp" ? address.port : 0;
  // Whoever writes of TLS at the top wants it, but where everybody expects none.
  const isOn = tls === undefined
    ? top?.kind !== "off" && (port === HTTPS_PORT || (top !== undefined && port !== HTTP_PORT))
    : tls.kind !== "off";
  const words = protocols ?? (isOn ? ["h1", "h2"] : ["h1"]);
  const stray = words.find((word) => word === (isOn ? "h2c" : "h2") || (!isOn && word === "h3"));
  if (!words.includes("h1")) {
    clashes.push({ path: [...path, "protocols"], expected: '"h1" among them', received: "none" });
  } else if (stray !== undefined) {
    const expected = isOn ? "what goes with TLS" : "what goes without TLS";
    clashes.push({ path: [...path, "protocols"], expected, received: JSON.stringify(stray) });
  }
  return {
    tls,
    rules: {
      address,
      tls: isOn,
      h2: words.includes(isOn ? "h2" : "h2c"),
      h3: words.includes("h3"),
      written: true,
    },
  };
}

/** Settings of TLS where nobody speaks it. */
function pointless({ tls, routes }: ConfigDraft): Clash[] {
  const expected = 'a listener that speaks TLS, such as ":443",';
  if (tls !== undefined && tls.kind !== "off") {
    return [{ path: ["tls"], expected, received: "none" }];
  }
  return routes.flatMap((route, at): Clash[] =>
    route.tls === undefined || route.tls.kind === "off"
      ? []
      : [{ path: ["routes", at, "tls"], expected, received: "none" }]
  );
}

/** A listener in the clear beside the usual one with TLS, for redirects and proofs, where there is none. */
function helperOf(listen: readonly ListenRules[]): ListenRules | undefined {
  const usual = listen.find((one) => one.tls && portOf(one) === HTTPS_PORT);
  if (usual?.address.kind !== "tcp" || listen.some((one) => portOf(one) === HTTP_PORT)) {
    return undefined;
  }
  const address = { ...usual.address, port: HTTP_PORT };
  return { address, tls: false, h2: false, h3: false, written: false };
}

function portOf({ address }: ListenRules): number {
  return address.kind === "tcp" ? address.port : 0;
}

function possibleChallenges(listen: readonly ListenRules[]): readonly Challenge[] {
  const challenges: Challenge[] = [];
  if (listen.some(({ tls }) => !tls)) challenges.push("http-01");
  if (listen.some(({ tls }) => tls)) challenges.push("tls-alpn-01");
  return challenges;
}

function ordersByHttp(certificates: TlsRules["certificates"]): boolean {
  return certificates.some(({ source }) =>
    source.kind === "acme" &&
    source.issuers.some(({ challenges }) => challenges.includes("http-01"))
  );
}

function routeTls(
  { tls, ports }: RouteSketch,
  top: TlsDraft | undefined,
  plainPorts: ReadonlySet<number>,
): RouteTls {
  if (tls?.kind === "off") return IN_THE_CLEAR;
  const isPlainOnly = ports.length > 0 && ports.every((port) => plainPorts.has(port));
  const redirects = tls?.redirect ?? top?.redirect ?? true;
  return {
    inTheClear: redirects !== false && !isPlainOnly ? "redirect" : "answer",
    hsts: (tls?.hsts ?? top?.hsts) || undefined,
    clientAuth: tls?.clientAuth ?? top?.clientAuth,
  };
}

function askedClients(routes: readonly Route[]): TlsRules["clientAuth"] {
  return routes.flatMap(({ hosts, tls: { clientAuth } }) =>
    clientAuth === undefined
      ? []
      : [{ hosts: hosts.map(bareHost), authorities: clientAuth.authorities }]
  );
}
