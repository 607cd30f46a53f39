/**
 * Writes what happened: one line an event, JSON for machines or text for people at a terminal.
 * Lines are handed over in batches, as a write a request costs more than the line itself.
 */
import type { LogLevel, LogRules } from "../rules.ts";

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Where lines go. */
export interface Sink {
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  readonly write: (text: string) => void;
  /** Calls back a little later; the bound on how old a line gets. */
  readonly later: (callback: () => void) => void;
  readonly colours: boolean;
}

/** One line, before its format is known. */
export interface Line {
  readonly level: LogLevel;
  readonly logger: string;
  /** Event name for our own lines, Caddy's fixed text for the access log. */
  readonly msg: string;
  /** For machines: members of a JSON object; made only when the format is JSON. */
  readonly json: () => string;
  /** For people; made only when the format is text. */
  readonly text: (paint: Paint) => string;
}

export type Paint = (colour: "red" | "green" | "yellow" | "dim", text: string) => string;

const RANKS: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2 };
const BATCH_LIMIT_CHARS = 64 * 1024;

export class Logger implements Log {
  #rules: LogRules;
  readonly #sink: Sink;
  #batch = "";
  #scheduled = false;

  constructor(rules: LogRules, sink: Sink) {
    this.#rules = rules;
    this.#sink = sink;
  }

  /** Takes the rules of a new configuration over. */
  configure(rules: LogRules): void {
    this.#rules = rules;
  }

  wants(level: LogLevel): boolean {
    return this.#rules.format !== "off" && RANKS[level] >= RANKS[this.#rules.level];
  }

  debug(event: string, fields: LogFields = {}): void {
    this.#event("debug", event, fields);
  }

  info(event: string, fields: LogFields = {}): void {
    this.#event("info", event, fields);
  }

  warn(event: string, fields: LogFields = {}): void {
    this.#event("warn", event, fields);
  }

  error(event: string, fields: LogFields = {}): void {
    this.#event("error", event, fields);
  }

  line({ level, logger, msg, json, text }: Line): void {
    if (!this.wants(level)) return;
    const now = this.#sink.now();
    if (this.#rules.format === "text") {
      this.#put(`${this.#paint("dim", clockTime(now))} ${text(this.#paint)}\n`);
      return;
    }
    const rest = json();
    const start = `{"level":"${level}","ts":${now / 1000},"logger":"${logger}"`;
    this.#put(`${start},"msg":${JSON.stringify(msg)}${rest === "" ? "" : `,${rest}`}}\n`);
  }

  /** Hands over what is waiting. Called before the process ends. */
  flush(): void {
    this.#scheduled = false;
    if (this.#batch === "") return;
    const batch = this.#batch;
    this.#batch = "";
    this.#sink.write(batch);
  }

  #event(level: LogLevel, msg: string, fields: LogFields): void {
    this.line({
      level,
      logger: "understudy",
      msg,
      json: () => JSON.stringify(fields).slice(1, -1),
      text: (paint) => inText(level, msg, fields, paint),
    });
  }

  #put(line: string): void {
    this.#batch += line;
    if (this.#batch.length > BATCH_LIMIT_CHARS) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#sink.later(() => this.flush());
  }

  readonly #paint: Paint = (colour, text) => {
    return this.#sink.colours ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  };
}

/** Spells control characters out: what a peer sent must not steer the terminal or fake a line. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    return `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** "19:04:11" in the machine's own time zone. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

function inText(level: LogLevel, msg: string, fields: LogFields, paint: Paint): string {
  const colour = level === "error" ? "red" : level === "warn" ? "yellow" : undefined;
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      return `${name}=${typeof value === "string" ? visible(value) : JSON.stringify(value)}`;
    })
    .join("  ");
  return `${colour === undefined ? msg : paint(colour, msg)}  ${rest}`.trimEnd();
}

/** Tells of a bug of ours, with its trace where it has one. */
export function logBug(log: Pick<Log, "error">, error: unknown): void {
  const described = error instanceof Error ? error.stack ?? error.message : String(error);
  log.error("bug.caught", { error: described });
}
