/**
 * All that is known of Caddy's directives and options, from one place: the importer refuses by it,
 * `validate Caddyfile` prints from it, docs/from-caddy.md is written from it.
 */
import type { Support } from "./directive.ts";
import { CORE_SUPPORT } from "./support_core.ts";
import { REVERSE_PROXY_SUPPORT } from "./support_table_proxy.ts";
import { TRANSPORT_SUPPORT } from "./support_table_transport.ts";

/** Of reverse_proxy and what goes with it. */
export const PROXY_SUPPORT: readonly Support[] = [...REVERSE_PROXY_SUPPORT, ...TRANSPORT_SUPPORT];

export const SUPPORT: readonly Support[] = [...PROXY_SUPPORT, ...CORE_SUPPORT];

const BY_NAME: ReadonlyMap<string, Support> = new Map(SUPPORT.map((row) => [row.name, row]));

/** What is known of a directive or option by its full name, such as `reverse_proxy.health_uri`. */
export function supportOf(name: string): Support | undefined {
  return BY_NAME.get(name);
}
