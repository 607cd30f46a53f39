/**
 * How upstreams are connected to: the section `transport` of a pool, and `tls` there and at one upstream.
 * Defaults, bounds and meaning of their settings live here and nowhere else.
 */
import * as v from "valibot";
import { parseIp } from "../ip.ts";
import type { ConnectionRules, TransportRules, UpstreamTls } from "../rules.ts";
import { toHost } from "./address.ts";
import * as leaves from "./leaves.ts";
import { Certificates, PrivateKey } from "./pem.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import { about, either, isMistyped, keyed, leaf, oneOrMore, type Schema } from "./shape.ts";

/** What `tls` says; what it leaves open comes from the pool's. */
export type TlsDraft = Partial<UpstreamTls>;

export interface Carriage {
  readonly rules: TransportRules;
  readonly connections: ConnectionRules;
  readonly tls: TlsDraft;
}

const ServerName = leaf(
  { type: "string", examples: ["gpu.lan"] },
  (written): Reading<string> => {
    const host = typeof written === "string" ? toHost(written) : undefined;
    return host === undefined ? refuse('a name such as "gpu.lan"') : read(host);
  },
);

export const Tls: Schema<TlsDraft> = v.pipe(
  keyed({
    name: about(
      "Name asked for and proven; the upstream's host when not set.",
      v.optional(ServerName),
    ),
    ca: about(
      "Files with the authorities to trust instead of the system's.",
      v.optional(oneOrMore(Certificates)),
    ),
    cert: about("File with the certificate to show, and its chain.", v.optional(Certificates)),
    key: about("File with the key of that certificate.", v.optional(PrivateKey)),
    insecure: about(
      "Takes any certificate, which anyone on the way can make.",
      v.optional(leaves.Switch),
    ),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    const written: unknown = dataset.value;
    if (!isMap(written) || isMistyped(dataset.issues)) return;
    for (const [one, other] of [["cert", "key"], ["key", "cert"]]) {
      if (one === undefined || other === undefined) continue;
      if (!Object.hasOwn(written, one) || Object.hasOwn(written, other)) continue;
      addIssue({ expected: `"${other}" beside "${one}"`, received: "none" });
    }
  }),
  v.transform(({ name, ca, cert, key, insecure }): TlsDraft => ({
    ...(name !== undefined && { name }),
    ...(ca !== undefined && { authorities: ca }),
    ...(cert !== undefined && key !== undefined && { certificate: { chain: cert, key } }),
    ...(insecure !== undefined && { insecure }),
  })),
);

/** The rules that the pool and one upstream give together. */
export function joinedTls(pool: TlsDraft, own: TlsDraft): UpstreamTls {
  const none = { name: undefined, authorities: [], certificate: undefined, insecure: false };
  return { ...none, ...pool, ...own };
}

const Keepalive = either(
  (written) => written === "off",
  leaf({ enum: ["off"] }, () => read(0)),
  leaves.duration(),
);

const LocalAddress = leaf(
  { type: "string", examples: ["10.0.0.2"] },
  (written): Reading<string> =>
    typeof written === "string" && parseIp(written) !== undefined
      ? read(written)
      : refuse('an IP address of this machine such as "10.0.0.2"'),
);

export const Transport: Schema<Carriage> = v.pipe(
  keyed({
    dial_timeout: about("Limit to connect, TLS included.", v.optional(leaves.duration(1), "3s")),
    response_header_timeout: about(
      "Limit to the end of the response head; none when not set.",
      v.optional(leaves.timeLimit()),
    ),
    read_timeout: about(
      "Longest silence within a response; none when not set.",
      v.optional(leaves.timeLimit()),
    ),
    write_timeout: about(
      "Longest time an upstream may take no bytes of a request; none when not set.",
      v.optional(leaves.timeLimit()),
    ),
    max_response_header: about(
      "Response head at most; a larger one is answered with 502.",
      v.optional(leaves.sizeBetween("1KiB", "16MiB"), "64KiB"),
    ),
    keepalive: about("How long idle connections are kept.", v.optional(Keepalive, "55s")),
    keepalive_idle_conns: about(
      "Idle connections kept to one upstream at most.",
      v.optional(leaves.count(1, 1_000_000), 1024),
    ),
    max_conns: about(
      "Connections to one upstream at once at most.",
      v.optional(leaves.CountLimit, "unlimited"),
    ),
    local_address: about("Address of this machine to connect from.", v.optional(LocalAddress)),
    proxy_protocol: about(
      "Tells upstreams the client's address in a header of the PROXY protocol.",
      v.optional(leaves.word("v1", "v2")),
    ),
    tls: about("How TLS is spoken with https upstreams.", v.optional(Tls, {})),
  }),
  v.transform((written): Carriage => ({
    rules: {
      dialTimeoutMs: written.dial_timeout,
      headersTimeoutMs: written.response_header_timeout,
    },
    connections: {
      idleMs: written.keepalive,
      idleMax: written.keepalive_idle_conns,
      connectionsMax: written.max_conns,
      localAddress: written.local_address,
      proxyProtocol: written.proxy_protocol,
      readTimeoutMs: written.read_timeout,
      writeTimeoutMs: written.write_timeout,
      headLimitBytes: written.max_response_header,
    },
    tls: written.tls,
  })),
);
