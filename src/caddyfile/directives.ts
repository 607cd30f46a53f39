/** Every directive that has a place in steps. */
import { ANSWER_DIRECTIVES } from "./core_answers.ts";
import { AUTH_DIRECTIVES } from "./core_auth.ts";
import { BLOCK_DIRECTIVES } from "./core_blocks.ts";
import { EDIT_DIRECTIVES } from "./core_edits.ts";
import { HEADER_DIRECTIVES } from "./core_headers.ts";
import type { Directives } from "./directive.ts";
import { PROXY_DIRECTIVES } from "./proxy_directives.ts";

export const CORE_DIRECTIVES: Directives = {
  ...ANSWER_DIRECTIVES,
  ...AUTH_DIRECTIVES,
  ...BLOCK_DIRECTIVES,
  ...EDIT_DIRECTIVES,
  ...HEADER_DIRECTIVES,
};

export const DIRECTIVES: Directives = { ...CORE_DIRECTIVES, ...PROXY_DIRECTIVES };
