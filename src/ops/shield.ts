/**
 * Fields that keep browsers from doing more with our answers than they should, and the policy by which
 * the page runs its own script and styles and nothing else.
 */

const ALWAYS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

/** Sets what every answer has; a policy that is there already stays. */
export function shield(headers: Headers): void {
  for (const [name, value] of Object.entries(ALWAYS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
}

/** The policy for one document: its inline scripts and styles by their hashes, requests to us alone. */
export async function policyFor(html: string): Promise<string> {
  const scripts = await hashes(html, /<script(?:\s[^>]*)?>([\s\S]*?)<\/script>/gi);
  const styles = await hashes(html, /<style(?:\s[^>]*)?>([\s\S]*?)<\/style>/gi);
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    `style-src ${styles}`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

async function hashes(html: string, block: RegExp): Promise<string> {
  const all = await Promise.all([...html.matchAll(block)].map(([, text = ""]) => hashOf(text)));
  return all.length === 0 ? "'none'" : all.join(" ");
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
}
