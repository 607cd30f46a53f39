/// <reference types="bun" />
/** The one certificate that every proxy shows in rows with TLS: ECDSA on P-256, made anew for each run. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

/** Files of PEM, in a folder where nothing else is written: understudy watches it. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** One after the other in one file. */
  readonly both: string;
}

/** Throws when it cannot be made. */
export function makeCertificate(folder: string): CertificateFiles {
  mkdirSync(folder);
  const files = {
    cert: `${folder}/cert.pem`,
    key: `${folder}/key.pem`,
    both: `${folder}/both.pem`,
  };
  const { success, stderr } = Bun.spawnSync([
    ...[
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-noenc",
    ],
    ...["-keyout", files.key, "-out", files.cert, "-days", "2", "-subj", "/CN=bench.test"],
    ...["-addext", "subjectAltName=DNS:bench.test,IP:127.0.0.1"],
  ]);
  if (!success) throw new Error(`Cannot make a certificate: ${stderr.toString().trim()}`);
  writeFileSync(files.both, readFileSync(files.cert, "utf8") + readFileSync(files.key, "utf8"));
  return files;
}
