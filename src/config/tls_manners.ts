/** How a route and TLS go together: the way for requests in the clear, what browsers are told, what clients must show. */
import * as v from "valibot";
import type { ClientAuthRules } from "../tls_rules.ts";
import * as leaves from "./leaves.ts";
import { Certificates } from "./pem.ts";
import { isMap, read } from "./reading.ts";
import { about, either, keyed, leaf, oneOrMore, required, type Schema } from "./shape.ts";

/** What the level of a route adds, and the one at the top stands in for. */
export interface MannersDraft {
  readonly redirect: boolean | number | undefined;
  /** Value of the header; "" sends none. */
  readonly hsts: string | undefined;
  readonly clientAuth: ClientAuthRules | undefined;
}

const Hsts: Schema<string> = either(
  (written) => !isMap(written),
  either(
    (written) => written === "off" || written === false,
    leaf({ enum: ["off"] }, () => read("")),
    v.pipe(leaves.lifetime(1000), v.transform((ms) => `max-age=${Math.round(ms / 1000)}`)),
  ),
  v.pipe(
    keyed({
      max_age: about(
        "How long browsers ask with TLS alone.",
        v.optional(leaves.lifetime(0), "365d"),
      ),
      include_subdomains: about("Also of names below.", v.optional(leaves.Switch, false)),
      preload: about(
        "May be put on lists that browsers come with.",
        v.optional(leaves.Switch, false),
      ),
    }),
    v.transform(({ max_age, include_subdomains, preload }) =>
      [
        `max-age=${Math.round(max_age / 1000)}`,
        ...(include_subdomains ? ["includeSubDomains"] : []),
        ...(preload ? ["preload"] : []),
      ].join("; ")
    ),
  ),
);

const ClientAuth: Schema<ClientAuthRules> = v.pipe(
  keyed({
    ca: about(
      "Authorities of clients' certificates: a PEM file.",
      required(oneOrMore(Certificates)),
    ),
    required: about("Turns away who shows none.", v.optional(leaves.Switch, true)),
  }),
  v.transform(({ ca, required: isRequired }): ClientAuthRules => ({
    authorities: ca,
    required: isRequired,
  })),
);

export const MANNERS = {
  hsts: about(
    "Tells browsers to ask with TLS alone from now on, for so long.",
    v.optional(Hsts),
  ),
  client_auth: about("Asks clients for a certificate.", v.optional(ClientAuth)),
};

export const NO_MANNERS: MannersDraft = {
  redirect: undefined,
  hsts: undefined,
  clientAuth: undefined,
};
