/**
 * Reads certificates and keys in PEM (RFC 7468). What stands in the configuration is the path of a file;
 * the reading of the tree has put the file's text in its place. Neither is ever shown.
 */
import { read, type Reading, refuse } from "./reading.ts";
import type { Path } from "./places.ts";
import { leaf } from "./shape.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END ([A-Z0-9 ]+)-----/g;
const KEY_LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const UNFIT = "something else";

/** Whether a text at this place is the path of a PEM file. */
export function isPemPath(path: Path): boolean {
  const [section, key] = path.filter((part) => typeof part === "string").slice(-2);
  const isItem = typeof path.at(-1) === "number";
  return section === "tls" && (key === "ca" || (!isItem && (key === "cert" || key === "key")));
}

/** Whether the text is PEM already, as one from a `*_file` key is. */
export function isPem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

export const Certificates = leaf(
  { type: "string", examples: ["/etc/ssl/certs/gpu.pem"] },
  (written): Reading<string> => {
    const blocks = blocksOf(written);
    const fits = blocks.length > 0 && blocks.every((label) => label === "CERTIFICATE");
    return fits && typeof written === "string"
      ? read(written)
      : refuse("a file with certificates in PEM", UNFIT);
  },
);

export const PrivateKey = leaf(
  { type: "string", examples: ["/etc/ssl/private/gpu.key"] },
  (written): Reading<string> => {
    const expected = "a file with a private key in PEM";
    const keys = blocksOf(written).filter((label) => label.endsWith("PRIVATE KEY"));
    if (keys.includes("ENCRYPTED PRIVATE KEY") || isLocked(written)) {
      return refuse(`${expected}, not encrypted,`, UNFIT);
    }
    const fits = keys.length === 1 && KEY_LABELS.includes(keys[0] ?? "");
    return fits && typeof written === "string" ? read(written) : refuse(expected, UNFIT);
  },
);

function isLocked(written: unknown): boolean {
  return typeof written === "string" && /^Proc-Type: 4,ENCRYPTED/m.test(written);
}

/** Labels of the blocks, "" for one that is damaged. */
function blocksOf(written: unknown): string[] {
  if (typeof written !== "string") return [];
  const labels = [...written.matchAll(BLOCK)].map(([, label = "", body = "", end]) =>
    label === end && isSequence(body) ? label : ""
  );
  // What is damaged beyond the form of a block is not found above.
  const begun = written.split("-----BEGIN ").length - 1;
  return [...labels, ...Array.from({ length: begun - labels.length }, () => "")];
}

/** Whether it is base64 of an ASN.1 SEQUENCE, as certificates and keys are. */
function isSequence(base64: string): boolean {
  try {
    return atob(base64.replace(/\s/g, "")).startsWith("\x30");
  } catch {
    return false;
  }
}
