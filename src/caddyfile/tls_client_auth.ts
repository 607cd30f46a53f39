/**
 * Reads `client_auth` within `tls`: what clients of a site must show. Only what is verified is asked for
 * here; a certificate that anybody could have made proves nothing.
 */
import { type Directive, placeOf, shown, type Token } from "./directive.ts";
import {
  ANY_NUMBER,
  type Draft,
  expected,
  first,
  type Line,
  type Option,
  type Options,
  readBlock,
} from "./proxy_options.ts";
import { single } from "./tidy.ts";
import { WrittenList, WrittenMap } from "./written.ts";

interface AuthDraft extends Draft {
  readonly authorities: WrittenList;
  readonly auth: WrittenMap;
}

const WHERE = "tls.client_auth";

/** Files of authorities, or what stands in their place. */
function authorities(
  read: (token: Token, line: Line, draft: AuthDraft) => string | undefined,
): Option<AuthDraft> {
  return {
    args: [1, ANY_NUMBER],
    repeats: true,
    read(line, draft) {
      addAll(line.args, { line, draft, read });
      draft.homeless.push(line.comments);
      draft.context.took(line.name, line.where);
    },
  };
}

function addAll(
  tokens: readonly Token[],
  { line, draft, read }: {
    readonly line: Line;
    readonly draft: AuthDraft;
    readonly read: (token: Token, line: Line, draft: AuthDraft) => string | undefined;
  },
): void {
  for (const token of tokens) {
    const text = read(token, line, draft);
    if (text !== undefined) draft.authorities.add(text, placeOf(token, line.where));
  }
}

function file(token: Token, { where }: Line, { context }: AuthDraft): string {
  return context.plain(token, where);
}

/** A certificate as Caddy has it, base64 of its bytes, as PEM. */
function inline(token: Token, { where }: Line, { context }: AuthDraft): string | undefined {
  const base64 = token.text.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]{16,}={0,2}$/.test(base64)) {
    return expected(token, "a certificate in base64", { context, where });
  }
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

const OPTIONS: Options<AuthDraft> = {
  mode: {
    args: [1, 1],
    read(line, { context, auth, homeless }) {
      const mode = first(line);
      if (mode.text === "request" || mode.text === "require") {
        return context.refuse(mode, `${line.where}.${mode.text}`);
      }
      if (mode.text !== "verify_if_given" && mode.text !== "require_and_verify") {
        const words = '"verify_if_given" or "require_and_verify"';
        return expected(mode, words, { context, where: line.where });
      }
      if (mode.text === "verify_if_given") auth.set("required", false, line.at);
      homeless.push(line.comments);
      context.took(line.name, line.where);
    },
  },
  trusted_ca_cert_file: authorities(file),
  trusted_ca_cert: authorities(inline),
  trust_pool: { args: [1, ANY_NUMBER], block: true, read: readTrustPool },
};

/** `trust_pool file PATH …` or `inline DER …`, or with a block. */
function readTrustPool(line: Line, draft: AuthDraft): void {
  const { context } = draft;
  const [provider = line.name, ...tokens] = line.args;
  const kind = provider.text;
  if (kind !== "file" && kind !== "inline") {
    return context.refuse(provider, `${line.where}.module`);
  }
  const option = kind === "file" ? "pem_file" : "trust_der";
  const before = context.problems();
  const inBlock = (line.block ?? []).flatMap(({ name, args }: Directive): readonly Token[] => {
    if (name.text === option) return args;
    const message = `Expected ${option} but received "${shown(name.text)}"`;
    context.problem(name, line.where, message);
    return [];
  });
  const all = [...tokens, ...inBlock];
  if (context.problems() > before) return;
  if (all.length === 0) {
    return context.problem(provider, line.where, `Expected ${option} but received none`);
  }
  addAll(all, { line, draft, read: kind === "file" ? file : inline });
  draft.homeless.push(line.comments);
  context.took(line.name, line.where);
}

/** The section `client_auth`; undefined when told of as wrong. */
export function readClientAuth(
  line: Line,
  { context }: Pick<Draft, "context">,
): WrittenMap | undefined {
  const auth = new WrittenMap(line.at);
  const list = new WrittenList(line.at);
  const homeless: Draft["homeless"] = [];
  const before = context.problems();
  readBlock(line.block ?? [], { context, homeless, auth, authorities: list }, {
    options: OPTIONS,
    prefix: WHERE,
  });
  if (context.problems() > before) return undefined;
  if (list.items.length === 0) {
    const message = "Expected authorities such as trusted_ca_cert_file but received none";
    context.problem(line.name, line.where, message);
    return undefined;
  }
  const whole = new WrittenMap(line.at).set("ca", single(list), line.at);
  for (const comments of homeless) whole.comment("ca", comments);
  const required = auth.entries.get("required");
  if (required !== undefined) whole.set("required", required.node, required.at);
  context.took(line.name, line.where);
  return whole;
}
