/**
 * Certificates made on the spot by openssl: an authority, and what it signs for upstreams and for
 * clients. Gone with their folder at the end of their scope.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pair {
  /** PEM. */
  readonly chain: string;
  readonly key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** An authority that nobody trusts by itself. */
export class Authority implements AsyncDisposable {
  readonly certificate: string;
  readonly #folder: string;
  #issued = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#openssl([
      ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", "/CN=Test authority"],
      ...["-keyout", "ca.key", "-out", "ca.pem"],
    ]);
    this.certificate = this.#read("ca.pem");
  }

  static async open(): Promise<Authority> {
    return new Authority(await mkdtemp(join(tmpdir(), "understudy-ca-")));
  }

  /** A certificate for these names: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(...names: string[]): Pair {
    const name = `issued-${this.#issued++}`;
    writeFileSync(
      join(this.#folder, `${name}.ext`),
      `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth,clientAuth\n`,
    );
    this.#openssl([
      ...["req", ...NEW_KEY, "-subj", `/CN=${name}`],
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
    this.#openssl([
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key"],
      ...["-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`],
    ]);
    return { chain: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #openssl(args: readonly string[]): void {
    execFileSync("openssl", args, { cwd: this.#folder, stdio: "ignore" });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8");
  }
}
