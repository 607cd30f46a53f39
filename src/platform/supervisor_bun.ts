/// <reference types="bun" />
/** The C library's sockets as Bun calls them. */
import { dlopen, FFIType } from "bun:ffi";
import { LIBC, supervisorTeller } from "./supervisor.ts";

const { i32, i64, u32, u64, ptr } = FFIType;

export const tellSupervisor = supervisorTeller(() => {
  const { symbols } = dlopen(LIBC, {
    socket: { args: [i32, i32, i32], returns: i32 },
    sendto: { args: [i32, ptr, u64, i32, ptr, u32], returns: i64 },
    close: { args: [i32], returns: i32 },
  });
  return {
    socket: (family, type, protocol) => symbols.socket(family, type, protocol),
    sendto: (fd, bytes, flags, address) =>
      void symbols.sendto(fd, bytes, bytes.length, flags, address, address.length),
    close: (fd) => symbols.close(fd),
  };
});
