/**
 * What a viewer of the demo reads: one line an event, with the time since the start, who it is about
 * and what happened, in columns that fit 80 characters. Decides how things look and nothing else.
 */
import type { Account, Phase } from "../model.ts";

export type Colour = "red" | "green" | "yellow" | "cyan" | "magenta" | "dim" | "bold";

export interface TimelineDeps {
  readonly write: (text: string) => void;
  /** Milliseconds since the demo began. */
  readonly elapsed: () => number;
  readonly colours: boolean;
  /** Each upstream has a colour of its own, in which a move of the traffic is seen without reading. */
  readonly upstreams: readonly string[];
}

/** A change that the proxy's board told of. */
export type BoardChange =
  | { readonly kind: "phase"; readonly to: Phase; readonly reason: string }
  | { readonly kind: "penalised" | "drained" | "undrained"; readonly reason: string };

/** What a line needs of an exchange. */
export type Exchanged =
  & Pick<Account, "upstream" | "status" | "durationMs" | "bodyBytes" | "outcome" | "failures">
  & { readonly exchange: Pick<Account["exchange"], "method" | "target"> };

const CODES: Record<Colour, number> = {
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
  magenta: 35,
  dim: 2,
  bold: 1,
};
const UPSTREAM_COLOURS: readonly Colour[] = ["cyan", "magenta"];
const NAME_CHARS = 6;
const WORD_CHARS = 10;
/** Ollama's and OpenAI's paths fit. */
const TARGET_CHARS = 20;

const WORD_COLOURS: Readonly<Record<string, Colour>> = {
  up: "green",
  down: "red",
  failing: "yellow",
  started: "bold",
  continued: "bold",
  suspended: "bold",
  killed: "bold",
  ended: "bold",
};

export class Timeline {
  readonly #deps: TimelineDeps;

  constructor(deps: TimelineDeps) {
    this.#deps = deps;
  }

  /** Writes a line as it is. */
  print(line = ""): void {
    this.#deps.write(`${line}\n`);
  }

  heading(text: string): void {
    this.print();
    this.print(this.paint("bold", text));
  }

  /** Something happened to `who`. */
  event(who: string, word: string, detail: string): void {
    const shown = this.paint(WORD_COLOURS[word] ?? "bold", word.padEnd(WORD_CHARS));
    this.print(`${this.#lead(who)}${shown}${detail}`.trimEnd());
  }

  /** An upstream changed its phase, or failed under a request. */
  changed(upstream: string, change: BoardChange): void {
    const other = change.kind === "penalised" ? "failing" : change.kind;
    const word = change.kind === "phase" ? change.to : other;
    this.event(upstream, word, change.reason);
  }

  /** A request has its answer. */
  answered({ upstream, status, durationMs, bodyBytes, exchange, outcome, failures }: Exchanged) {
    const good = outcome === "answered" && status < 400;
    const tail = `${spelledMs(durationMs).padStart(7)}${spelledBytes(bodyBytes).padStart(9)}`;
    const line = [
      this.#lead(upstream ?? "nobody"),
      good ? String(status) : this.paint("red", String(status)),
      ` ${exchange.method.padEnd(4)} ${fitted(exchange.target, TARGET_CHARS)}`,
      this.paint("dim", tail),
      this.paint(good ? "yellow" : "red", noteOn(outcome, failures)),
    ];
    this.print(line.join("").trimEnd());
  }

  paint(colour: Colour, text: string): string {
    return this.#deps.colours && text !== "" ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
  }

  #lead(who: string): string {
    const elapsed = this.#deps.elapsed() / 1000;
    const seconds = `${elapsed.toFixed(elapsed < 1000 ? 1 : 0)} s`.padStart(7);
    const colour = UPSTREAM_COLOURS[this.#deps.upstreams.indexOf(who)] ?? "dim";
    return `${this.paint("dim", seconds)}  ${this.paint(colour, fitted(who, NAME_CHARS))}  `;
  }
}

export function spelledMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function spelledBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** What was unusual about an exchange, in a few words; the lines around it say why. */
function noteOn(outcome: Exchanged["outcome"], failures: readonly string[]): string {
  // "gpu: refused the connection" is told in short, as the reason stands in a line before.
  const names = new Set(failures.map((failure) => failure.split(":")[0] ?? ""));
  const passed = names.size === 0 ? "" : `  after ${[...names].join(", ")} failed`;
  switch (outcome) {
    case "answered":
      return passed;
    case "truncated":
      return "  cut short";
    case "abandoned":
      return "  client left";
    case "failed":
    case "unavailable":
    case "unrouted":
    case "refused":
    case "error":
      return `  ${outcome}`;
  }
}

function fitted(text: string, chars: number): string {
  return text.length > chars ? `${text.slice(0, chars - 1)}…` : text.padEnd(chars);
}
