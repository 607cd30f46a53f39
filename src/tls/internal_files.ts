/**
 * What the authority of our own keeps: its root, made once and never again, and the intermediate that
 * signs for it, which comes and goes. Nobody may be at work here at the same time; `internal.ts` sees to it.
 */
import { type Clock, FileError } from "../platform/platform.ts";
import { CertificateError, type CertificateFacts } from "../platform/tls.ts";
import { identityFile, readIdentityFile } from "./identity_file.ts";
import { type Identity, IssueError, type Store } from "./issuer.ts";
import { isSignedBy, makeSigner, readSigner, type Signer, spanOf } from "./x509.ts";

export interface Means {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Throws `CertificateError`. */
  readonly certificateFacts: (chain: string) => CertificateFacts;
}

/**
 * The key stands in one file with the certificate it is nothing without. People's tools want the certificate
 * alone, which has a file for them beside it: as closed as all others, since whoever may not enter the folder
 * gets it from `understudy trust --print` or the admin page.
 */
const ROOT = "internal/root.key";
const ROOT_CERTIFICATE = "internal/root.pem";
const INTERMEDIATE = "internal/intermediate.pem";

const DAY_MS = 24 * 60 * 60 * 1000;
const ROOT_LIFE_MS = 3652 * DAY_MS;
export const INTERMEDIATE_LIFE_MS = 7 * DAY_MS;
/** All begin so long ago, for clients whose clock is slow, by the hour of summer time at most. */
export const BACKDATED_MS = 60 * 60 * 1000;
/** A machine without a clock of its own believes in an earlier day until it is told the time. */
const EARLIEST = Date.UTC(2026, 0, 1);
const CLOCK_RETRY_MS = 10_000;
export const SERIAL_BYTES = 16;

const BEGIN_ANEW =
  'to begin anew remove the folder "internal", and have the new root trusted everywhere';

/** The root, made where there is none. Rejects with `IssueError` rather than make another in its place. */
export async function rootOf(means: Means): Promise<Signer> {
  const { store, clock } = means;
  const root = await keptRoot(store);
  const shown = await store.read(ROOT_CERTIFICATE);
  if (root === undefined) {
    if (shown === undefined) return await madeRoot(means);
    throw new IssueError(
      `Cannot find the key of the local authority: "${ROOT}" is missing; restore it, or ${BEGIN_ANEW}`,
    );
  }
  if (shown !== root.pem) await show(root, shown, means);
  const { to } = spanOf(root);
  if (clock.now() < to) return root;
  throw new IssueError(`The root of the local authority ended on ${day(to)}; ${BEGIN_ANEW}`);
}

/** PEM of the root as it is kept; undefined where there is none. */
export async function keptCertificate(store: Store): Promise<string | undefined> {
  return (await keptRoot(store))?.pem ?? await store.read(ROOT_CERTIFICATE);
}

async function keptRoot(store: Store): Promise<Signer | undefined> {
  const text = await store.read(ROOT);
  if (text === undefined) return undefined;
  const root = await signerIn(text);
  if (root !== undefined) return root;
  throw new IssueError(
    `Cannot use the key of the local authority: "${ROOT}" is damaged; restore it, or ${BEGIN_ANEW}`,
  );
}

async function madeRoot(means: Means): Promise<Signer> {
  const now = means.clock.now();
  if (now < EARLIEST) {
    throw new IssueError(`Cannot make a root while this machine's clock says ${day(now)}`, {
      retryAfterMs: CLOCK_RETRY_MS,
    });
  }
  const identity = await makeSigner(
    wording("understudy local authority", now + ROOT_LIFE_MS, means),
    1,
    undefined,
  );
  await means.store.write(ROOT, identityFile(identity));
  await means.store.write(ROOT_CERTIFICATE, identity.chain);
  return await signer(identity);
}

/** Puts the certificate beside its key again, unless another root is there, which people may have trusted. */
async function show(root: Signer, shown: string | undefined, means: Means): Promise<void> {
  if (shown !== undefined && isCertificate(shown, means)) {
    throw new IssueError(
      `Cannot tell which root is the right one: "${ROOT_CERTIFICATE}" is not the certificate in "${ROOT}"; remove the wrong one of both`,
    );
  }
  await means.store.write(ROOT_CERTIFICATE, root.pem);
}

function isCertificate(text: string, { certificateFacts }: Means): boolean {
  try {
    certificateFacts(text);
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

/** The intermediate as it is kept; undefined where there is none, or none that this root signed. */
export async function keptIntermediate(root: Signer, { store }: Means) {
  const kept = await signerIn(await store.read(INTERMEDIATE) ?? "");
  return kept !== undefined && await isSignedBy(kept, root) ? kept : undefined;
}

export async function madeIntermediate(root: Signer, means: Means): Promise<Signer> {
  const to = Math.min(means.clock.now() + INTERMEDIATE_LIFE_MS, spanOf(root).to);
  const identity = await makeSigner(wording("understudy local intermediate", to, means), 0, root);
  try {
    await means.store.write(INTERMEDIATE, identityFile(identity));
  } catch (error) {
    // It signs as well without being kept: after a restart there is another one.
    if (!(error instanceof FileError && error.isOfDisk)) throw error;
  }
  return await signer(identity);
}

/** Day and chance make names differ, as programs that look for a signer go by its name first. */
function wording(name: string, to: number, { clock, randomBytes }: Means) {
  const mark = Array.from(randomBytes(3), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const now = clock.now();
  return {
    commonName: `${name} ${day(now)} ${mark}`,
    serial: randomBytes(SERIAL_BYTES),
    from: now - BACKDATED_MS,
    to,
  };
}

async function signerIn(text: string): Promise<Signer | undefined> {
  const identity = readIdentityFile(text);
  return identity === undefined ? undefined : await readSigner(identity);
}

async function signer(identity: Identity): Promise<Signer> {
  const made = await readSigner(identity);
  if (made === undefined) throw new Error("A certificate just made cannot be read");
  return made;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
