/** Reads `header_up` and `header_down`, one line at a time. */
import { FRAMING_FIELDS } from "../fields.ts";
import { placeOf, shown, type Token } from "./directive.ts";
import type { PoolDraft } from "./proxy_draft.ts";
import type { Edit, FieldEdits } from "./proxy_fields.ts";
import type { Line, Option } from "./proxy_options.ts";
import { OWN_HOST } from "./proxy_upstreams.ts";

/** Reads one line of `header_up`. */
export const HEADER_UP: Option<PoolDraft> = {
  args: [1, 3],
  repeats: true,
  read(line, draft) {
    const [field] = line.args;
    if (field === undefined) return;
    if (/^[+-]?host$/i.test(field.text)) readHost(line, field, draft);
    else readEdit(line, field, { draft, edits: draft.up });
  },
};

/** Reads one line of `header_down`. */
export const HEADER_DOWN: Option<PoolDraft> = {
  args: [1, 3],
  repeats: true,
  read(line, draft) {
    const [field] = line.args;
    if (field !== undefined) readEdit(line, field, { draft, edits: draft.down });
  },
};

function readEdit(
  line: Line,
  field: Token,
  { draft, edits }: { readonly draft: PoolDraft; readonly edits: FieldEdits },
): void {
  const { context } = draft;
  const { where } = line;
  const [, value, replacement] = line.args;
  if (field.text.startsWith("?")) return context.refuse(field, `${where}.?`);

  const sign = /^[+\->]/.exec(field.text)?.[0] ?? "";
  // Some write a colon behind it, as in a message.
  const name = field.text.slice(sign.length).replace(/:$/, "");
  const at = placeOf(field, where);
  if (sign === "-") {
    if (value !== undefined) {
      return context.problem(value, where, `Expected no value but received "${shown(value.text)}"`);
    }
    edits.removed.push({ name, value: "", at, comments: line.comments });
    return context.took(line.name, where);
  }
  if (FRAMING_FIELDS.has(name.toLowerCase())) {
    if (!isOwn(name, value)) return context.refuse(field, `${where}.framing`);
    draft.homeless.push(line.comments);
    return context.took(line.name, `${where}.Upgrade`);
  }

  context.took(line.name, where);
  if (replacement !== undefined && value !== undefined) {
    const search = context.pattern(value, where);
    const text = context.template(inOurWords(replacement), where);
    if (search === undefined) return;
    const { comments } = line;
    edits.replaced.push({ name, search, value: text, at, token: field, comments });
    return;
  }
  const text = value === undefined ? "" : context.template(value, where);
  const edit: Edit = { name, value: text, at, comments: line.comments };
  if (sign === "+") edits.added.push(edit);
  else edits.set.set(name.toLowerCase(), edit);
}

/** Whether a field is set to what the client sent in it, as configurations for WebSockets do by habit. */
function isOwn(name: string, value: Token | undefined): boolean {
  const own = value?.text.toLowerCase();
  const lower = name.toLowerCase();
  return own === `{>${lower}}` || own === `{header.${lower}}` ||
    own === `{http.request.header.${lower}}`;
}

const UPSTREAM_WORDS = new Set(["{upstream_hostport}", "{http.reverse_proxy.upstream.hostport}"]);
const OWN_HOST_WORDS = new Set([
  OWN_HOST,
  "{http.reverse_proxy.upstream.host}",
  "{rp.upstream.host}",
]);
const CLIENT_WORDS = new Set([
  "{host}",
  "{hostport}",
  "{http.request.host}",
  "{http.request.hostport}",
  "{header.host}",
  "{http.request.header.host}",
]);

function readHost(line: Line, field: Token, draft: PoolDraft): void {
  const { context } = draft;
  const [, value, surplus] = line.args;
  const other = `${line.where}.other Host`;
  if (field.text.length > "host".length || value === undefined || surplus !== undefined) {
    return context.refuse(field, other);
  }
  const word = hostWord(value, draft, line.where);
  if (word === undefined) return context.refuse(value, other);
  // In Caddy the last one holds.
  draft.host = { value: word, token: value };
  draft.homeless.push(line.comments);
  context.took(line.name, `${line.where}.Host`);
}

function hostWord(value: Token, { context }: PoolDraft, where: string): string | undefined {
  const text = value.text.toLowerCase();
  if (UPSTREAM_WORDS.has(text) || text === "{rp.upstream.hostport}") return "{upstream}";
  if (OWN_HOST_WORDS.has(text)) return OWN_HOST;
  if (CLIENT_WORDS.has(text)) return "{client}";
  const rest = text.replaceAll(/\{env\.[^{}]+\}/g, "");
  return rest.includes("{") ? undefined : context.plain(value, where);
}

/** Go writes groups as `$1` and `${1}`; in ours `$&` and its like would mean something too. */
function inOurWords(replacement: Token): Token {
  const text = replacement.text
    .replaceAll(/\$\{(\d{1,2})\}/g, "$$$1")
    .replaceAll(/\$(?=[&`'<])/g, "$$$$");
  return { ...replacement, text };
}
