/**
 * Reads the directive `tls` of a site into what it says of certificates and handshakes. Which of that stands
 * at a route and which at the top is known when all sites are.
 */
import { type Directive, hasArgs, placeOf, type Token } from "./directive.ts";
import {
  accept,
  ANY_NUMBER,
  expected,
  first,
  type Line,
  type Options,
  readBlock,
} from "./proxy_options.ts";
import type { Scope } from "./scope.ts";
import { DIRECTORY, DIRECTORY_CA, EAB, keyTypeOf } from "./tls_acme.ts";
import { readClientAuth } from "./tls_client_auth.ts";
import { type AcmeDraft, DNS_OPTIONS, settleDns } from "./tls_dns.ts";
import { type Issuer, readIssuer } from "./tls_issuer.ts";
import { type Comments, joinedComments, type Place, WrittenMap } from "./written.ts";

/** Where a site wants its certificate from. */
export type Source =
  | { readonly kind: "files"; readonly pair: WrittenMap }
  | { readonly kind: "internal"; readonly settings: WrittenMap }
  /** The first that gives one; the others stand in for it. */
  | { readonly kind: "acme"; readonly issuers: readonly WrittenMap[] }
  /** As it is chosen without a word, whatever others could stand in for it. */
  | { readonly kind: "auto" };

/** Something a line says. */
export interface Said<T> {
  readonly value: T;
  readonly at: Place;
  readonly token: Token;
}

/** What a site says of TLS. */
export interface SiteTls {
  readonly name: Token;
  readonly at: Place;
  readonly comments: Comments;
  /** Undefined leaves it to the global options. */
  readonly source: Source | undefined;
  readonly keyType: Said<string> | undefined;
  readonly minVersion: Said<"1.2" | "1.3"> | undefined;
  readonly clientAuth: WrittenMap | undefined;
  readonly onDemand: Token | undefined;
}

const WHERE = "tls";

interface TlsDraft extends AcmeDraft {
  readonly context: Scope;
  readonly issuers: Issuer[];
  keyType?: Said<string>;
  minVersion?: Said<"1.2" | "1.3">;
  clientAuth?: WrittenMap;
  onDemand?: Token;
}

/** In Caddy's words, those that are spoken here beside the ones of TLS 1.3. */
const CIPHERS: ReadonlySet<string> = new Set(
  ["ECDSA", "RSA"].flatMap((kind) =>
    ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"].map((rest) =>
      `TLS_ECDHE_${kind}_WITH_${rest}`
    )
  ),
);

const OPTIONS: Options<TlsDraft> = {
  protocols: { args: [1, 2], read: readProtocols },
  ciphers: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      const other = line.args.find(({ text }) => !CIPHERS.has(text));
      const named = new Set(line.args.map(({ text }) => text));
      if (other === undefined && named.size === CIPHERS.size) return accept(line, draft);
      draft.context.refuse(other ?? first(line), `${line.where}.other`);
    },
  },
  alpn: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      const words = line.args.map(({ text }) => text).join(" ");
      if (words === "h2 http/1.1") return accept(line, draft);
      draft.context.refuse(first(line), `${line.where}.other`);
    },
  },
  ca: DIRECTORY,
  ca_root: { ...DIRECTORY_CA, args: [1, 1] },
  eab: EAB,
  key_type: {
    args: [1, 1],
    read(line, draft) {
      const value = keyTypeOf(line, draft.context);
      if (value === undefined) return;
      draft.keyType = { value, at: line.at, token: first(line) };
      accept(line, draft);
    },
  },
  ...DNS_OPTIONS,
  on_demand: {
    args: [0, 0],
    read(line, draft) {
      draft.onDemand = line.name;
      accept(line, draft);
    },
  },
  client_auth: {
    args: [0, 0],
    block: true,
    read(line, draft) {
      const auth = readClientAuth(line, draft);
      if (auth === undefined) return;
      draft.clientAuth = auth;
      draft.homeless.push(line.comments);
    },
  },
  issuer: {
    args: [1, ANY_NUMBER],
    block: true,
    repeats: true,
    read(line, draft) {
      const issuer = readIssuer(line, draft);
      if (issuer === undefined) return;
      draft.issuers.push(issuer);
      draft.homeless.push(issuer.comments);
      draft.context.took(line.name, line.where);
    },
  },
};

