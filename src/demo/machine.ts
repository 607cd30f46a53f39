/**
 * One stand-in's whole state: its models, its visitors, its faults. Handlers are given it and keep
 * nothing themselves.
 */
import type { Clock } from "../platform/platform.ts";
import { type Faults, NO_FAULTS } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { Models } from "./models.ts";

export interface OllamaOptions {
  /** Stands in every answer, so that a reader sees who gave it. */
  readonly name: string;
  /** Models it owns; `:latest` is understood where a tag is missing. */
  readonly models: readonly string[];
  readonly tokenEveryMs: number;
  /** Length of an answer when the request does not say. */
  readonly tokens: number;
  /** How long the first request for a model waits, in milliseconds. */
  readonly loadDelayMs: number;
}

export class Machine {
  readonly options: OllamaOptions;
  readonly clock: Clock;
  readonly models: Models;
  readonly ledger = new Ledger();
  faults: Faults = NO_FAULTS;
  #serial = 0;

  constructor(options: OllamaOptions, clock: Clock) {
    this.options = options;
    this.clock = clock;
    this.models = new Models(options.models, options.loadDelayMs, clock);
  }

  /** A number for the next answer that needs an id. */
  nextSerial(): number {
    return ++this.#serial;
  }
}
