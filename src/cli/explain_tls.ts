/** What `explain` tells of TLS: where requests in the clear are sent on to, and which certificate is shown there. */
import { addressKey } from "../address.ts";
import { parseIp } from "../ip.ts";
import type { CertificateStatus } from "../model.ts";
import { bareHost } from "../names.ts";
import { joinedNames } from "../ops/certificate_words.ts";
import type { Platform } from "../platform/platform.ts";
import type { Edge } from "../request/explain.ts";
import type { Config, ListenRules } from "../rules.ts";
import { foresee, type Foreseen } from "../tls/foreseen.ts";
import { spelledSpan } from "./moments.ts";

type Reader = Pick<Platform, "certificateFacts">;

/** Names of one that are told. */
const NAMES_MAX = 3;

/** What the request path may ask of TLS, as far as the configuration says; undefined where nobody speaks it. */
export function edgeFrom({ tls, listen }: Config, platform: Reader): Edge | undefined {
  if (tls === undefined) return undefined;
  const places = listen.filter((one) => one.tls);
  const ports = places.flatMap((one) => portOf(one) ?? []);
  return {
    proof: () => undefined,
    secures: (name) =>
      places.some(({ address }) =>
        foresee(tls, { listener: addressKey(address), name }, platform.certificateFacts)
      ),
    port: tls.redirectPort ?? ports[0] ?? 443,
    ports: new Set(ports),
    minVersion: tls.minVersion,
    alternative: () => undefined,
  };
}

/** The listener that a request for that port comes in on; for none, the one that it most likely is. */
export function placeOf(
  { listen }: Pick<Config, "listen">,
  { isSecure, port }: { readonly isSecure: boolean; readonly port: number | undefined },
): ListenRules | undefined {
  if (port !== undefined) return listen.find((one) => portOf(one) === port);
  const fitting = listen.filter(({ tls }) => tls === isSecure);
  const usual = isSecure ? 443 : 80;
  return fitting.find((one) => portOf(one) === usual) ?? fitting[0] ?? listen[0];
}

export function portOf({ address }: ListenRules): number | undefined {
  return address.kind === "tcp" ? address.port : undefined;
}

/** The certificate that whoever asks for this URL is shown; "none" where the handshake fails. */
export function certificateFor(
  url: string,
  config: Config,
  platform: Reader,
): Foreseen | "none" | undefined {
  const { tls } = config;
  if (tls === undefined || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "https:") return undefined;
  const named = placeOf(config, { isSecure: true, port: port === "" ? undefined : Number(port) });
  // A port that nobody listens on is that of whatever stands before us.
  const place = named ?? config.listen.find((one) => one.tls);
  if (place === undefined || !place.tls) return "none";
  const host = bareHost(hostname);
  const listener = addressKey(place.address);
  const asked = { listener, name: host, isUnnamed: parseIp(host) !== undefined };
  return foresee(tls, asked, platform.certificateFacts) ?? "none";
}

/** For people. `known` are those of the one that runs. */
export function certificateInWords(
  foreseen: Foreseen | "none",
  known: readonly CertificateStatus[],
  now: number,
): string {
  if (foreseen === "none") return "none is shown: the handshake fails";
  if (foreseen.kind === "made") return "made as it is asked for, signed by the authority here";
  const { names, rules: { source } } = foreseen;
  const from = {
    files: source.kind === "files" && source.chain.path !== undefined
      ? `from ${source.chain.path}`
      : "from the configuration",
    acme: source.kind === "acme" ? `by ACME from ${hostsOf(source.issuers)}` : "",
    internal: "signed by the authority here",
  }[source.kind];
  const one = known.find((status) =>
    status.source === source.kind && status.names.join() === names.join()
  );
  return `for ${joinedNames(names, NAMES_MAX)}, ${from}${
    one === undefined ? "" : stateOf(one, now)
  }`;
}

function hostsOf(issuers: readonly { readonly directory: string }[]): string {
  return issuers.map(({ directory }) => new URL(directory).host).join(", else ");
}

function stateOf({ state, validTo, problem }: CertificateStatus, now: number): string {
  const life = validTo === undefined
    ? "not there yet"
    : state === "expired"
    ? `ended ${spelledSpan(now - validTo)} ago`
    : `good for ${spelledSpan(validTo - now)}`;
  return `; ${life}${problem === undefined ? "" : ` (${problem})`}`;
}
