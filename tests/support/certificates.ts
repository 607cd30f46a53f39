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
  /** Where `ca.pem` is, and whatever a test puts beside it. */
  readonly folder: string;
  /** What its own files are called, before their ending. */
  readonly #name: string;
  #issued = 0;

  private constructor(folder: string, name: string) {
    this.folder = folder;
    this.#name = name;
    this.certificate = this.#read(`${name}.pem`);
  }

  static async open(): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), "understudy-ca-"));
    openssl(folder, [
      ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", "/CN=Test authority"],
      ...["-keyout", "ca.key", "-out", "ca.pem"],
    ]);
    return new Authority(folder, "ca");
  }

  /** A certificate for these names: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(...names: string[]): Pair {
    const name = `issued-${this.#name === "ca" ? "" : `${this.#name}-`}${this.#issued++}`;
    this.#sign(
      name,
      name,
      `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth,clientAuth`,
    );
    return { chain: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) };
  }

  /** An authority that this one vouches for. Its files go with this one's. */
  under(commonName: string): Authority {
    const name = "inner";
    this.#sign(name, commonName, "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign");
    return new Authority(this.folder, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  #sign(name: string, commonName: string, extensions: string): void {
    const own = this.#name;
    writeFileSync(join(this.folder, `${name}.ext`), `${extensions}\n`);
    openssl(this.folder, [
      ...["req", ...NEW_KEY, "-subj", `/CN=${commonName}`],
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
    openssl(this.folder, [
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", `${own}.pem`, "-CAkey", `${own}.key`],
      ...["-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`],
    ]);
  }

  #read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }
}

function openssl(cwd: string, args: readonly string[]): void {
  execFileSync("openssl", args, { cwd, stdio: "ignore" });
}
