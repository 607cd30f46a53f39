/**
 * What a client and the upstreams saw of one exchange, as a flat list of facets, and what of it differs
 * between two proxies. Names of fields are compared without regard to case and order, values exactly.
 */
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { fieldOf, type Heard } from "./raw_client.ts";
import type { Call } from "./raw_upstream.ts";

/** Puts something in place of texts that differ by nature, such as ports. */
export type Tidy = (text: string) => string;

/** One exchange as both ends saw it. */
export interface Seen {
  readonly heard: Heard;
  /** Heads of the interim answers. */
  readonly interim: readonly string[];
  /** What upstreams were asked, with their names. */
  readonly calls: readonly { readonly at: string; readonly call: Call }[];
  readonly tidy: Tidy;
}

export type Facets = ReadonlyMap<string, string>;

export interface Difference {
  readonly facet: string;
  readonly caddy: string;
  readonly ours: string;
}

const ABSENT = "–";

/** In the order of their names. Of what only one of them asked an upstream, no more than that. */
export function differences(caddy: Facets, ours: Facets): readonly Difference[] {
  const isShared = (facet: string): boolean => {
    const [call] = /^upstream(?: \d+)?(?= )/.exec(facet) ?? [];
    return call === undefined || (caddy.has(`${call} line`) && ours.has(`${call} line`));
  };
  const names = new Set([...caddy.keys(), ...ours.keys()]);
  return [...names].filter(isShared).sort().map((facet) => ({
    facet,
    caddy: caddy.get(facet) ?? ABSENT,
    ours: ours.get(facet) ?? ABSENT,
  })).filter((one) => one.caddy !== one.ours);
}

export function facetsOf({ heard, interim, calls, tidy }: Seen): Facets {
  const facets = new Map<string, string>();
  const put = (name: string, value: string) => facets.set(name, tidy(value));
  put("client status", String(heard.status));
  const isGzip = fieldOf(heard, "content-encoding") === "gzip" && heard.body.length > 0;
  put(
    "client body",
    isGzip ? `gzip of ${shown(gunzipSync(heard.body), tidy)}` : shown(heard.body, tidy),
  );
  put("client end", heard.end);
  put("client trailers", heard.trailer);
  put("client interim", interim.map((head) => head.split("\r\n").sort().join(" ")).join(" | "));
  for (const [name, value] of fieldsIn(heard.head)) {
    // Two answers may well be a second apart.
    put(`client ${name}`, name.toLowerCase() === "date" ? "a date" : value);
  }
  put("asked", calls.map(({ at }) => at).join(" "));
  for (const [index, { call }] of calls.entries()) {
    const where = index === 0 ? "upstream" : `upstream ${index + 1}`;
    put(`${where} line`, call.head.split("\r\n", 1)[0] ?? "");
    put(`${where} body`, bodyOf(call, tidy));
    for (const [name, value] of fieldsIn(call.head)) put(`${where} ${name}`, value);
  }
  return facets;
}

/** Values by name in lower case; repeated ones stay apart. */
function fieldsIn(head: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of head.split("\r\n").slice(1)) {
    const [, name = "", value = ""] = /^([^:]*):\s*(.*?)\s*$/s.exec(line) ?? [];
    const key = name.toLowerCase();
    const known = fields.get(key);
    fields.set(key, known === undefined ? value : `${known} ¶ ${value}`);
  }
  return fields;
}

/** As sent by whoever framed it, without the framing. */
function bodyOf(call: Call, tidy: Tidy): string {
  if (call.field("transfer-encoding") === undefined) return shown(call.raw, tidy);
  let rest = call.raw.toString("latin1");
  let body = "";
  for (;;) {
    const [line = "", size = ""] = /^([\da-f]+)\r\n/i.exec(rest) ?? [];
    const length = Number.parseInt(size, 16);
    if (!(length > 0)) break;
    body += rest.slice(line.length, line.length + length);
    rest = rest.slice(line.length + length + 2);
  }
  const trailer = rest.replace(/^0\r\n/, "").trim();
  return shown(Buffer.from(body, "latin1"), tidy) + (trailer === "" ? "" : ` then ${trailer}`);
}

const SHOWN_MAX = 300;

/** Bytes that are no text, or too many, by their length and a sum. */
function shown(bytes: Uint8Array, tidy: Tidy): string {
  const text = tidy(Buffer.from(bytes).toString("latin1"));
  const isText = text.length <= SHOWN_MAX && /^[\x20-\x7e\r\n\t]*$/.test(text);
  if (isText) return text;
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) % 1_000_003;
  return `${text.length} bytes, ${sum}`;
}
