/**
 * Tells the service manager how we are (sd_notify(3)): one datagram to the socket that it names. No
 * runtime sends datagrams to unix sockets, so the C library does, called by each in its own way.
 */
import process from "node:process";

/** The C library, under the name that glibc has on every Linux. */
export const LIBC = "libc.so.6";

const AF_UNIX = 1;
/** SOCK_DGRAM | SOCK_CLOEXEC; alike on x64 and arm64, as is the next. */
const DATAGRAM = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Three calls of the C library, in the types that JavaScript has. */
export interface SocketCalls {
  socket(family: number, type: number, protocol: number): number;
  sendto(fd: number, bytes: Uint8Array, flags: number, address: Uint8Array): void;
  close(fd: number): number;
}

/** Sends one message a call. Where no manager listens, or no C library is found, nothing happens. */
export function supervisorTeller(load: () => SocketCalls): (message: string) => void {
  let calls: SocketCalls | undefined;
  return (message) => {
    const path = process.env["NOTIFY_SOCKET"];
    if (path === undefined || !/^[/@]./.test(path)) return;
    try {
      calls ??= load();
      const fd = calls.socket(AF_UNIX, DATAGRAM, 0);
      if (fd < 0) return;
      calls.sendto(fd, new TextEncoder().encode(message), MSG_NOSIGNAL, socketAddress(path));
      calls.close(fd);
    } catch {
      // Without glibc there is no way to tell, and no manager that would listen.
    }
  };
}

/** A `struct sockaddr_un`. A leading `@` stands for the NUL of an abstract address. */
export function socketAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`);
  const bytes = new Uint8Array(2 + name.length);
  bytes[0] = AF_UNIX;
  bytes.set(name, 2);
  return bytes;
}
