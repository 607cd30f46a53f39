/** Reads the options of `transport http` that are about TLS. */
import { type Directive, placeOf, shown, type Token } from "./directive.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import { ANY_NUMBER, expected, first, type Line, type Option, put } from "./proxy_options.ts";
import { WrittenList, type WrittenMap } from "./written.ts";

const WHERE = "reverse_proxy.transport.http";

/** The map `transport.tls`; whatever is in it means TLS, as in Caddy. */
function tlsOf(line: Line, { pool, transport }: PoolDraft): WrittenMap {
  transport.tls ??= line.name;
  return pool.map("transport", line.at).map("tls", line.at);
}

export const TLS_OPTIONS: Readonly<Record<string, Option<PoolDraft>>> = {
  tls: {
    args: [0, 0],
    read(line, { context, transport, homeless }) {
      transport.tls = line.name;
      homeless.push(line.comments);
      context.took(line.name, line.where);
    },
  },
  tls_insecure_skip_verify: {
    args: [0, 0],
    read(line, draft) {
      put(tlsOf(line, draft), "insecure", true, line);
      draft.context.took(line.name, line.where);
    },
  },
  tls_server_name: {
    args: [1, 1],
    read(line, draft) {
      put(tlsOf(line, draft), "name", draft.context.plain(first(line), line.where), line);
      draft.context.took(line.name, line.where);
    },
  },
  tls_trusted_ca_certs: {
    args: [1, ANY_NUMBER],
    repeats: true,
    read(line, draft) {
      trustFiles(line, line.args, draft);
      draft.context.took(line.name, line.where);
    },
  },
  tls_trust_pool: { args: [1, ANY_NUMBER], block: true, read: readTrustPool },
  tls_client_auth: {
    args: [1, 2],
    read(line, draft) {
      const [cert, key] = line.args;
      const { context } = draft;
      if (cert === undefined) return;
      if (key === undefined) return context.refuse(cert, `${line.where}.automated`);
      const tls = tlsOf(line, draft);
      tls.set("cert", context.plain(cert, line.where), placeOf(cert, line.where));
      tls.set("key", context.plain(key, line.where), placeOf(key, line.where));
      tls.comment("cert", line.comments);
      context.took(line.name, line.where);
    },
  },
  tls_renegotiation: {
    args: [1, 1],
    read(line, { context, homeless, transport }) {
      const level = first(line);
      if (level.text !== "never") {
        if (["once", "freely"].includes(level.text)) {
          return context.refuse(level, `${line.where}.on`);
        }
        return expected(level, '"never", "once" or "freely"', { context, where: line.where });
      }
      transport.tls ??= line.name;
      homeless.push(line.comments);
      context.took(line.name, line.where);
    },
  },
  tls_except_ports: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      const { context, transport, homeless } = draft;
      const ports = line.args.map((token) => context.integer(token, line.where));
      transport.tls ??= line.name;
      transport.plainPorts = new Set(ports.map(String));
      homeless.push(line.comments);
      context.took(line.name, line.where);
    },
  },
};

function readTrustPool(line: Line, draft: PoolDraft): void {
  const { context } = draft;
  const [provider = line.name, ...paths] = line.args;
  if (provider.text !== "file") return context.refuse(provider, `${line.where}.module`);

  const inBlock = (line.block ?? []).flatMap((inner) => pemFiles(inner, draft));
  const files = [...paths, ...inBlock];
  if (files.length === 0) {
    const message = "Expected a path of a PEM file but received none";
    return context.problem(provider, line.where, message);
  }
  trustFiles(line, files, draft);
  context.took(line.name, line.where);
}

function pemFiles({ name, args }: Directive, { context }: PoolDraft): readonly Token[] {
  if (name.text === "pem_file") return args;
  const where = `${WHERE}.tls_trust_pool`;
  context.problem(name, where, `Expected pem_file but received "${shown(name.text)}"`);
  return [];
}

function trustFiles(line: Line, files: readonly Token[], draft: PoolDraft): void {
  const tls = tlsOf(line, draft);
  const known = tls.get("ca");
  const list = known?.kind === "list" ? known : new WrittenList(line.at);
  for (const file of files) {
    list.add(draft.context.plain(file, line.where), placeOf(file, line.where));
  }
  tls.set("ca", list, line.at).comment("ca", line.comments);
}
