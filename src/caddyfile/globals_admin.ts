/** The global option `admin`: where Caddy's admin API listens, which is where ours does then. */
import { placeOf } from "./directive.ts";
import {
  accept,
  ANY_NUMBER,
  type Draft,
  type Line,
  type Options,
  readBlock,
} from "./proxy_options.ts";
import type { Scope } from "./scope.ts";
import { type Plain, WrittenList, WrittenMap } from "./written.ts";

/** What the option is read into. */
export interface AdminDraft extends Draft {
  readonly context: Scope;
  readonly root: WrittenMap;
}

interface Block extends AdminDraft {
  readonly admin: WrittenMap;
}

const OPTIONS: Options<Block> = {
  origins: {
    args: [1, ANY_NUMBER],
    read(line, { admin, context }) {
      const list = new WrittenList(line.at);
      for (const arg of line.args) {
        const at = placeOf(arg, line.where);
        const origin = context.plain(arg, line.where);
        // Caddy compares hosts where no scheme is written.
        const all = origin.includes("://") ? [origin] : [`http://${origin}`, `https://${origin}`];
        for (const one of all) list.add(one, at);
      }
      admin.set("origins", list, line.at).comment("origins", line.comments);
      context.took(line.name, line.where);
    },
  },
  enforce_origin: { args: [0, 0], read: accept },
};

export function readAdmin(line: Line, draft: AdminDraft): void {
  const { context, root } = draft;
  const [address] = line.args;
  const text = address === undefined ? undefined : context.plain(address, line.where);
  if (address !== undefined && text?.includes("/")) {
    return context.refuse(address, `${line.where}.network`);
  }
  const admin = new WrittenMap(line.at);
  if (address !== undefined && text !== undefined) {
    admin.set("listen", text, placeOf(address, line.where));
  }
  const homeless: AdminDraft["homeless"] = [];
  readBlock(line.block ?? [], { ...draft, homeless, admin }, {
    options: OPTIONS,
    prefix: line.where,
  });

  const written: Plain = admin.has("origins") || text === undefined ? admin : text;
  root.set("admin", written, line.at).comment("admin", line.comments);
  for (const comments of homeless) root.comment("admin", comments);
  context.took(line.name, line.where);
}
