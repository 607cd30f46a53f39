/**
 * The stand-in as a process of its own, behind the hidden command `understudy stand-in`: arguments
 * in, a listening server and one line of output back. Killing it is then as real as it gets.
 */
import { spellAddress } from "../address.ts";
import type { Address } from "../rules.ts";
import type { HttpServer, Platform } from "../platform/platform.ts";
import { durationMs } from "./duration.ts";
import type { OllamaOptions } from "./machine.ts";
import { createOllama } from "./ollama.ts";

export interface StandInOptions extends OllamaOptions {
  readonly address: Address;
}

export type StandInArgs =
  | { readonly kind: "parsed"; readonly options: StandInOptions }
  | { readonly kind: "refused"; readonly problem: string };

/** Serves a stand-in and says where, which is the sign to whoever started it that it is ready. */
export async function runStandIn(
  platform: Pick<Platform, "clock" | "serve" | "stdout">,
  { address, ...options }: StandInOptions,
): Promise<HttpServer> {
  const app = createOllama(options, platform.clock);
  const server = await platform.serve(address, async (request) => await app.fetch(request));
  platform.stdout.write(`stand-in ${options.name} listening on ${locate(server.address)}\n`);
  return server;
}

/** Reads `--name gpu --port 0 --models a,b …`; `--port=0` is understood too. */
export function parseStandInArgs(args: readonly string[]): StandInArgs {
  const settings = {
    name: "stand-in",
    host: "127.0.0.1",
    port: 0,
    models: ["llama3.2"],
    tokenEveryMs: 20,
    tokens: 40,
    loadDelayMs: 0,
  };
  const flags = args.flatMap((arg) => /^--[\w-]+=/.test(arg) ? splitOnce(arg) : [arg]);

  for (let at = 0; at < flags.length; at += 2) {
    const flag = flags[at] ?? "";
    const text = flags[at + 1];
    if (text === undefined) return refused(flag, "expected a value");
    switch (flag) {
      case "--name":
      case "--host":
        if (text === "") return refused(flag, "expected a name", text);
        settings[flag === "--name" ? "name" : "host"] = text;
        break;
      case "--models":
        settings.models = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
        break;
      case "--port":
      case "--tokens": {
        const max = flag === "--port" ? 65_535 : 1_000_000;
        if (!/^\d{1,7}$/.test(text) || Number(text) > max) {
          return refused(flag, `expected a number from 0 to ${max}`, text);
        }
        settings[flag === "--port" ? "port" : "tokens"] = Number(text);
        break;
      }
      case "--token-every":
      case "--load-delay": {
        const ms = /^\d+$/.test(text) ? Number(text) : durationMs(text);
        if (ms === undefined || ms < 0) {
          return refused(flag, 'expected a duration such as "20ms"', text);
        }
        settings[flag === "--token-every" ? "tokenEveryMs" : "loadDelayMs"] = ms;
        break;
      }
      default:
        return refused(flag, "unknown argument");
    }
  }

  const { host, port, ...options } = settings;
  return { kind: "parsed", options: { ...options, address: { kind: "tcp", host, port } } };
}

function refused(flag: string, rule: string, received?: string): StandInArgs {
  const value = received === undefined ? "" : ` but received "${received}"`;
  return { kind: "refused", problem: `stand-in: ${flag}: ${rule}${value}` };
}

function splitOnce(arg: string): string[] {
  const at = arg.indexOf("=");
  return [arg.slice(0, at), arg.slice(at + 1)];
}

function locate(address: Address): string {
  return `${address.kind === "unix" ? "" : "http://"}${spellAddress(address)}`;
}
