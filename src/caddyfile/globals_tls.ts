/**
 * The global options that are about TLS: what is the same for all sites, and becomes the section `tls` at
 * the top.
 */
import {
  accept,
  ANY_NUMBER,
  type Draft,
  first,
  type Line,
  type Option,
  type Options,
  put,
  readBlock,
} from "./proxy_options.ts";
import { DIRECTORY, DIRECTORY_CA, EMAIL, keyTypeOf, PREFERRED_CHAINS } from "./tls_acme.ts";
import { type AcmeDraft, readProvider } from "./tls_dns.ts";
import { type Issuer, readIssuer } from "./tls_issuer.ts";
import { type Place, WrittenMap } from "./written.ts";

/** What global options say of TLS. */
export interface TlsGlobals {
  /** The section `tls` but for what comes of `cert_issuer`. */
  readonly top: WrittenMap;
  /** `cert_issuer`, in order. */
  readonly issuers: Issuer[];
  /** `dns`. */
  usualDns: WrittenMap | undefined;
  /** `acme_dns` without a provider, which means that of `dns`. */
  awaitsDns: Line | undefined;
}

export function defaultTlsGlobals(at: Place): TlsGlobals {
  return { top: new WrittenMap(at), issuers: [], usualDns: undefined, awaitsDns: undefined };
}

/** What these options are read into. */
export interface TlsGlobalDraft extends Draft {
  readonly globals: { readonly tls: TlsGlobals };
}

/** An option of `acme`, for all authorities. */
function ofAcme(option: Option<AcmeDraft>): Option<TlsGlobalDraft> {
  return {
    ...option,
    read(line, draft) {
      const { top } = draft.globals.tls;
      const acme = top.map("acme", line.at);
      option.read(line, { ...draft, usualDns: undefined, acme });
      if (acme.entries.size === 0) top.delete("acme");
    },
  };
}

interface EabDraft extends Draft {
  readonly eab: WrittenMap;
}

function ofEab(key: string): Option<EabDraft> {
  return {
    args: [1, 1],
    read(line, { context, eab }) {
      put(eab, key, context.plain(first(line), line.where), line);
      context.took(line.name, line.where);
    },
  };
}

const EAB_OPTIONS: Options<EabDraft> = { key_id: ofEab("key_id"), mac_key: ofEab("hmac") };

const STORAGE_OPTIONS: Options<TlsGlobalDraft> = { root: { args: [1, 1], read: readStorageRoot } };

function readStorageRoot(line: Line, { context, globals }: TlsGlobalDraft): void {
  const root = line.args.at(-1) ?? line.name;
  put(globals.tls.top, "storage", context.plain(root, line.where), line);
  context.took(line.name, line.where);
}

export const TLS_GLOBALS: Options<TlsGlobalDraft> = {
  email: ofAcme(EMAIL),
  acme_ca: ofAcme(DIRECTORY),
  acme_ca_root: ofAcme({ ...DIRECTORY_CA, args: [1, 1], repeats: false }),
  preferred_chains: ofAcme(PREFERRED_CHAINS),
  acme_eab: {
    args: [0, 0],
    block: true,
    read(line, { context, globals, homeless }) {
      const eab = new WrittenMap(line.at);
      readBlock(line.block ?? [], { context, homeless, eab }, {
        options: EAB_OPTIONS,
        prefix: line.where,
      });
      put(globals.tls.top.map("acme", line.at), "eab", eab, line);
      context.took(line.name, line.where);
    },
  },
  acme_dns: {
    args: [0, ANY_NUMBER],
    block: true,
    read(line, { context, globals: { tls } }) {
      if (line.args.length === 0) {
        tls.awaitsDns = line;
        return;
      }
      const dns = readProvider(line, { context });
      if (dns === undefined) return;
      put(tls.top.map("acme", line.at), "dns", dns, line);
      context.took(line.name, line.where);
    },
  },
  dns: {
    args: [1, ANY_NUMBER],
    block: true,
    read(line, draft) {
      draft.globals.tls.usualDns = readProvider(line, draft);
      if (draft.globals.tls.usualDns !== undefined) accept(line, draft);
    },
  },
  key_type: {
    args: [1, 1],
    read(line, { context, globals }) {
      const kind = keyTypeOf(line, context);
      if (kind === undefined) return;
      put(globals.tls.top.map("acme", line.at), "key_type", kind, line);
      context.took(line.name, line.where);
    },
  },
  cert_issuer: {
    args: [1, ANY_NUMBER],
    block: true,
    repeats: true,
    read(line, { context, globals: { tls } }) {
      const issuer = readIssuer(line, { context, usualDns: tls.usualDns });
      if (issuer === undefined) return;
      const [before] = tls.issuers;
      if (before !== undefined && (before.kind !== issuer.kind || issuer.kind === "internal")) {
        return context.refuse(line.name, "tls.issuer.mixed");
      }
      tls.issuers.push(issuer);
      context.took(line.name, line.where);
    },
  },
  local_certs: {
    args: [0, 0],
    read(line, { context, globals }) {
      put(globals.tls.top, "issuer", "internal", line);
      context.took(line.name, line.where);
    },
  },
  skip_install_trust: { args: [0, 0], read: accept },
  ocsp_stapling: {
    args: [1, 1],
    read(line, draft) {
      if (first(line).text === "off") accept(line, draft);
      else draft.context.refuse(first(line), `${line.where}.other`);
    },
  },
  default_sni: {
    args: [1, 1],
    read(line, { context, globals }) {
      put(globals.tls.top, "default_name", context.plain(first(line), line.where), line);
      context.took(line.name, line.where);
    },
  },
  storage: {
    args: [1, 2],
    block: true,
    read(line, draft) {
      const module = first(line);
      if (module.text !== "file_system") {
        return draft.context.refuse(module, `${line.where}.module`);
      }
      if (line.args.length === 2) return readStorageRoot(line, draft);
      readBlock(line.block ?? [], draft, { options: STORAGE_OPTIONS, prefix: line.where });
      accept(line, draft);
    },
  },
};

/** What only all options together tell. */
export function settleTlsGlobals({ context, globals: { tls } }: TlsGlobalDraft): void {
  const { awaitsDns: line, usualDns, top, issuers } = tls;
  if (line !== undefined && usualDns === undefined) {
    const message = 'Expected a provider such as "cloudflare", here or in the global option dns';
    context.problem(line.name, line.where, message);
  } else if (line !== undefined && usualDns !== undefined) {
    put(top.map("acme", line.at), "dns", usualDns, line);
    context.took(line.name, line.where);
  }
  const [issuer] = issuers;
  if (issuer === undefined || !top.has("issuer")) return;
  const message = "Expected either cert_issuer or local_certs but received both";
  context.problem(issuer.line.name, issuer.line.where, message);
}
