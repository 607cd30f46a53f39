/** Reads the options of buffers and of upgraded connections. Most need no setting: everything streams. */
import type { PoolDraft } from "./proxy_draft.ts";
import { accept, first, type Line, type Option, put } from "./proxy_options.ts";

/** What is kept of a body that Caddy would have kept whole. */
const UNLIMITED = "1GiB";

export const STREAM_OPTIONS: Readonly<Record<string, Option<PoolDraft>>> = {
  flush_interval: {
    args: [1, 1],
    read(line, draft) {
      const token = first(line);
      // A bare number is one of nanoseconds, and -1 means at once.
      if (/^-?\d+$/.test(token.text)) return accept(line, draft);
      const text = token.text.replace(/^-/, "");
      if (draft.context.duration({ ...token, text }, line.where) !== undefined) accept(line, draft);
    },
  },
  request_buffers: {
    args: [1, 1],
    read(line, draft) {
      const size = sizeOf(line, draft);
      if (size === undefined) return;
      put(draft.pool.map("retry", line.at), "replay_body", size, line);
      draft.context.took(line.name, line.where);
    },
  },
  response_buffers: {
    args: [1, 1],
    read(line, draft) {
      if (sizeOf(line, draft) !== undefined) accept(line, draft);
    },
  },
  buffer_requests: {
    args: [0, 0],
    read(line, draft) {
      const retry = draft.pool.map("retry", line.at);
      if (!retry.has("replay_body")) put(retry, "replay_body", UNLIMITED, line);
      draft.context.took(line.name, line.where);
    },
  },
  buffer_responses: { args: [0, 0], read: accept },
  max_buffer_size: {
    args: [1, 1],
    read(line, draft) {
      const size = sizeOf(line, draft);
      if (size === undefined) return;
      put(draft.pool.map("retry", line.at), "replay_body", size, line);
      draft.context.took(line.name, line.where);
    },
  },
  stream_timeout: lasting("stream_timeout"),
  stream_close_delay: lasting("stream_close_delay"),
  stream_buffer_size: {
    args: [1, 1],
    read(line, draft) {
      if (draft.context.size(first(line), line.where) !== undefined) accept(line, draft);
    },
  },
};

function sizeOf(line: Line, { context }: PoolDraft): string | undefined {
  const token = first(line);
  return token.text === "unlimited" ? UNLIMITED : context.size(token, line.where);
}

function lasting(key: "stream_timeout" | "stream_close_delay"): Option<PoolDraft> {
  return {
    args: [1, 1],
    read(line, { context, pool }) {
      const value = context.duration(first(line), line.where);
      if (value === undefined) return;
      put(pool, key, value, line);
      context.took(line.name, line.where);
    },
  };
}
