/**
 * `understudy trust`: has this machine trust the root of the local authority, or ends that, and says how
 * the rest of the world is told of it.
 */
import { FileError, type Platform } from "../platform/platform.ts";
import { CertificateError } from "../platform/tls.ts";
import { IssueError } from "../tls/issuer.ts";
import { type Command, EXIT, type Parsed, UsageError } from "./command.ts";
import { type Place, PlaceError, rootIn, storageOf } from "./storage_place.ts";
import { tellBrowsers, untellBrowsers } from "./trust_browsers.ts";
import { factsOf, type Root, rootOf, TrustError } from "./trust_root.ts";
import { fileIn, filesIn, putIn, type SystemStore, systemStore, takeOut } from "./trust_system.ts";
import { ELSEWHERE, hereByHand } from "./trust_words.ts";

export const trust: Command = {
  name: "trust",
  summary: "Have this machine trust the certificates of the local authority",
  help: `Usage: understudy trust [--uninstall | --print] [--config PATH | --storage PATH]

Has this machine trust the root of the local authority, which signs the
certificates of "tls: internal". Makes the root where there is none yet. Knows
Debian, Ubuntu, Alpine, Fedora, Arch and openSUSE, and with certutil installed
the browsers of the user who calls it; for others it says what to do.

      --uninstall     End that; the authority stays
      --print         Only print the root, in PEM
  -c, --config PATH   Configuration that says where the authority is kept
      --storage PATH  Folder that it is kept in

Without --storage: what the configuration says in tls.storage; for root
/var/lib/understudy, for others ~/.local/share/understudy.

Exit codes: 0 done, 1 failed (not root, no system it knows), 2 usage.
`,
  flags: {
    uninstall: { type: "boolean" },
    print: { type: "boolean" },
    config: { type: "string", short: "c", values: "file" },
    storage: { type: "string", values: "file" },
  },

  async run(platform, args) {
    if (args.has("uninstall") && args.has("print")) {
      throw new UsageError("Expected either --uninstall or --print but received both");
    }
    // Another process may have its turn at the authority first, and waiting alone keeps none running.
    const rest = platform.stayAwake();
    try {
      const place = await storageOf(args, platform);
      if (args.has("print")) platform.stdout.write((await rootOf(place.folder, platform)).pem);
      else await changed(place, args, platform);
      return EXIT.fine;
    } catch (error) {
      if (!isExpected(error)) throw error;
      platform.stderr.write(`${error.message}\n`);
      return EXIT.failed;
    } finally {
      rest();
    }
  },
};

function isExpected(error: unknown): error is Error {
  return [TrustError, PlaceError, FileError, IssueError].some((kind) => error instanceof kind);
}

async function changed(place: Place, args: Parsed, platform: Platform): Promise<void> {
  const store = await systemStore(platform);
  if (store === undefined) {
    platform.stdout.write(ELSEWHERE);
    throw new TrustError("Cannot find where this system keeps the roots that it trusts");
  }
  if (platform.userId() !== 0) {
    const flags = args.has("uninstall") ? ["--uninstall", ...place.flags] : place.flags;
    const line = ["sudo", ...platform.program, "trust", ...flags].map(shellWord).join(" ");
    throw new TrustError(`Cannot change what this machine trusts as this user; try: ${line}`);
  }
  if (args.has("uninstall")) await uninstalled(store, place, platform);
  else await installed(store, place, platform);
}

async function installed(store: SystemStore, place: Place, platform: Platform): Promise<void> {
  const root = await rootOf(place.folder, platform);
  const say = sayer(platform);
  introduce(root, place, say);
  await putIn(store, root, platform, say);
  const file = fileIn(store, root);
  await tellBrowsers(root, file, platform, say);
  platform.stdout.write(`\n${hereByHand(file)}\n${ELSEWHERE}`);
}

/** Only reads, so that an authority that is not there does not come to be by it. */
async function uninstalled(store: SystemStore, place: Place, platform: Platform): Promise<void> {
  const pem = await platform.readIfAny(rootIn(place.folder));
  if (pem === undefined) throw new TrustError(await withoutRoot(store, place, platform));
  const root = read(pem, place, platform);
  const say = sayer(platform);
  introduce(root, place, say);
  await takeOut(store, root, platform, say);
  await untellBrowsers(root, platform, say);
}

function read(pem: string, { folder }: Place, platform: Platform): Root {
  try {
    return factsOf(pem, platform);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new TrustError(`Cannot read the root in "${rootIn(folder)}": it is damaged`);
  }
}

async function withoutRoot(store: SystemStore, { folder }: Place, platform: Platform) {
  const files = await filesIn(store, platform);
  const none = `Cannot find the root to end trust in: there is no "${rootIn(folder)}"`;
  if (files.length === 0) return `${none}, and nothing of understudy's in ${store.folder}`;
  const line = ["sudo", "rm", ...files].map(shellWord).join(" ");
  return `${none}; others are trusted here, and are removed by: ${line} && sudo ${
    store.renew.join(" ")
  }`;
}

function introduce(root: Root, { folder }: Place, say: (line: string) => void): void {
  const fingerprint = (root.fingerprint.toUpperCase().match(/../g) ?? []).join(":");
  say(`Root         ${root.subject}, kept in ${folder}`);
  say(`Good until   ${new Date(root.validTo).toISOString().slice(0, 10)}`);
  say(`SHA-256      ${fingerprint}`);
}

function sayer({ stdout }: Platform): (line: string) => void {
  return (line) => stdout.write(`${line}\n`);
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
