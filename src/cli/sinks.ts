/** What is plugged into the operator's desk of a proxy that serves: the page, who counts, who tells people. */
import type { Logger } from "../ops/log.ts";
import { Prometheus } from "../ops/metrics.ts";
import { page } from "../ops/page/page.ts";
import type { Sinks } from "../ops/sinks.ts";
import type { Platform } from "../platform/platform.ts";

export function sinksOf(platform: Platform, _log: Logger): Sinks {
  return { page, metrics: new Prometheus(() => platform.usage()) };
}
