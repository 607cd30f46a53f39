/**
 * Memory stays flat whatever the size of a body and however slow its reader is. Sampled from /proc
 * while 2 GiB pass each way through the subject.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { configFor } from "../support/commands.ts";
import { Child, subject, Understudy } from "../support/processes.ts";
import { ask } from "../support/streams.ts";

const MIB = 1024 ** 2;
const BODY_BYTES = Number(process.env["MEMORY_MIB"] ?? 2048) * MIB;
/**
 * Deno's sockets read into buffers outside of V8's heap, which it collects late: fast transfers leave up to
 * 400 MiB resident, however long they go on (ten times 1 GiB, no further growth). docs/limits.md says so;
 * growing with the body is what it must not do either.
 */
const GROWTH_MAX_BYTES = (subject.name === "deno" ? 512 : 64) * MIB;
const SLOW_BYTES_PER_SECOND = MIB;
const SLOW_SECONDS = 4;
const SAMPLE_MS = 25;
const BLOCK = Buffer.alloc(64 * 1024, "y");

const noProc = process.platform === "linux" ? false : "resident memory is read from /proc";

/** Runs `work` and returns by how many bytes the proxy's memory grew meanwhile, at the most. */
async function growth(proxy: Understudy, work: () => Promise<void>): Promise<number> {
  const before = await proxy.residentBytes();
  let most = before;
  const sample = async () => (most = Math.max(most, await proxy.residentBytes()));
  const timer = setInterval(() => void sample(), SAMPLE_MS);
  try {
    await work();
    await sample();
  } finally {
    clearInterval(timer);
  }
  return most - before;
}

interface Bench extends AsyncDisposable {
  readonly proxy: Understudy;
}

async function open(): Promise<Bench> {
  const script = new URL("../support/bulk_upstream.ts", import.meta.url).pathname;
  const upstream = new Child(["node_modules/.bin/bun", script]);
  await upstream.until(() => upstream.stdout.includes("listening on"));
  const port = /listening on (\d+)/.exec(upstream.stdout)?.[1];
  const proxy = await Understudy.start(subject, configFor(`http://127.0.0.1:${port}`));
  // What every process takes once: code of both directions, buffers, the first collection.
  for (let count = 0; count < 20; count++) {
    await ask(proxy.port, `/down?bytes=${MIB}`);
    await ask(proxy.port, { path: "/up", method: "POST", body: "y".repeat(MIB) });
  }
  return {
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Reads an answer to its end and returns the bytes of its body, chunk sizes and all. */
function download(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let got = 0;
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /down?bytes=${bytes} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    socket.on("data", (data: Buffer) => {
      got += data.length;
      // The last chunk, or with a length the last byte.
      if (got >= bytes && endsBody(data)) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(got));
  });
}

function endsBody(data: Buffer): boolean {
  const end = data.subarray(-5).toString("latin1");
  return end === "0\r\n\r\n" || end.endsWith("x");
}

/** Sends a body of that length and returns the answer's text. */
function upload(port: number, bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.write(uploadHead(bytes));
    socket.on("data", (data: Buffer) => (text += data.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    pour(socket, bytes);
  });
}

function uploadHead(bytes: number): string {
  return `POST /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`;
}

function pour(socket: Socket, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
      left -= block.length;
      if (!socket.write(block)) return void socket.once("drain", more);
    }
  };
  more();
}

/** Reads for some seconds at a slow pace what could come by the gigabyte. Returns the bytes read. */
function sip(port: number): Promise<number> {
  return new Promise((resolve) => {
    let got = 0;
    let allowance = 0;
    let slices = SLOW_SECONDS * 20;
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET /down?bytes=${BODY_BYTES} HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.on("data", (data: Buffer) => {
      got += data.length;
      allowance -= data.length;
      if (allowance <= 0) socket.pause();
    });
    socket.on("error", () => {});
    const timer = setInterval(() => {
      allowance = SLOW_BYTES_PER_SECOND / 20;
      socket.resume();
      if (--slices > 0) return;
      clearInterval(timer);
      socket.destroy();
      resolve(got);
    }, 50);
  });
}

/** Offers gigabytes for some seconds to an upstream that reads slowly. Returns the bytes it was rid of. */
function press(port: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const path = `/up?rate=${SLOW_BYTES_PER_SECOND}`;
    socket.write(uploadHead(BODY_BYTES).replace("/up", path));
    socket.on("error", () => {});
    pour(socket, BODY_BYTES);
    setTimeout(() => {
      const sent = socket.bytesWritten - socket.writableLength;
      socket.destroy();
      resolve(sent);
    }, SLOW_SECONDS * 1000);
  });
}

const cases: readonly [string, (port: number) => Promise<void>][] = [
  [`a download of ${BODY_BYTES / MIB} MiB passes`, async (port) => {
    assert.ok((await download(port, BODY_BYTES)) >= BODY_BYTES, "The download was cut");
  }],
  [`an upload of ${BODY_BYTES / MIB} MiB passes`, async (port) => {
    assert.equal(
      (await upload(port, BODY_BYTES)).split("\r\n").at(-1),
      String(BODY_BYTES),
    );
  }],
  ["a client reads 1 MiB a second of a large answer", async (port) => {
    assert.ok((await sip(port)) > MIB);
  }],
  ["an upstream reads 1 MiB a second of a large upload", async (port) => {
    assert.ok((await press(port)) > MIB);
  }],
];

describe(`memory of understudy (${subject.name})`, () => {
  for (const [title, work] of cases) {
    it(`grows by less than ${GROWTH_MAX_BYTES / MIB} MiB when ${title}`, {
      timeout: 120_000,
      skip: noProc,
    }, async () => {
      await using bench = await open();
      const grown = await growth(bench.proxy, () => work(bench.proxy.port));
      console.log(`${subject.name}: ${(grown / MIB).toFixed(1)} MiB when ${title}`);
      assert.ok(grown < GROWTH_MAX_BYTES, `It grew by ${grown / MIB} MiB`);
    });
  }
});
