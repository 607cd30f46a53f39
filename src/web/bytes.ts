/** Bytes between our pull sources and the Web's streams, both ways. Nothing is buffered here. */
import type { EndSignal } from "../end.ts";
import type { ByteSource, Delivery } from "../model.ts";

/** The sender ended its body before it was whole. */
export class CutError extends Error {
  override readonly name = "CutError";
}

/** A source that reads a stream. `cancelled` is called once when nothing more is wanted. */
export function sourceOf(
  stream: ReadableStream<Uint8Array>,
  lengthBytes: number | undefined,
  cancelled: () => void,
): ByteSource {
  const reader = stream.getReader();
  let done = false;
  let cut: CutError | undefined;
  return {
    lengthBytes,
    async read() {
      // Once cut, cut for every reader: a replay must not take the fragment for the whole.
      if (cut !== undefined) throw cut;
      if (done) return undefined;
      try {
        for (;;) {
          const next = await reader.read();
          if (next.done) break;
          if (next.value.length > 0) return next.value;
        }
      } catch (cause) {
        done = true;
        cut = new CutError("Body ended before it was whole", { cause });
        throw cut;
      }
      done = true;
      return undefined;
    },
    cancel() {
      if (done) return;
      done = true;
      cancelled();
      // Whoever cancels wants to hear no more of it, least of all that the stream is broken.
      reader.cancel().catch(() => {});
    },
  };
}

/** A stream that pulls a source, for a request on its way to an upstream. */
export function streamOf(source: ByteSource): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await source.read();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      } catch (error) {
        controller.error(error);
      }
    },
    cancel: () => source.cancel(),
  }, { highWaterMark: 0 });
}

/** How an answer's stream tells its end. */
export interface Ends {
  readonly delivered: (delivery: Delivery) => void;
  /** A stream that broke goes on without a byte until its reader leaves: its host knows no other end than a whole one. */
  readonly stalls: boolean;
}

/**
 * A stream that pulls an answer for the client and tells how it fared. The error that cuts it is
 * empty: Bun prints whatever else a stream fails with, and the access log has the story.
 */
export function deliveryOf(
  source: ByteSource,
  signal: EndSignal,
  { delivered, stalls }: Ends,
): ReadableStream<Uint8Array> {
  let bodyBytes = 0;
  let ended = false;
  const end = (how: Delivery["end"]) => {
    if (ended) return;
    ended = true;
    signal.removeEventListener("abort", left);
    if (how !== "whole") source.cancel();
    delivered({ end: how, bodyBytes });
  };
  const left = () => end("left");

  return new ReadableStream<Uint8Array>({
    start() {
      if (signal.aborted) left();
      else signal.addEventListener("abort", left, { once: true });
    },
    async pull(controller) {
      try {
        const chunk = await source.read();
        if (chunk !== undefined) {
          bodyBytes += chunk.length;
          controller.enqueue(chunk);
          return;
        }
        controller.close();
        end("whole");
      } catch {
        end("cut");
        if (stalls) await aborted(signal);
        controller.error(undefined);
      }
    },
    cancel: left,
  }, { highWaterMark: 0 });
}

function aborted(signal: EndSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
