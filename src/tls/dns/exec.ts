/** Records kept by whoever the operator's own program knows: it is called with what to do, a name and a value. */
import type { Platform } from "../../platform/platform.ts";
import { tamed } from "../json.ts";
import { DnsError, type DnsRecord, type DnsWriter } from "./writer.ts";

/** For one call, in milliseconds. */
const TIMEOUT_MS = 120_000;

export class Exec implements DnsWriter {
  readonly restMs = 0;
  readonly #command: readonly string[];
  readonly #runProgram: Platform["runProgram"];

  constructor(command: readonly string[], runProgram: Platform["runProgram"]) {
    this.#command = command;
    this.#runProgram = runProgram;
  }

  slot(): undefined {
    return undefined;
  }

  async present(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    for (const record of records) await this.#call("present", record, signal);
  }

  async cleanup(records: readonly DnsRecord[], signal: AbortSignal): Promise<void> {
    for (const record of records) await this.#call("cleanup", record, signal);
  }

  async #call(
    action: "present" | "cleanup",
    { name, value }: DnsRecord,
    signal: AbortSignal,
  ): Promise<void> {
    const [file = "", ...args] = this.#command;
    const env = {
      UNDERSTUDY_DNS_ACTION: action,
      UNDERSTUDY_DNS_NAME: name,
      UNDERSTUDY_DNS_VALUE: value,
    };
    const options = { env, timeoutMs: TIMEOUT_MS, signal };
    const { code, stderr } = await this.#runProgram(file, [...args, action, name, value], options);
    if (code === 0) return;
    const [said = ""] = stderr.trim().split("\n");
    const words = said === "" ? "" : `: ${tamed(said)}`;
    throw new DnsError(`"${file}" ended with code ${code} on "${action} ${name}"${words}`);
  }
}
