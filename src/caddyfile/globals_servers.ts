/** The global option `servers`: what listeners speak, and whom they believe. */
import { placeOf } from "./directive.ts";
import { accept, ANY_NUMBER, type Draft, first, type Options } from "./proxy_options.ts";
import type { Place, WrittenMap } from "./written.ts";

/** Versions of HTTP that all listeners speak where they can. */
export interface Protocols {
  readonly words: readonly string[];
  readonly at: Place;
}

/** What the option is read into. */
export interface ServersDraft extends Draft {
  readonly root: WrittenMap;
  readonly globals: { protocols: Protocols | undefined };
}

const PROTOCOLS: readonly string[] = ["h1", "h2", "h2c", "h3"];

export const SERVERS: Options<ServersDraft> = {
  trusted_proxies: {
    args: [1, ANY_NUMBER],
    block: true,
    read(line, { context, root }) {
      const [source, ...blocks] = line.args;
      if (source?.text !== "static" || line.block !== undefined) {
        return context.refuse(source ?? line.name, "global.servers.trusted_proxies.source");
      }
      const list = root.list("trusted_proxies", line.at);
      for (const block of blocks) {
        list.add(context.plain(block, line.where), placeOf(block, line.where));
      }
      root.comment("trusted_proxies", line.comments);
      context.took(line.name, line.where);
    },
  },
  client_ip_headers: {
    args: [1, ANY_NUMBER],
    read(line, draft) {
      const other = line.args.find(({ text }) => text.toLowerCase() !== "x-forwarded-for");
      if (other === undefined) accept(line, draft);
      else draft.context.refuse(other, "global.servers.client_ip_headers.other");
    },
  },
  protocols: {
    args: [1, ANY_NUMBER],
    read(line, { context, globals, homeless }) {
      const words = line.args.map(({ text }) => text);
      const other = line.args.find(({ text }) => !PROTOCOLS.includes(text));
      if (other !== undefined || !words.includes("h1")) {
        return context.refuse(other ?? first(line), "global.servers.protocols.other");
      }
      globals.protocols = { words, at: line.at };
      homeless.push(line.comments);
      context.took(line.name, line.where);
    },
  },
  enable_full_duplex: { args: [0, 0], read: accept },
  name: { args: [1, 1], read: accept },
  metrics: { args: [0, 0], read: accept },
};
