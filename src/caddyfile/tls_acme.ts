/**
 * Reads how an authority on the Internet is asked: the options of `issuer acme`, those of `tls` that say the
 * same in short, and the global ones. All of them become the section `acme`.
 */
import { type Context, hasArgs, placeOf } from "./directive.ts";
import { ANY_NUMBER, expected, first, type Line, type Option, put } from "./proxy_options.ts";
import type { AcmeDraft } from "./tls_dns.ts";
import { single } from "./tidy.ts";
import { WrittenList, WrittenMap } from "./written.ts";

/** Authorities that have names here. */
const KNOWN: Readonly<Record<string, string>> = {
  "https://acme-v02.api.letsencrypt.org/directory": "letsencrypt",
  "https://acme-staging-v02.api.letsencrypt.org/directory": "letsencrypt_staging",
  "https://acme.zerossl.com/v2/DV90": "zerossl",
};

export const KEY_TYPES: readonly string[] = ["p256", "p384", "rsa2048", "rsa4096"];

/** The URL of a directory as one writes it here. */
export function spellDirectory(url: string): string {
  return KNOWN[url] ?? url;
}

/** A setting of `acme` that is one text. */
function text(key: string, spell = (value: string): string => value): Option<AcmeDraft> {
  return {
    args: [1, 1],
    read(line, { acme, context }) {
      put(acme, key, spell(context.plain(first(line), line.where)), line);
      context.took(line.name, line.where);
    },
  };
}

export const EMAIL = text("email");
export const DIRECTORY = text("directory", spellDirectory);
export const PROFILE = text("profile");

/** Authorities of the directory itself, file by file. */
export const DIRECTORY_CA: Option<AcmeDraft> = {
  args: [1, ANY_NUMBER],
  repeats: true,
  read(line, { acme, context }) {
    const known = acme.get("ca");
    const list = new WrittenList(line.at);
    if (known?.kind === "list") list.items.push(...known.items);
    else if (known !== undefined) list.items.push(known);
    for (const file of line.args) {
      list.add(context.plain(file, line.where), placeOf(file, line.where));
    }
    put(acme, "ca", single(list), line);
    context.took(line.name, line.where);
  },
};

/** `eab KEY_ID MAC_KEY`. */
export const EAB: Option<AcmeDraft> = {
  args: [2, 2],
  read(line, { acme, context }) {
    const [id = line.name, mac = line.name] = line.args;
    const eab = new WrittenMap(line.at)
      .set("key_id", context.plain(id, line.where), placeOf(id, line.where))
      .set("hmac", context.plain(mac, line.where), placeOf(mac, line.where));
    put(acme, "eab", eab, line);
    context.took(line.name, line.where);
  },
};

/** The kind of key that a line names; undefined when told of as wrong. */
export function keyTypeOf(line: Line, context: Context): string | undefined {
  const kind = first(line);
  const value = context.plain(kind, line.where);
  if (KEY_TYPES.includes(value)) return value;
  if (value === "ed25519") {
    context.refuse(kind, "tls.key_type.ed25519");
    return undefined;
  }
  const words = KEY_TYPES.map((word) => `"${word}"`).join(", ");
  return expected(kind, `one of ${words}`, { context, where: line.where });
}

/** `preferred_chains { root_common_name NAME }`. */
export const PREFERRED_CHAINS: Option<AcmeDraft> = {
  args: [0, 1],
  block: true,
  read(line, { acme, context }) {
    const [names, ...others] = line.block ?? [];
    const strange = line.args[0] ?? others[0]?.name;
    if (names === undefined || strange !== undefined || names.name.text !== "root_common_name") {
      return context.refuse(strange ?? names?.name ?? line.name, "tls.preferred_chains.other");
    }
    if (!hasArgs(names, [1, ANY_NUMBER], { context, where: line.where })) return;
    const [name = names.name, another] = names.args;
    if (another !== undefined) return context.refuse(another, "tls.preferred_chains.other");
    const value = context.plain(name, line.where);
    acme.set("preferred_chain", value, placeOf(name, line.where))
      .comment("preferred_chain", line.comments)
      .comment("preferred_chain", names.comments);
    context.took(line.name, line.where);
  },
};
