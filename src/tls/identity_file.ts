/** A certificate and its key in one file, so that the two can never be of different ages. PEM (RFC 7468). Pure. */
import type { Identity } from "./issuer.ts";

/** The order in which other programs take the two from one file as well. */
export function identityFile({ chain, key }: Identity): string {
  return `${chain.trim()}\n${key.trim()}\n`;
}

/** Undefined where it is not whole: no certificate, not just one key, or something between them. */
export function readIdentityFile(text: string): Identity | undefined {
  const certificates: string[] = [];
  const keys: string[] = [];
  const rest = text.replaceAll("\r\n", "\n").replace(BLOCK, (block: string, label: string) => {
    (label === "CERTIFICATE" ? certificates : keys).push(block);
    return "";
  });
  const [key] = keys;
  if (key === undefined || keys.length > 1 || certificates.length === 0) return undefined;
  return rest.trim() === "" ? { chain: lines(certificates), key: lines([key]) } : undefined;
}

const BLOCK =
  /-----BEGIN (CERTIFICATE|(?:EC |RSA )?PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]+\n-----END \1-----/g;

function lines(blocks: readonly string[]): string {
  return blocks.map((block) => `${block}\n`).join("");
}
