/** Upstreams that a name service knows: the section `dynamic` of a pool. */
import * as v from "valibot";
import type { Dynamic } from "../rules.ts";
import { readHostPort, toHost } from "./address.ts";
import * as leaves from "./leaves.ts";
import { read, type Reading, refuse } from "./reading.ts";
import { about, holds, keyed, leaf, oneOrMore, required, type Schema } from "./shape.ts";

/** One name to ask for, before the pool says how what it leads to is connected to. */
type Draft<T> = T extends Dynamic
  ? Omit<T, "template"> & { readonly scheme: Dynamic["template"]["scheme"] }
  : never;
export type DynamicDraft = Draft<Dynamic>;

const DNS_PORT = 53;

const HostName = leaf(
  { type: "string", examples: ["gpu.lan"] },
  (written): Reading<string> => {
    const host = typeof written === "string" ? toHost(written.replace(/\.$/, "")) : undefined;
    const isName = host !== undefined && !/^\[|^[\d.]+$/.test(host);
    return isName ? read(host) : refuse('a name such as "gpu.lan"');
  },
);

/** Labels of services begin with an underscore, which no host does. */
const ServiceName = leaf(
  { type: "string", examples: ["_http._tcp.gpu.lan"] },
  (written): Reading<string> =>
    typeof written === "string" && written.length <= 253 &&
      /^[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/.test(written)
      ? read(written.toLowerCase().replace(/\.$/, ""))
      : refuse('a name such as "_http._tcp.gpu.lan"'),
);

const Resolver = leaf(
  { type: "string", examples: ["10.0.0.1:53"] },
  (written): Reading<string> => {
    const expected = 'a name server such as "10.0.0.1:53"';
    if (typeof written !== "string") return refuse(expected);
    const hasPort = /^\[.*\]:\d+$|^[^:]*:\d+$/.test(written);
    const bare = written.includes(":") && !written.startsWith("[") ? `[${written}]` : written;
    const whole = hasPort ? written : `${bare}:${DNS_PORT}`;
    return readHostPort(whole).kind === "read" ? read(whole) : refuse(expected);
  },
);

const COMMON = {
  refresh: about("How often the name is asked for.", v.optional(leaves.duration(1_000), "1m")),
  grace_period: about(
    "How long an old answer serves while none can be had.",
    v.optional(leaves.duration(), "0s"),
  ),
  resolvers: about(
    "Name servers to ask instead of the system's; port 53 when left out.",
    v.optional(oneOrMore(Resolver)),
  ),
  scheme: about(
    "How what it leads to is spoken with.",
    v.optional(leaves.word("http", "https", "h2c"), "http"),
  ),
};

const Addresses = v.pipe(
  keyed({
    name: about("Name whose addresses are upstreams.", required(HostName)),
    port: about(
      "Their port; 80, or 443 for https, when not set.",
      v.optional(leaves.count(1, 65_535)),
    ),
    versions: about(
      "Versions of IP to ask for; both when not set.",
      v.optional(oneOrMore(leaves.word("ipv4", "ipv6"))),
    ),
    ...COMMON,
  }),
  v.transform(({ name, port, versions, ...written }): DynamicDraft => ({
    kind: "a",
    name,
    port: port ?? (written.scheme === "https" ? 443 : 80),
    families: [...new Set(versions ?? ["ipv4", "ipv6"])].map((one) => one === "ipv4" ? 4 : 6),
    ...asked(written),
  })),
);

const Services = v.pipe(
  keyed({
    name: about("Name of the service.", required(ServiceName)),
    ...COMMON,
  }),
  v.transform(({ name, ...written }): DynamicDraft => ({ kind: "srv", name, ...asked(written) })),
);

type Asked = v.InferOutput<v.StrictObjectSchema<typeof COMMON, undefined>>;

function asked({ refresh, grace_period, resolvers, scheme }: Asked) {
  return { refreshMs: refresh, graceMs: grace_period, resolvers: resolvers ?? [], scheme };
}

const One: Schema<DynamicDraft[]> = v.pipe(
  keyed({
    a: about("By A and AAAA records.", v.optional(Addresses)),
    srv: about("By SRV records, which name the ports too.", v.optional(Services)),
  }),
  holds(["a", "srv"], { most: 1, expected: '"a" or "srv"' }),
  v.transform(({ a, srv }) => [a, srv].filter((one) => one !== undefined)),
);

export const Dynamics: Schema<DynamicDraft[]> = v.pipe(
  oneOrMore(One),
  v.transform((all) => all.flat()),
);
