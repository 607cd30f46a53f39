/**
 * Where requests come in: the setting `listen`, an address or a map that says more of one. What TLS makes
 * of it, `certificates.ts` knows.
 */
import * as v from "valibot";
import type { Address } from "../rules.ts";
import { readListen } from "./address.ts";
import * as leaves from "./leaves.ts";
import { isMap } from "./reading.ts";
import { about, either, keyed, leaf, oneOrMore, required, type Schema } from "./shape.ts";
import { ListenTls } from "./tls.ts";
import type { SourceDraft } from "./tls_source.ts";

export const PROTOCOLS = ["h1", "h2", "h2c", "h3"] as const;

export interface ListenDraft {
  readonly address: Address;
  /** Undefined leaves it to the level above, and to the port. */
  readonly tls: SourceDraft | undefined;
  readonly protocols: readonly typeof PROTOCOLS[number][] | undefined;
}

const Place = leaf(
  { type: "string", pattern: ":|\\$\\{", examples: [":8080", ":443"] },
  readListen,
);

export const Listen: Schema<ListenDraft> = either(
  (written) => !isMap(written),
  v.pipe(
    Place,
    v.transform((address): ListenDraft => ({ address, tls: undefined, protocols: undefined })),
  ),
  v.pipe(
    keyed({
      address: about('":443" on all interfaces, "127.0.0.1:8443", "[::1]:8443".', required(Place)),
      tls: about(
        "How TLS is spoken there: an issuer, a map with more, or off; on for port 443 by itself.",
        v.optional(ListenTls),
      ),
      protocols: about(
        "Versions of HTTP; with TLS h1 and h2 unless set, without it h1. h2c is h2 without TLS.",
        v.optional(oneOrMore(leaves.word(...PROTOCOLS))),
      ),
    }),
    v.transform(({ address, tls, protocols }): ListenDraft => ({ address, tls, protocols })),
  ),
);
