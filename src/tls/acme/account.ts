/**
 * Our account with an authority: made once for each directory, address and binding, kept in the store, and
 * made anew where the authority has forgotten it. Its key stays the same.
 */
import type { AcmeRules } from "../../tls_rules.ts";
import type { Store } from "../issuer.ts";
import { parsed, textIn } from "../json.ts";
import { nameOf } from "./directory.ts";
import type { Client } from "./library.ts";
import { AcmeFailure, NO_SUCH_ACCOUNT } from "./problem.ts";
import type { Talk } from "./talk.ts";

/** What is kept. */
interface Account {
  /** PEM. */
  readonly key: string;
  /** Empty until the authority has given one. */
  readonly url: string;
}

export class Accounts {
  readonly #rules: AcmeRules;
  readonly #store: () => Promise<Store>;

  constructor(rules: AcmeRules, store: () => Promise<Store>) {
    this.#rules = rules;
    this.#store = store;
  }

  /** Does something with our account, once more with a new one where the authority knows it no longer. */
  async use<T>(talk: Talk, work: (client: Client) => Promise<T>): Promise<T> {
    const { account, client } = await this.#opened(talk, undefined);
    try {
      return await work(client);
    } catch (error) {
      if (!(error instanceof AcmeFailure) || error.type !== NO_SUCH_ACCOUNT) throw error;
      return await work((await this.#opened(talk, account.url)).client);
    }
  }

  /** `forgotten` is the URL that the authority does not know. */
  async #opened(
    talk: Talk,
    forgotten: string | undefined,
  ): Promise<{ readonly account: Account; readonly client: Client }> {
    const path = await this.#path();
    const store = await this.#store();
    // Two that begin at once shall not make two accounts; the second finds what the first has made.
    const account = await store.exclusively(path, talk.signal, async () => {
      const kept = readAccount(await store.read(path));
      if (kept !== undefined && kept.url !== "" && kept.url !== forgotten) return kept;
      const keep = (made: Account): Promise<void> => store.write(path, this.#spelled(made));
      return await this.#made(talk, kept?.key, keep);
    });
    return { account, client: talk.client(account) };
  }

  async #made(
    talk: Talk,
    keptKey: string | undefined,
    keep: (account: Account) => Promise<void>,
  ): Promise<Account> {
    const { email, binding } = this.#rules;
    const key = keptKey ?? String(await talk.acme.crypto.createPrivateEcdsaKey("P-256"));
    // Before the authority hears of it, so that an account whose URL gets lost is found by its key.
    await keep({ key, url: "" });
    const client = talk.client({ key, binding });
    if (keptKey === undefined || !await isKnown(talk, client)) {
      const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
      await talk.ask(() => client.createAccount({ termsOfServiceAgreed: true, ...contact }));
    }
    const account = { key, url: client.getAccountUrl() };
    await keep(account);
    return account;
  }

  #spelled(account: Account): string {
    const { directory, email } = this.#rules;
    return `${JSON.stringify({ directory, email, ...account }, null, 2)}\n`;
  }

  async #path(): Promise<string> {
    const { directory, email, binding } = this.#rules;
    const whose = JSON.stringify([directory, email ?? "", binding?.keyId ?? ""]);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(whose));
    const short = [...new Uint8Array(digest, 0, 6)].map((byte) =>
      byte.toString(16).padStart(2, "0")
    );
    return `acme/${nameOf(directory)}/account-${short.join("")}.json`;
  }
}

/** Whether the authority has an account for the client's key; the client knows its URL then. */
async function isKnown(talk: Talk, client: Client): Promise<boolean> {
  try {
    await talk.ask(() => client.createAccount({ onlyReturnExisting: true }));
    return true;
  } catch (error) {
    if (error instanceof AcmeFailure && error.type === NO_SUCH_ACCOUNT) return false;
    throw error;
  }
}

/** Undefined where nothing of use was kept. */
function readAccount(text: string | undefined): Account | undefined {
  const value = parsed(text ?? "");
  const key = textIn(value, "key");
  return key.includes("PRIVATE KEY") ? { key, url: textIn(value, "url") } : undefined;
}
