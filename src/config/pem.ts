/**
 * Reads certificates and keys in PEM (RFC 7468). What stands in the configuration is the path of a file;
 * the reading of the tree has put the file's text in its place. Neither is ever shown.
 */
import type { PemText } from "../tls_rules.ts";
import { read, type Reading, refuse } from "./reading.ts";
import type { Path } from "./places.ts";
import { leaf } from "./shape.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END ([A-Z0-9 ]+)-----/g;
const KEY_LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const UNFIT = "something else";

const AUTHORITY_SECTIONS = ["tls", "client_auth", "acme"];

/** Whether a text at this place is the path of a PEM file. */
export function isPemPath(path: Path): boolean {
  const [section, key] = path.filter((part) => typeof part === "string").slice(-2);
  if (key === "ca") return AUTHORITY_SECTIONS.includes(section ?? "");
  const isItem = typeof path.at(-1) === "number";
  const isPair = !isItem && (key === "cert" || key === "key");
  return isPair && (section === "tls" || section === "certificates");
}

/** Whether it is of a certificate that we show, which is read again when its file changes. */
export function isServedPem(path: Path): boolean {
  const above = path.slice(0, -1).filter((part) => typeof part === "string").join(".");
  return isPemPath(path) && path.at(-1) !== "ca" &&
    ["tls", "tls.certificates", "routes.tls", "listen.tls"].includes(above);
}

/** What a file of PEM holds, for those who must know which file it is. */
export class PemFile implements PemText {
  readonly path: string;
  readonly text: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }
}

/** Whether the text is PEM already, as one from a `*_file` key is. */
export function isPem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

export const Certificates = leaf(
  { type: "string", examples: ["/etc/ssl/certs/gpu.pem"] },
  readCertificates,
);

export const PrivateKey = leaf(
  { type: "string", examples: ["/etc/ssl/private/gpu.key"] },
  readPrivateKey,
);

function readCertificates(written: unknown): Reading<string> {
  const blocks = blocksOf(written);
  const fits = blocks.length > 0 && blocks.every((label) => label === "CERTIFICATE");
  return fits && typeof written === "string"
    ? read(written)
    : refuse("a file with certificates in PEM", UNFIT);
}

function readPrivateKey(written: unknown): Reading<string> {
  const expected = "a file with a private key in PEM";
  const keys = blocksOf(written).filter((label) => label.endsWith("PRIVATE KEY"));
  if (keys.includes("ENCRYPTED PRIVATE KEY") || isLocked(written)) {
    return refuse(`${expected}, not encrypted,`, UNFIT);
  }
  const fits = keys.length === 1 && KEY_LABELS.includes(keys[0] ?? "");
  return fits && typeof written === "string" ? read(written) : refuse(expected, UNFIT);
}

/** The same, of what we show ourselves: a file, or PEM as it stands. */
function served(schema: (written: unknown) => Reading<string>, example: string) {
  return leaf({ type: "string", examples: [example] }, (written): Reading<PemText> => {
    const isFile = written instanceof PemFile;
    const reading = schema(isFile ? written.text : written);
    if (reading.kind === "refused") return refuse(reading.expected, reading.received);
    return read({ path: isFile ? written.path : undefined, text: reading.value });
  });
}

export const ServedChain = served(readCertificates, "/etc/understudy/ollama.pem");
export const ServedKey = served(readPrivateKey, "/etc/understudy/ollama.key");

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
