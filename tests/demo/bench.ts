/**
 * One stand-in on the bench: the app, its clock, and short ways to ask it without a socket.
 */
import type { Hono } from "hono";
import type { OllamaOptions } from "../../src/demo/machine.ts";
import { createOllama } from "../../src/demo/ollama.ts";
import { LeapClock } from "./leap_clock.ts";

export const OPTIONS: OllamaOptions = {
  name: "gpu",
  models: ["llama3.2", "all-minilm:33m"],
  tokenEveryMs: 20,
  tokens: 5,
  loadDelayMs: 0,
};

export interface Bench {
  readonly app: Hono;
  readonly clock: LeapClock;
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  readonly get: (path: string) => Promise<Response>;
  /** The body of a GET as untyped JSON. */
  readonly read: (path: string) => Promise<unknown>;
}

export function bench(changes: Partial<OllamaOptions> = {}): Bench {
  const clock = new LeapClock();
  const app = createOllama({ ...OPTIONS, ...changes }, clock);
  const get = async (path: string) => await app.request(path);
  return {
    app,
    clock,
    post: async (path, body, init = {}) =>
      await app.request(path, { ...init, method: "POST", body: JSON.stringify(body) }),
    get,
    read: async (path) => JSON.parse(await (await get(path)).text()),
  };
}
