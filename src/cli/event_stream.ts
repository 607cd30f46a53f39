/** Reads server-sent events (the event stream of the HTML standard) as far as our own API uses them. */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** An event is a line of a log or a status; nothing of ours comes near to this. */
const EVENT_MAX_CHARS = 16 * 1024 * 1024;

/** Events as they come. Comments, which keep a connection alive, are left out. */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > EVENT_MAX_CHARS) throw new RangeError("An event is too long");
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = eventFrom(block);
      if (event !== undefined) yield event;
    }
  }
}

function eventFrom(block: string): ServerEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ""] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join("\n") };
}
