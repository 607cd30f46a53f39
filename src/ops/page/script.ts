/**
 * Makes one script of the modules in `client/`, at start-up: they are plain JavaScript with typed
 * comments, so taking away what modules say to each other is all there is to do.
 */
// The texts of modules and not what they export.
// oxlint-disable import/default
import actions from "./client/actions.js" with { type: "text" };
import certificates from "./client/certificates.js" with { type: "text" };
import dom from "./client/dom.js" with { type: "text" };
import failures from "./client/failures.js" with { type: "text" };
import hearing from "./client/hearing.js" with { type: "text" };
import link from "./client/link.js" with { type: "text" };
import main from "./client/main.js" with { type: "text" };
import shapes from "./client/shapes.js" with { type: "text" };
import certificateView from "./client/view_certificates.js" with { type: "text" };
import history from "./client/view_history.js" with { type: "text" };
import frame from "./client/view_frame.js" with { type: "text" };
import notable from "./client/view_notable.js" with { type: "text" };
import pool from "./client/view_pool.js" with { type: "text" };
import upstream from "./client/view_upstream.js" with { type: "text" };
import words from "./client/words.js" with { type: "text" };

/** In this order nothing is used before it is there. */
const MODULES = [
  words,
  failures,
  shapes,
  certificates,
  dom,
  link,
  hearing,
  actions,
  history,
  upstream,
  pool,
  notable,
  certificateView,
  frame,
  main,
];

/** The whole script. Modules share one scope, so names at their top level are unique among them. */
export const SCRIPT = MODULES.map(bare).join("");

/** Without imports, the word `export`, comments on lines of their own, and indentation. */
export function bare(module: string): string {
  return module
    .replace(/^import\s[^;]*;\n/gm, "")
    .replace(/^export /gm, "")
    .replace(/^\s*\/\*\*(?:(?!\*\/)[^])*\*\/\n/gm, "")
    .replace(/^\s*\/\/.*\n/gm, "")
    .replace(/\n\s+/g, "\n");
}
