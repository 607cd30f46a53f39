/**
 * The status page at the root of the admin listener: one document with its style and script within,
 * so that it needs nothing from anywhere. `shield.ts` makes its policy from what stands in it.
 */
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** The whole document. What it shows it asks of the API, as whoever gets the page may lack the token. */
export function page(): string {
  return DOCUMENT;
}

const DOCUMENT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>understudy</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body data-link="connecting">
<a class="skip" href="#main">To the upstreams</a>
<header id="top"><div class="head"><h1><span class="mark" aria-hidden="true"></span>understudy</h1></div></header>
<div id="banners"></div>
<main id="main" tabindex="-1"><noscript>This page needs JavaScript; <code>understudy status</code> does not.</noscript></main>
<footer id="foot"></footer>
<div id="said" role="status" aria-live="polite"></div>
<script type="module">${SCRIPT}</script>
</body>
</html>
`;
