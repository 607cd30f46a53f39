/** One `reverse_proxy` or `forward_auth` while it is read: settings written already, and what waits for the end. */
import { type Context, type Directive, placeOf, type Token } from "./directive.ts";
import { FieldEdits } from "./proxy_fields.ts";
import type { Draft, Line } from "./proxy_options.ts";
import type { Scheme, Spelled } from "./proxy_upstreams.ts";
import { WrittenMap } from "./written.ts";

/** What `transport` decides about upstreams, besides its own settings. */
export interface TransportChoice {
  tls: Token | undefined;
  h2c: boolean;
  plainPorts: ReadonlySet<string>;
}

export interface PoolDraft extends Draft {
  readonly directive: Directive;
  readonly pool: WrittenMap;
  readonly upstreams: Spelled[];
  readonly up: FieldEdits;
  readonly down: FieldEdits;
  /** `header_up Host`. */
  host: { readonly value: string; readonly token: Token } | undefined;
  readonly transport: TransportChoice;
  /** Response matchers by their names, "@" and all. */
  readonly matchers: Map<string, WrittenMap>;
  /** `replace_status` and `handle_response` wait until all matchers are known. */
  readonly replacements: Line[];
  readonly handlers: Line[];
  /** `dynamic` with its sources waits until the scheme is known. */
  readonly dynamic: Line[];
}

export function draftOf(directive: Directive, context: Context): PoolDraft {
  const at = placeOf(directive.name, directive.name.text);
  return {
    context,
    homeless: [],
    directive,
    pool: new WrittenMap(at),
    upstreams: [],
    up: new FieldEdits("reverse_proxy.header_up"),
    down: new FieldEdits("reverse_proxy.header_down"),
    host: undefined,
    transport: { tls: undefined, h2c: false, plainPorts: new Set() },
    matchers: new Map(),
    replacements: [],
    handlers: [],
    dynamic: [],
  };
}

/** Scheme of upstreams that have none of their own. */
export function commonScheme({ transport }: PoolDraft): Scheme {
  if (transport.tls !== undefined) return "https";
  return transport.h2c ? "h2c" : "http";
}
