/**
 * The page's one way to the process: requests with the token where there is one, and the stream of
 * events. Read by `fetch`, as `EventSource` sends no token and tells no status.
 *
 * @typedef {import("../../status.ts").Events} Events
 * @typedef {{ [Name in keyof Events]: { name: Name, data: Events[Name] } }[keyof Events]} Heard
 */

const TOKEN_KEY = "understudy.token";
/** A summary comes each second; after this much silence the connection is dead. */
const SILENCE_MAX_MS = 4000;

/** The process wants a token, or another one. */
export class Unauthorised extends Error {}

/** The process answered, and refused. */
export class Refused extends Error {}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

/** Whether a token was given that was then refused. */
export function forgetToken() {
  const had = sessionStorage.getItem(TOKEN_KEY) !== null;
  sessionStorage.removeItem(TOKEN_KEY);
  return had;
}

/**
 * Asks the process. Throws `Unauthorised`, `Refused` with its words, or what `fetch` throws.
 * @param {string} path relative to the page
 * @param {RequestInit} [init]
 */
export async function call(path, init = {}) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  /** @type {Record<string, string>} */
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...init, headers, cache: "no-store" });
  if (response.ok) return response;
  if (response.status === 401) throw new Unauthorised("A token is wanted");
  const { error } = await response.json().catch(() => ({ error: undefined }));
  throw new Refused(error ?? `It answered ${response.status}`);
}

/**
 * Hears events until the connection ends or falls silent, which is the only way it settles.
 * @param {Response} response
 * @param {AbortController} ending ends the request
 * @param {(heard: Heard) => void} hear
 */
export async function listen(response, ending, hear) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let text = "";
  let timer = setTimeout(() => ending.abort(), SILENCE_MAX_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => ending.abort(), SILENCE_MAX_MS);
      const blocks = (text + value).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const heard = parsed(block);
        if (heard !== undefined) hear(heard);
      }
    }
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

/**
 * One event of the stream; undefined for a comment.
 * @param {string} block
 * @returns {Heard | undefined}
 */
export function parsed(block) {
  let name = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data += line.slice(5).trim();
  }
  return name === "" || data === ""
    ? undefined
    : /** @type {Heard} */ ({ name, data: JSON.parse(data) });
}
