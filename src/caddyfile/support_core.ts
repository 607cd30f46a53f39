/**
 * What is known of Caddy's directives, matchers and global options, those of proxying aside, which
 * have their own list beside this one. The importer refuses by it and `validate` prints from it.
 */
import type { Support } from "./directive.ts";

export const CORE_SUPPORT: readonly Support[] = [];