/** `protocols tls1.2 tls1.3`: the oldest that is spoken, and the newest. */
function readProtocols(line: Line, draft: TlsDraft): void {
  const { context } = draft;
  const { where } = line;
  for (const word of line.args) {
    if (word.text !== "tls1.2" && word.text !== "tls1.3") {
      return expected(word, '"tls1.2" or "tls1.3"', { context, where });
    }
  }
  const [oldest = line.name, newest] = line.args;
  if (newest?.text === "tls1.2") return context.refuse(newest, `${where}.newest`);
  const value = oldest.text === "tls1.3" ? "1.3" : "1.2";
  draft.minVersion = { value, at: line.at, token: oldest };
  draft.homeless.push(line.comments);
  context.took(line.name, where, value === "1.2" ? "" : undefined);
}

/** Undefined when told of as wrong. */
export function readTls(
  directive: Directive,
  { scope, usualDns }: { readonly scope: Scope; readonly usualDns: WrittenMap | undefined },
): SiteTls | undefined {
  const { name, args, block, comments } = directive;
  const before = scope.problems();
  if (!hasArgs(directive, [0, 2], { context: scope, where: WHERE })) return undefined;
  const at = placeOf(name, WHERE);
  if (args.length === 0 && block === undefined) {
    const message =
      'Expected "internal", an e-mail address, two files or a block but received none';
    scope.problem(name, WHERE, message);
    return undefined;
  }
  const draft: TlsDraft = {
    context: scope,
    usualDns,
    acme: new WrittenMap(at),
    homeless: [],
    issuers: [],
  };
  const short = readShort({ ...directive, where: WHERE, at }, draft);
  readBlock(block ?? [], draft, { options: OPTIONS, prefix: WHERE });
  settleDns(draft);
  const source = sourceOf(short, draft);
  if (scope.problems() > before) return undefined;
  scope.took(name, WHERE);
  return {
    ...{ name, at, source },
    comments: joinedComments([...draft.homeless, comments]),
    keyType: draft.keyType,
    minVersion: draft.minVersion,
    clientAuth: draft.clientAuth,
    onDemand: draft.onDemand,
  };
}

/** What stands on the line itself. An e-mail address goes to the settings of `acme`. */
function readShort(line: Line, { context, acme }: TlsDraft): Source | undefined {
  const [one, other] = line.args;
  if (one === undefined) return undefined;
  if (other !== undefined) {
    const where = `${WHERE}.files`;
    const pair = new WrittenMap(line.at)
      .set("cert", context.plain(one, where), placeOf(one, where))
      .set("key", context.plain(other, where), placeOf(other, where));
    context.took(one, where);
    return { kind: "files", pair };
  }
  if (one.text === "internal") {
    context.took(one, `${WHERE}.internal`);
    return { kind: "internal", settings: new WrittenMap(line.at) };
  }
  if (one.text === "force_automate") {
    context.took(one, `${WHERE}.force_automate`);
    return { kind: "auto" };
  }
  if (one.text.includes("@")) {
    acme.set("email", context.plain(one, WHERE), placeOf(one, `${WHERE}.email`));
    context.took(one, `${WHERE}.email`);
    return undefined;
  }
  const words = '"internal", an e-mail address, or a certificate and its key';
  return expected(one, words, { context, where: WHERE });
}

/** Puts together what the line and its block say of where the certificate comes from. */
function sourceOf(short: Source | undefined, draft: TlsDraft): Source | undefined {
  const { acme, issuers, context } = draft;
  const [first, ...others] = issuers;
  const [setting] = acme.entries.values();
  const stray = first?.line.name ?? setting?.at;
  if (short !== undefined && short.kind !== "auto" && stray !== undefined) {
    const name = short.kind === "files" ? `${WHERE}.files.issuer` : `${WHERE}.internal.acme`;
    context.refuse(stray, name);
    return undefined;
  }
  if (first === undefined) {
    return setting === undefined ? short : { kind: "acme", issuers: [acme] };
  }
  if (setting !== undefined) {
    context.refuse(first.line.name, `${WHERE}.issuer.short`);
    return undefined;
  }
  const mixed = others.find(({ kind }) => kind !== first.kind || kind === "internal");
  if (mixed !== undefined) {
    context.refuse(mixed.line.name, `${WHERE}.issuer.mixed`);
    return undefined;
  }
  return first.kind === "internal"
    ? { kind: "internal", settings: first.settings }
    : { kind: "acme", issuers: issuers.map(({ settings }) => settings) };
}
