/** Bytes that are at hand, as the source that bodies are read from. */
import type { ByteSource } from "./model.ts";

/** Gives all of the bytes at once, then ends. There must be some, as a source never gives an empty piece. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  let unread: Uint8Array | undefined = bytes;
  return {
    lengthBytes: bytes.length,
    read() {
      const chunk = unread;
      unread = undefined;
      return chunk;
    },
    cancel: () => (unread = undefined),
  };
}
