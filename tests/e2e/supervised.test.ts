/** What systemd would hear of a real process: that it serves, that it lives, that it ends. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { configFor, folder, NOWHERE } from "../support/commands.ts";
import { Child, subjects, Understudy } from "../support/processes.ts";

/** Prints each datagram in one line, as no runtime receives any on a unix socket. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: print(s.recv(1000).decode().replace(chr(10), " "), flush=True)
`;
const python = spawnSync("python3", ["--version"]).error === undefined;

for (const subject of subjects) {
  describe(`a service (${subject.name})`, { skip: !python && "python3 is missing" }, () => {
    it("tells that it serves, lives and ends", { timeout: 30_000 }, async () => {
      await using place = await folder();
      const socket = join(place.path, "notify");
      await using receiver = new Child(["python3", "-c", RECEIVER, socket]);
      await receiver.until(() => receiver.stdout.includes("bound"));
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" };
      await using proxy = await Understudy.start(subject, configFor(NOWHERE, "admin: off"), {
        env,
      });
      await receiver.until(() => receiver.stdout.includes("WATCHDOG=1\nWATCHDOG=1\n"));
      assert.ok(receiver.stdout.startsWith(`bound\nREADY=1 STATUS=Serving ${proxy.url}\n`));

      proxy.kill("SIGTERM");
      assert.deepEqual(await proxy.exited, { code: 0, signal: null });
      await receiver.until(() =>
        receiver.stdout.includes("STOPPING=1 STATUS=Waiting for 0 running requests\n")
      );
    });
  });
}
