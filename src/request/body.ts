/** A request body with an upper bound. Counts as it passes; holds nothing. */
import type { ByteSource } from "../model.ts";

export interface BoundedBody extends ByteSource {
  /** More came than was allowed; the body ended there with an error. */
  readonly exceeded: boolean;
  readonly readBytes: number;
}

export function bounded(source: ByteSource, limitBytes: number): BoundedBody {
  let readBytes = 0;
  return {
    lengthBytes: source.lengthBytes,
    get exceeded() {
      return readBytes > limitBytes;
    },
    get readBytes() {
      return readBytes;
    },
    async read() {
      const chunk = await source.read();
      readBytes += chunk?.length ?? 0;
      if (readBytes > limitBytes) throw new RangeError(`Request body is over ${limitBytes} bytes`);
      return chunk;
    },
    get trailers() {
      return source.trailers;
    },
    cancel: () => source.cancel(),
  };
}
