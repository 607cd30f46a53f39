/**
 * How TLS is spoken with clients: the section `tls` at the top, of a listener and of a route. Each level
 * says what it wants otherwise than the one above; `certificates.ts` puts them together.
 */
import * as v from "valibot";
import * as leaves from "./leaves.ts";
import { readHost } from "./match.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import { about, either, isMistyped, keyed, leaf, list, oneOrMore, type Schema } from "./shape.ts";
import { MANNERS, type MannersDraft, NO_MANNERS } from "./tls_manners.ts";
import { SOURCE, type SourceDraft, toSource, wholePair, Words, wordSource } from "./tls_source.ts";

/** One entry of the list of certificates. */
export interface CertificateDraft extends SourceDraft {
  readonly hosts: readonly string[];
}

export interface RouteTlsDraft extends SourceDraft, MannersDraft {}

export interface TlsDraft extends SourceDraft, MannersDraft {
  readonly certificates: readonly CertificateDraft[];
  readonly minVersion: "1.2" | "1.3";
  readonly storage: string | undefined;
  readonly defaultName: string | undefined;
}

const HostName = leaf(
  { type: "string", examples: ["ollama.example.com", "*.example.com"] },
  (written): Reading<string> => {
    const reading = readHost(written);
    return reading.kind === "read" && reading.value !== "*"
      ? reading
      : refuse('a host such as "ollama.example.com" or "*.example.com"');
  },
);

const Version = leaf(
  { enum: ["1.2", "1.3", 1.2, 1.3] },
  // YAML takes it for a number unless it stands in quotes.
  (written): Reading<"1.2" | "1.3"> => {
    const version = String(written);
    return version === "1.2" || version === "1.3" ? read(version) : refuse('"1.2" or "1.3"');
  },
);

const Redirect = leaf(
  { type: ["boolean", "integer", "string"], minimum: 1, maximum: 65_535 },
  (written): Reading<boolean | number> => {
    if (typeof written === "boolean") return read(written);
    const port = Number(written);
    return Number.isInteger(port) && port > 0 && port < 65_536
      ? read(port)
      : refuse("true, false or the port to redirect to");
  },
);

const CertificateEntry: Schema<CertificateDraft> = v.pipe(
  keyed({
    hosts: about(
      "Names of the certificate; with cert and key, those it holds itself.",
      v.optional(oneOrMore(HostName)),
    ),
    ...SOURCE,
  }),
  wholePair(),
  v.rawCheck(({ dataset, addIssue }) => {
    const { value: written } = dataset;
    if (!isMap(written) || isMistyped(dataset.issues)) return;
    const isPair = Object.hasOwn(written, "cert");
    if (isPair === Object.hasOwn(written, "hosts")) {
      addIssue({
        expected: 'either "cert" and "key" or "hosts"',
        received: isPair ? "both" : "none",
      });
    }
  }),
  v.transform(({ hosts, ...written }) => ({ hosts: hosts ?? [], ...toSource(written, true) })),
);

/** `tls` of a listener. */
export const ListenTls: Schema<SourceDraft> = either(
  (written) => !isMap(written),
  v.pipe(Words, v.transform(wordSource)),
  v.pipe(keyed(SOURCE), wholePair(), v.transform((written) => toSource(written, true))),
);

/** `tls` of a route. */
export const RouteTls: Schema<RouteTlsDraft> = either(
  (written) => !isMap(written),
  v.pipe(Words, v.transform((word) => ({ ...wordSource(word), ...NO_MANNERS }))),
  v.pipe(
    keyed({
      ...SOURCE,
      redirect: about(
        "Sends requests in the clear on to where TLS is spoken; true unless set.",
        v.optional(leaves.Switch),
      ),
      ...MANNERS,
    }),
    wholePair(),
    v.transform(({ redirect, hsts, client_auth, ...written }): RouteTlsDraft => ({
      ...toSource(written, true),
      ...{ redirect, hsts, clientAuth: client_auth },
    })),
  ),
);

/** `tls` at the top. */
export const Tls: Schema<TlsDraft> = either(
  (written) => !isMap(written),
  v.pipe(
    Words,
    v.transform((word): TlsDraft => ({ ...wordSource(word), ...NO_MANNERS, ...NOTHING_MORE })),
  ),
  v.pipe(
    keyed({
      ...SOURCE,
      certificates: about(
        "Certificates of several names, or from files, each for the names it holds.",
        v.optional(list(CertificateEntry, 1)),
      ),
      min_version: about(
        "Oldest version of TLS that is spoken.",
        v.optional(Version, "1.2"),
      ),
      storage: about("Folder of accounts, keys and certificates.", v.optional(leaves.Text)),
      default_name: about("Stands in where a client asks for no name.", v.optional(HostName)),
      redirect: about(
        "Sends requests in the clear on to where TLS is spoken: true (default), false, or the port to send them to.",
        v.optional(Redirect),
      ),
      ...MANNERS,
    }),
    wholePair(),
    v.transform((written): TlsDraft => ({
      ...toSource(written, false),
      certificates: written.certificates ?? [],
      minVersion: written.min_version,
      storage: written.storage,
      defaultName: written.default_name,
      redirect: written.redirect,
      hsts: written.hsts,
      clientAuth: written.client_auth,
    })),
  ),
);

const NOTHING_MORE = {
  certificates: [],
  minVersion: "1.2",
  storage: undefined,
  defaultName: undefined,
} as const;
