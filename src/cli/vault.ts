/** Opens the folders that accounts, keys and certificates are kept in, and those who give certificates by them. */
import type { Log } from "../ops/log.ts";
import { FileError, type Platform } from "../platform/platform.ts";
import type { Vault } from "../tls/edge_deps.ts";
import { InternalAuthority } from "../tls/internal.ts";
import type { Store } from "../tls/issuer.ts";
import { storagePlace } from "../tls/place.ts";
import { openStore } from "../tls/store.ts";

/** One for each folder, as it remembers what it has opened. */
export function vaults(platform: Platform, log: Log): (storage: string | undefined) => Vault {
  const known = new Map<string | undefined, Vault>();
  return (storage) => {
    const vault = known.get(storage) ?? vaultAt(storage, platform, log);
    known.set(storage, vault);
    return vault;
  };
}

function vaultAt(storage: string | undefined, platform: Platform, log: Log): Vault {
  const { clock } = platform;
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
    acmeIssuer: () => {
      throw new Error("no ACME yet");
    },
    internalIssuer: (lifetimeMs) => authority.issuer(lifetimeMs),
    root: () => authority.knownRoot(),
  };
}
