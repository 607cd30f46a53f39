/** What the service manager is told: the address of its socket, byte by byte, and a datagram that arrives. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { platform } from "#platform";
import {
  socketAddress,
  type SocketCalls,
  supervisorTeller,
} from "../../src/platform/supervisor.ts";

const FAMILY = [1, 0];
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** Sets the socket for as long as `work` takes. */
async function withSocket(path: string | undefined, work: () => Promise<void> | void) {
  const before = process.env["NOTIFY_SOCKET"];
  if (path === undefined) delete process.env["NOTIFY_SOCKET"];
  else process.env["NOTIFY_SOCKET"] = path;
  try {
    await work();
  } finally {
    if (before === undefined) delete process.env["NOTIFY_SOCKET"];
    else process.env["NOTIFY_SOCKET"] = before;
  }
}

describe("socketAddress()", () => {
  it("ends a path with NUL, and begins an abstract name with it", () => {
    assert.deepEqual([...socketAddress("/run/n")], [...FAMILY, ...bytesOf("/run/n"), 0]);
    assert.deepEqual([...socketAddress("@name")], [...FAMILY, 0, ...bytesOf("name")]);
  });
});

describe("supervisorTeller()", () => {
  const calls = (fd: number, told: string[]): SocketCalls => ({
    socket: () => fd,
    sendto: (_fd, bytes) => void told.push(new TextDecoder().decode(bytes)),
    close: (closed) => told.push(`close ${closed}`),
  });

  it("sends and closes when a manager listens", async () => {
    const told: string[] = [];
    await withSocket("/run/n", () => supervisorTeller(() => calls(7, told))("READY=1"));
    assert.deepEqual(told, ["READY=1", "close 7"]);
  });

  it("does nothing when there is no manager, no socket, or no C library", async () => {
    const told: string[] = [];
    const teller = supervisorTeller(() => calls(7, told));
    await withSocket(undefined, () => teller("READY=1"));
    await withSocket("relative", () => teller("READY=1"));
    await withSocket("/run/n", () => supervisorTeller(() => calls(-1, told))("READY=1"));
    await withSocket("/run/n", () =>
      supervisorTeller(() => {
        throw new Error("no such library");
      })("READY=1"));
    assert.deepEqual(told, []);
  });
});

// No runtime receives datagrams on a unix socket either.
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1]); s.settimeout(10); print("bound", flush=True)
print(s.recv(1000).decode(), flush=True)
`;

describe("tellSupervisor()", () => {
  it("reaches a real socket when NOTIFY_SOCKET names one", { timeout: 20_000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "understudy-notify-"));
    const path = join(folder, "notify");
    const receiver = spawn("python3", ["-c", RECEIVER, path], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const missing = new Promise<boolean>((resolve) => {
        receiver.once("error", () => resolve(true));
        receiver.once("spawn", () => resolve(false));
      });
      if (await missing) return t.skip("python3 is missing");
      let heard = "";
      for await (const text of receiver.stdout.setEncoding("utf8")) {
        heard += text;
        if (heard === "bound\n") {
          await withSocket(path, () => platform.tellSupervisor("READY=1\nSTATUS=here"));
        }
      }
      assert.equal(heard, "bound\nREADY=1\nSTATUS=here\n");
    } finally {
      receiver.kill();
      await rm(folder, { recursive: true });
    }
  });
});
