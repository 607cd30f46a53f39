/** Puts a message into the words of whoever receives it: a webhook, ntfy, or Gotify. Pure. */
import type { News, NotifyRules } from "../rules.ts";
import type { Message } from "./digest.ts";

/** What is sent by POST. */
export interface Letter {
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export function letterOf(message: Message, rules: NotifyRules): Letter {
  const letter = draft(message, rules);
  const own = rules.headers.map(({ name, value }) => [name, value] as const);
  const given = new Set(own.map(([name]) => name.toLowerCase()));
  // The operator's fields take the place of ours.
  const ours = letter.headers.filter(([name]) => !given.has(name.toLowerCase()));
  return { ...letter, headers: [...ours, ...own] };
}

function draft(message: Message, { format, secretUrl: url, token, template }: NotifyRules): Letter {
  const bearer = token === undefined ? [] : [["Authorization", `Bearer ${token}`] as const];
  switch (format) {
    case "webhook": {
      const body = template === undefined ? asJson(message) : filled(template, message);
      const type = isJson(body) ? "application/json" : "text/plain; charset=utf-8";
      return { url, headers: [["Content-Type", type], ...bearer], body };
    }
    case "ntfy":
      return {
        url,
        headers: [
          ["Content-Type", "text/plain; charset=utf-8"],
          ["Title", plain(message.title)],
          ["Priority", String(URGENCY[message.event].ntfy)],
          ["Tags", URGENCY[message.event].tag],
          ...bearer,
        ],
        body: message.text,
      };
    case "gotify": {
      const priority = URGENCY[message.event].gotify;
      const { title, text } = message;
      return {
        url: withEnd(url, "/message"),
        headers: [
          ["Content-Type", "application/json"],
          ...(token === undefined ? [] : [["X-Gotify-Key", token] as const]),
        ],
        body: JSON.stringify({ title, message: text, priority }),
      };
    }
  }
}

/** On ntfy's scale from 1 to 5, on Gotify's from 0 to 10, and as one of ntfy's pictures. */
const URGENCY: Readonly<Record<News, { ntfy: number; gotify: number; tag: string }>> = {
  unavailable: { ntfy: 5, gotify: 8, tag: "rotating_light" },
  down: { ntfy: 4, gotify: 6, tag: "red_circle" },
  penalised: { ntfy: 3, gotify: 5, tag: "warning" },
  failover: { ntfy: 3, gotify: 5, tag: "arrow_right_hook" },
  failback: { ntfy: 2, gotify: 3, tag: "leftwards_arrow_with_hook" },
  up: { ntfy: 2, gotify: 3, tag: "green_circle" },
  drained: { ntfy: 2, gotify: 3, tag: "wrench" },
  undrained: { ntfy: 2, gotify: 3, tag: "wrench" },
  certificate_failed: { ntfy: 4, gotify: 6, tag: "lock" },
  certificate_renewed: { ntfy: 2, gotify: 3, tag: "key" },
};

function asJson({ at, ...message }: Message): string {
  return JSON.stringify({ ...message, at: timeOf(at) });
}

function filled(template: string, message: Message): string {
  const { title, text, event, upstream, pool, certificate, reason, at } = message;
  const values: Readonly<Record<string, string>> = {
    ...{ title, text, event, upstream, pool, certificate, reason },
    time: timeOf(at),
  };
  // Within JSON a value must not be able to end the text that it stands in.
  const inJson = /^\s*[[{]/.test(template);
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return inJson ? JSON.stringify(value).slice(1, -1) : value;
  });
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

/** As a header field can hold it. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function withEnd(url: string, end: string): string {
  const { href, pathname } = new URL(url);
  if (pathname.endsWith(end)) return href;
  const whole = new URL(href);
  whole.pathname = `${pathname.replace(/\/$/, "")}${end}`;
  return whole.href;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
