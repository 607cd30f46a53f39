/**
 * The ACME library and how it reaches the world: not by its own means, which wait in real time and hide
 * what went wrong, but over the line of the call that it works for. Loaded once somebody needs it.
 */
import { member, parsed, textOf } from "../json.ts";
import type { Line } from "./line.ts";
import { AcmeFailure } from "./problem.ts";

export type Acme = typeof import("acme-client");
export type Client = InstanceType<Acme["Client"]>;
export type Order = Awaited<ReturnType<Client["createOrder"]>>;
export type Authorization = Awaited<ReturnType<Client["getAuthorizations"]>>[number];

export interface Library {
  readonly acme: Acme;
  readonly switchboard: Switchboard;
}

let loading: Promise<Library> | undefined;

/** The library with its one way out in our hands. */
export function library(): Promise<Library> {
  return loading ??= load();
}

async function load(): Promise<Library> {
  const acme = await import("acme-client");
  const switchboard = new Switchboard();
  // What this rejects with reaches the caller as it is, as it looks like no error of axios's.
  acme.axios.defaults.adapter = async (config) => {
    const { url = "", data } = config;
    const answer = await switchboard.answer(url, textOf(data) ?? "");
    return { ...answer, statusText: "", config };
  };
  return { acme, switchboard };
}

/** Scheme of the URLs that the library is given in place of those of a directory and of its nonces. */
const SCHEME = "understudy";

/** An answer in the library's shape. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string;
}

/**
 * Connects each request of the library to the line that it belongs to. All its clients share one way out,
 * and nothing there says whose request it is; but each begins with a directory and a nonce from us, and
 * each carries a nonce from then on.
 */
export class Switchboard {
  readonly #lines = new Map<string, Line>();
  /** Handed out and not used so far: at most one for each exchange under way. */
  readonly #nonces = new Map<string, Line>();
  #opened = 0;

  /** The directory's URL to give to the library; good until `close`. */
  open(line: Line): { readonly url: string; readonly close: () => void } {
    const id = String(++this.#opened);
    this.#lines.set(id, line);
    return {
      url: `${SCHEME}:${id}:directory`,
      close: () => {
        this.#lines.delete(id);
        for (const [nonce, owner] of this.#nonces) if (owner === line) this.#nonces.delete(nonce);
      },
    };
  }

  /** `body` as the library sends it. Rejects with `AcmeFailure`. */
  async answer(url: string, body: string): Promise<Answer> {
    const [scheme, id = "", what] = url.split(":");
    if (scheme !== SCHEME) {
      const nonce = nonceOf(body);
      const line = this.#nonces.get(nonce);
      this.#nonces.delete(nonce);
      const { status, headers, text } = await known(line).post(url, body);
      return { status, headers: Object.fromEntries(headers), data: text };
    }

    const line = known(this.#lines.get(id));
    if (what === "directory") {
      const resources = { ...line.directory.resources, newNonce: `${SCHEME}:${id}:nonce` };
      return { status: 200, headers: {}, data: JSON.stringify(resources) };
    }
    const nonce = await line.nonce();
    this.#nonces.set(nonce, line);
    return { status: 200, headers: { "replay-nonce": nonce }, data: "" };
  }
}

function known(line: Line | undefined): Line {
  if (line === undefined) throw new AcmeFailure("nobody waits any more");
  return line;
}

/** From the protected header of what was signed (RFC 8555 section 6.5.2). */
function nonceOf(body: string): string {
  const header = textOf(member(parsed(body), "protected")) ?? "";
  try {
    return textOf(member(parsed(atob(header.replace(/-/g, "+").replace(/_/g, "/"))), "nonce")) ??
      "";
  } catch {
    return "";
  }
}
