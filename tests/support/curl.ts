/** Programs that are clients of TLS in their own right: curl and openssl, run to their end. */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";

export interface Ran {
  /** 0 is fine; curl(1) and openssl-s_client(1) tell of others. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, `stdin` closed behind what it is given. */
export function ran(
  program: string,
  args: readonly string[],
  stdin: string | Uint8Array = "",
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    const parts: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (bytes: Buffer) => parts.push(bytes));
    child.stderr.on("data", (bytes: Buffer) => stderr += bytes);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: Buffer.concat(parts), stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
  });
}

export interface CurlOptions {
  /** Authorities it trusts, as a path; none takes the system's. */
  readonly ca?: string;
  /** Where every host is, whatever its name. */
  readonly port: number;
  /** Further arguments, such as `--http2`. */
  readonly args?: readonly string[];
}

export interface Curled {
  readonly code: number | null;
  readonly status: number;
  /** "1.1", "2". */
  readonly version: string;
  readonly body: Buffer;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly stderr: string;
}

/** Asks for a URL whose host is on this machine, at that port. */
export async function curl(url: string, { ca, port, args = [] }: CurlOptions): Promise<Curled> {
  const marked = "\n%{stderr}%{http_code} %{http_version}\n";
  const { code, stdout, stderr } = await ran("curl", [
    ...["--silent", "--show-error", "--include", "--max-time", "20", "--write-out", marked],
    ...["--connect-to", `::127.0.0.1:${port}`],
    ...(ca === undefined ? [] : ["--cacert", ca]),
    ...args,
    url,
  ]);
  const [, status = "0", version = ""] = /(\d{3}) (\S*)\n$/.exec(stderr) ?? [];
  const end = stdout.indexOf("\r\n\r\n");
  const [, ...lines] = stdout.subarray(0, Math.max(end, 0)).toString("latin1").split("\r\n");
  return {
    code,
    status: Number(status),
    version,
    body: stdout.subarray(end + 4, stdout.length - 1),
    fields: lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
    stderr,
  };
}

export function field({ fields }: Curled, name: string): string | undefined {
  return fields.find(([known]) => known === name)?.[1];
}

/** What `openssl s_client` says of a handshake, and of what follows `sent`. */
export async function handshake(
  port: number,
  args: readonly string[],
  sent = "",
): Promise<{ readonly code: number | null; readonly said: string }> {
  const { code, stdout, stderr } = await ran(
    "openssl",
    ["s_client", "-connect", `127.0.0.1:${port}`, ...args],
    sent,
  );
  return { code, said: `${stdout.toString("latin1")}\n${stderr}` };
}
