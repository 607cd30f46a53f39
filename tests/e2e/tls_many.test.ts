/**
 * Very many of what TLS has to keep: connections one after the other, handshakes that come to nothing, and
 * names. What is over leaves nothing behind, in memory or among the open files.
 */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { connect } from "node:tls";
import { Authority, type Pair } from "../support/certificates.ts";
import { handshake } from "../support/curl.ts";
import { Understudy, wireSubjects } from "../support/processes.ts";

const MIB = 1024 ** 2;
/** Of the resident memory, once it is warm. Deno's sockets are collected late, see docs/limits.md. */
const GROWTH_MAX_BYTES = { bun: 64 * MIB, binary: 64 * MIB, deno: 160 * MIB };
const AT_ONCE = 32;
const NAMES = 1000;

const noProc = process.platform === "linux" ? false : "what is open is read from /proc";

for (const subject of wireSubjects) {
  describe(`TLS for very many (${subject.name})`, { skip: noProc, timeout: 120_000 }, () => {
    let authority: Authority;
    let pair: Pair;
    const at = (name: string) => join(authority.folder, name);

    before(async () => {
      authority = await Authority.open();
      pair = authority.issue("DNS:*.a.example");
    });

    after(() => authority[Symbol.asyncDispose]());

    async function started(routes: string): Promise<Understudy> {
      await mkdir(at("pairs"), { recursive: true });
      await writeFile(at("pairs/pair.pem"), pair.chain);
      await writeFile(at("pairs/pair.key"), pair.key);
      return await Understudy.start(subject, configOf(routes), { engine: "wire" });
    }

    const configOf = (routes: string) => `
listen: "127.0.0.1:0"
admin: off
tls: { cert: "${at("pairs/pair.pem")}", key: "${at("pairs/pair.key")}" }
routes:
${routes}
`;
    const route = (host: string, more = "") =>
      `  - { host: ${host}, steps: [{ respond: hello }]${more} }`;

    async function leavesNothing(proxy: Understudy, round: () => Promise<void>): Promise<void> {
      // Memory goes up and down with the collections, so that only its lows can be compared.
      const low = async () => {
        const seen: number[] = [];
        for (let rounds = 0; rounds < 3; rounds++) {
          await round();
          seen.push(await proxy.residentBytes());
        }
        return Math.min(...seen);
      };
      // What every process takes once: code, buffers, the first collections.
      for (let rounds = 0; rounds < 2; rounds++) await round();
      const [before, files] = [await low(), await openFiles(proxy)];
      const grown = await low() - before;
      assert.ok(grown < GROWTH_MAX_BYTES[subject.name], `${grown / MIB} MiB more`);
      // Clients that have gone may not have been noticed yet; the test's own time bounds that.
      while (await openFiles(proxy) > files + AT_ONCE) await asked(proxy.port);
    }

    it("lets connections and handshakes that are over leave nothing behind", async () => {
      await using proxy = await started(route("x.a.example"));
      const round = async () => {
        await many(500, () => asked(proxy.port));
        await many(100, () => leftAmid(proxy.port, new Uint8Array([22, 3, 1, 1])));
        await many(
          300,
          () => leftAmid(proxy.port, new TextEncoder().encode("\x16\x03\x01 nonsense")),
        );
      };
      await leavesNothing(proxy, round);
    });

    it(`takes over ${NAMES} names, and lets go of them`, async () => {
      const all = Array.from({ length: NAMES }, (_, one) => `n${one}.a.example`);
      const own = `, tls: { cert: "${at("pairs/pair.pem")}", key: "${at("pairs/pair.key")}" }`;
      await using proxy = await started(route("x.a.example"));
      let reloads = 0;
      const reloaded = async (routes: string[]) => {
        reloads++;
        await proxy.rewrite(configOf(routes.join("\n")));
        const count = () => proxy.lines.filter(({ msg }) => msg === "config.reloaded").length;
        await proxy.until(() => count() === reloads, 20_000, "a reload");
        const name = all.at(-1) ?? "";
        const { said } = await handshake(proxy.port, ["-ign_eof", "-servername", name], asks(name));
        assert.match(said, routes.length > 1 ? /HTTP\/1\.1 200/ : /HTTP\/1\.1 404/);
      };
      const round = async () => {
        await reloaded([route("x.a.example"), ...all.map((name) => route(name, own))]);
        await reloaded([route("x.a.example")]);
      };
      await leavesNothing(proxy, round);
    });
  });
}

const asks = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

async function many(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** A request over a connection of its own. */
function asked(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ port, host: "127.0.0.1", servername: "x.a.example", rejectUnauthorized: false },
    });
    let got = "";
    socket.on("data", (bytes: Uint8Array) => got += String(bytes));
    socket.on("error", reject);
    socket.on("close", () => /^HTTP\/1.1 200/.test(got) ? resolve() : reject(new Error(got)));
    socket.write(asks("x.a.example"));
  });
}

/** Says something and goes. */
function leftAmid(port: number, says: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectPlain({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.write(says, () => socket.destroy());
  });
}

async function openFiles({ pid }: Understudy): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
