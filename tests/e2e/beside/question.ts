/** A request that Caddy and understudy are asked alike. */
import type { Ask } from "../../support/raw_client.ts";

export interface Question extends Ask {
  readonly title: string;
  /** Site of the Caddyfile, without `.test`. */
  readonly site: string;
  /** What upstreams say to it, and upstream b where that is another thing. */
  readonly say?: string;
  readonly sayB?: string;
  /** Written behind the head as it is: a chunked body, say. */
  readonly raw?: string;
  /** Written only when an interim answer has come. */
  readonly waits?: boolean;
  /** Without the `User-Agent` and `Accept-Encoding` that others have. */
  readonly bare?: boolean;
  /** Asked so often, one after the other; the last answer counts. */
  readonly times?: number;
}

export const about = (site: string, say: string, title: string, more: Ask = {}): Question => ({
  site,
  say,
  title,
  ...more,
});
