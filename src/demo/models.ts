/**
 * The models a stand-in owns and which of them are in memory. Loading and expiring are dates, not
 * timers: whoever asks compares them with the clock, so nothing is left running.
 */
import type { Clock } from "../platform/platform.ts";
import { digestOf } from "./words.ts";

/** How long Ollama keeps a model after its last request unless told otherwise, in milliseconds. */
const KEEP_ALIVE_MS = 300_000;
/** Ollama writes "for ever" as the longest duration of Go, about 292 years from now, in milliseconds. */
const FOREVER_MS = 9_223_372_036_854;
const MODIFIED_AT = "2026-01-01T00:00:00Z";

/** A model in use by one request. */
export interface Hold {
  /** Time the request had to wait for the model when it came, in milliseconds. */
  readonly loadMs: number;
  /** Settles once the model is loaded; rejects when `signal` aborts before. */
  ready(signal: AbortSignal): Promise<void>;
  /** Ends the use, from which on `keep_alive` counts. Idempotent. */
  release(): void;
}

interface Resident {
  /** On the monotonic clock, as all dates here. */
  readonly readyAt: number;
  keepAliveMs: number;
  users: number;
  idleSince: number;
}

export class Models {
  readonly names: readonly string[];
  readonly #residents = new Map<string, Resident>();
  readonly #loadDelayMs: number;
  readonly #clock: Clock;

  constructor(names: readonly string[], loadDelayMs: number, clock: Clock) {
    this.names = names.map(tagged);
    this.#loadDelayMs = loadDelayMs;
    this.#clock = clock;
  }

  /** The full name of a model that a client may call without its tag; undefined when there is none. */
  find(asked: string): string | undefined {
    const name = tagged(asked);
    return this.names.includes(name) ? name : undefined;
  }

  /** Takes a model into use and begins to load it when it is not in memory. */
  hold(name: string, keepAliveMs: number = KEEP_ALIVE_MS): Hold {
    const now = this.#clock.elapsed();
    const known = this.#residents.get(name);
    const resident = known && !expired(known, now)
      ? known
      : { readyAt: now + this.#loadDelayMs, keepAliveMs, users: 0, idleSince: now };
    this.#residents.set(name, resident);
    resident.users++;
    resident.keepAliveMs = keepAliveMs;

    const loadMs = Math.max(0, resident.readyAt - now);
    let held = true;
    return {
      loadMs,
      ready: (signal) => loadMs > 0 ? this.#clock.sleep(loadMs, signal) : Promise.resolve(),
      release: () => {
        if (!held) return;
        held = false;
        resident.users--;
        resident.idleSince = this.#clock.elapsed();
      },
    };
  }

  /** Frees the model as soon as nobody uses it. */
  unload(name: string): void {
    const resident = this.#residents.get(name);
    if (resident) resident.keepAliveMs = 0;
  }

  /** Entries of `/api/tags`. */
  list(): object[] {
    return this.names.map((name) => ({ ...identity(name), modified_at: MODIFIED_AT }));
  }

  /** Entries of `/api/ps`: what is in memory now. */
  loaded(): object[] {
    const now = this.#clock.elapsed();
    const loaded = [...this.#residents].filter(([, resident]) =>
      resident.readyAt <= now && !expired(resident, now)
    );
    return loaded.map(([name, { users, idleSince, keepAliveMs }]) => {
      const since = users > 0 ? now : idleSince;
      const restMs = Math.min(FOREVER_MS, since + keepAliveMs - now);
      const expiresAt = new Date(this.#clock.now() + restMs).toISOString();
      const { size } = identity(name);
      return { ...identity(name), expires_at: expiresAt, size_vram: size, context_length: 4096 };
    });
  }

  /** The answer of `/api/show`. */
  describe(name: string): object {
    return {
      modelfile: `FROM ${name}`,
      parameters: "",
      template: "{{ .Prompt }}",
      details: identity(name).details,
      model_info: { "general.architecture": "llama", "llama.context_length": 131_072 },
      capabilities: ["completion", "embedding"],
      modified_at: MODIFIED_AT,
    };
  }
}

/** An entry of `/v1/models`. */
export function openaiModel(id: string): object {
  return { id, object: "model", created: Date.parse(MODIFIED_AT) / 1000, owned_by: "library" };
}

function expired(resident: Resident, now: number): boolean {
  return resident.users === 0 && resident.idleSince + resident.keepAliveMs <= now;
}

/** Ollama adds the tag that a name leaves out. */
function tagged(name: string): string {
  return /:[^/]*$/.test(name) ? name : `${name}:latest`;
}

function identity(name: string) {
  const digest = digestOf(name);
  return {
    name,
    model: name,
    // Between two and three gigabytes, the same for a model on every machine.
    size: 2_000_000_000 + Number.parseInt(digest.slice(0, 7), 16) * 3,
    digest,
    details: {
      parent_model: "",
      format: "gguf",
      family: "llama",
      families: ["llama"],
      parameter_size: "3.2B",
      quantization_level: "Q4_K_M",
    },
  };
}
