/** A request body with an upper bound. Counts as it passes; holds nothing. */
import type { ByteSource } from "../model.ts";

export interface BoundedBody extends ByteSource {
  /** More came than was allowed; the body ended there with an error. */
  readonly exceeded: boolean;
  readonly readBytes: number;
  /** Lowers the bound; a higher one than before changes nothing. */
  limit(bytes: number): void;
}

export function bounded(source: ByteSource, limitBytes: number): BoundedBody {
  let readBytes = 0;
  let mostBytes = limitBytes;
  return {
    lengthBytes: source.lengthBytes,
    get exceeded() {
      return readBytes > mostBytes;
    },
    get readBytes() {
      return readBytes;
    },
    limit(bytes) {
      mostBytes = Math.min(mostBytes, bytes);
    },
    async read() {
      const chunk = await source.read();
      readBytes += chunk?.length ?? 0;
      if (readBytes > mostBytes) throw new RangeError(`Request body is over ${mostBytes} bytes`);
      return chunk;
    },
    get trailers() {
      return source.trailers;
    },
    cancel: () => source.cancel(),
  };
}
