/** Opens the folders that accounts, keys and certificates are kept in, and those who give certificates by them. */
import type { Log } from "../ops/log.ts";
import { FileError, type Platform } from "../platform/platform.ts";
import { acmeIssuer } from "../tls/acme/issuer.ts";
import type { Vault } from "../tls/edge_deps.ts";
import { InternalAuthority } from "../tls/internal.ts";
import type { Store } from "../tls/issuer.ts";
import { storagePlace } from "../tls/place.ts";
import type { ProofBoard } from "../tls/proofs.ts";
import { openStore } from "../tls/store.ts";

export interface VaultTools {
  readonly platform: Platform;
  readonly log: Log;
  /** Where proofs are shown that authorities look for. */
  readonly proofs: ProofBoard;
}

/** One for each folder, as it remembers what it has opened. */
export function vaults(tools: VaultTools): (storage: string | undefined) => Vault {
  const known = new Map<string | undefined, Vault>();
  return (storage) => {
    const vault = known.get(storage) ?? vaultAt(storage, tools);
    known.set(storage, vault);
    return vault;
  };
}

function vaultAt(storage: string | undefined, { platform, log, proofs }: VaultTools): Vault {
  const { clock, names, showsTlsProofs } = platform;
  let opening: Promise<Store> | undefined;
  const open = async (): Promise<Store> => {
    const folder = storagePlace({
      configured: storage,
      userId: platform.userId(),
      env: (name) => platform.env(name),
    });
    if (folder === undefined) {
      throw new FileError("Cannot tell where to keep certificates: name a folder by tls.storage");
    }
    const { store, notices } = await openStore(folder, { files: platform, clock });
    for (const notice of notices) log.warn("storage.repaired", { folder, notice });
    return store;
  };
  const store = (): Promise<Store> => {
    opening ??= open().catch((error: unknown) => {
      // The next one to ask may have more luck.
      opening = undefined;
      throw error;
    });
    return opening;
  };
  const authority = new InternalAuthority({
    ...{ store, clock },
    randomBytes: (count) => platform.randomBytes(count),
    certificateFacts: (chain) => platform.certificateFacts(chain),
  });
  return {
    store,
    acmeIssuer: (rules) =>
      acmeIssuer(rules, {
        ...{ store, clock, names, proofs, showsTlsProofs },
        errand: (url, options) => platform.errand(url, options),
        runProgram: (file, args, options) => platform.runProgram(file, args, options),
        tell: (level, event, fields) => log[level](event, fields),
      }),
    internalIssuer: (lifetimeMs) => authority.issuer(lifetimeMs),
    root: () => authority.knownRoot(),
  };
}
