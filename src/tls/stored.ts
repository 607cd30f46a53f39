/** Certificates in the store: where each is, and which of several is the one to show. */
import { CertificateError } from "../platform/tls.ts";
import { fileNameOf } from "./file_names.ts";
import { readIdentityFile } from "./identity_file.ts";
import type { Issuer, Store } from "./issuer.ts";
import { Shown, type Workshop } from "./shelf.ts";

/** By issuer and names: another authority's certificate is another one. */
export function storedPath({ name }: Pick<Issuer, "name">, names: readonly string[]): string {
  return `certificates/${name}/${fileNameOf(names)}.pem`;
}

/** A certificate and who gave it. */
export interface Stored {
  readonly shown: Shown;
  readonly issuer: Issuer;
}

/** The one of any of the issuers that is good for longest, if for longer than until `after`. */
export async function bestStored(
  names: readonly string[],
  issuers: readonly Issuer[],
  { store, workshop, after }: {
    readonly store: Store;
    readonly workshop: Workshop;
    /** Wall clock, in milliseconds. */
    readonly after: number;
  },
): Promise<Stored | undefined> {
  let best: Stored | undefined;
  for (const issuer of issuers) {
    const text = await store.read(storedPath(issuer, names));
    const identity = text === undefined ? undefined : readIdentityFile(text);
    if (identity === undefined) continue;
    try {
      const shown = new Shown(identity, workshop);
      if (shown.facts.validTo > (best?.shown.facts.validTo ?? after)) best = { shown, issuer };
    } catch (error) {
      // Torn, or of a key that is gone: as good as none.
      if (!(error instanceof CertificateError)) throw error;
    }
  }
  return best;
}
