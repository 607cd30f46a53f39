/** What is plugged into the operator's desk of a proxy that serves: the page, who counts, who tells people. */
import type { Logger } from "../ops/log.ts";
import { Prometheus } from "../ops/metrics.ts";
import { Herald } from "../ops/notify.ts";
import { page } from "../ops/page/page.ts";
import type { Sinks } from "../ops/sinks.ts";
import type { Platform } from "../platform/platform.ts";
import { poster } from "./post.ts";

export function sinksOf(platform: Platform, log: Logger): Sinks {
  const notifier = new Herald({
    clock: platform.clock,
    post: poster(platform),
    warn: (event, fields) => log.warn(event, fields),
  });
  return { page, metrics: new Prometheus(() => platform.usage()), notifier };
}
