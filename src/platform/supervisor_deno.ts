/** The C library's sockets as Deno calls them. */
import { LIBC, supervisorTeller } from "./supervisor.ts";

export const tellSupervisor = supervisorTeller(() => {
  const { symbols } = Deno.dlopen(LIBC, {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  return {
    socket: (family, type, protocol) => symbols.socket(family, type, protocol),
    sendto: (fd, bytes, flags, address) =>
      void symbols.sendto(
        fd,
        copied(bytes),
        BigInt(bytes.length),
        flags,
        copied(address),
        address.length,
      ),
    close: (fd) => symbols.close(fd),
  };
});

/** On memory of its own, as the types of `dlopen` ask for. */
function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
