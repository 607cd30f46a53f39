/**
 * What a client of HTTP/2 may do that makes work and asks for nothing: how often, and what it earns by letting
 * itself be answered. Whoever does more has his connection ended; others never notice. Pure.
 */

interface Bound {
  /** In words, for whoever reads why a connection was ended. */
  readonly what: string;
  /** Times that it may happen in a row. */
  readonly burst: number;
  /** Times a second that it may go on happening. */
  readonly perSecond: number;
  /** Times that every whole answer allows for. */
  readonly perAnswer: number;
  /** Times that every write of an answer's bytes allows for, large ones counted as several. */
  readonly perWrite: number;
}

const BOUNDS = {
  /**
   * Streams that the client resets before they were answered, each an upstream asked in vain: rapid reset
   * (CVE-2023-44487). Who leaves a page resets some dozens.
   */
  reset: { what: "streams reset", burst: 500, perSecond: 50, perAnswer: 1, perWrite: 0 },
  /** Streams that it makes us reset, by what they must not bring: the same by our own hand (CVE-2025-8671). */
  breach: {
    what: "streams that we had to reset",
    burst: 100,
    perSecond: 10,
    perAnswer: 0.5,
    perWrite: 0,
  },
  /** Settings, each of which asks for an acknowledgement (CVE-2019-9515). */
  settings: { what: "settings", burst: 20, perSecond: 1, perAnswer: 0, perWrite: 0 },
  /** Pings likewise (CVE-2019-9512). gRPC measures its way by one to every read. */
  ping: { what: "pings", burst: 100, perSecond: 10, perAnswer: 1, perWrite: 1 },
  /** Priorities, which nobody heeds (CVE-2019-9513). */
  priority: { what: "priorities", burst: 500, perSecond: 50, perAnswer: 4, perWrite: 0 },
  /**
   * Windows widened, of which a few to every write are of use (CVE-2019-9511, CVE-2019-9517). Go's client widens
   * both for every 4 KiB that it reads, however much of them came at once.
   */
  window: { what: "window updates", burst: 1000, perSecond: 100, perAnswer: 4, perWrite: 4 },
  /** Frames of a body with nothing in them and no end (CVE-2019-9518). */
  empty: { what: "empty frames of bodies", burst: 100, perSecond: 10, perAnswer: 1, perWrite: 0 },
  /** Frames of types or streams that are nobody's. Chrome tells priorities in one of those. */
  stray: { what: "frames of no use", burst: 500, perSecond: 50, perAnswer: 4, perWrite: 0 },
} as const satisfies Record<string, Bound>;

/** A write of more counts as several: clients act on what they read, and read little at a time. */
const WRITE_BYTES = 4 * 1024;

export type Nuisance = keyof typeof BOUNDS;

/** What is kept of each: how often it happened lately, and the time, answers and writes it was last counted at. */
const KEPT = 4;
const PLACES = new Map(Object.keys(BOUNDS).map((nuisance, at) => [nuisance, KEPT * at]));

export class Guard {
  /** Whole answers so far. */
  answers = 0;
  #writes = 0;
  readonly #kept = new Float64Array(KEPT * PLACES.size);

  /** Bytes of an answer were written. */
  wrote(bytes: number): void {
    this.#writes += Math.ceil(bytes / WRITE_BYTES);
  }

  /** Counts one. Returns what there was too much of, if it was out of bounds. `now` is `elapsed` time. */
  count(nuisance: Nuisance, now: number): string | undefined {
    const { what, burst, perSecond, perAnswer, perWrite }: Bound = BOUNDS[nuisance];
    const kept = this.#kept;
    const at = PLACES.get(nuisance) ?? 0;
    const lately = kept[at] ?? 0;
    const forgiven = (now - (kept[at + 1] ?? 0)) / 1000 * perSecond +
      (this.answers - (kept[at + 2] ?? 0)) * perAnswer;
    // What writes allow for is saved up: whoever has all of an answer may yet have much of it to read.
    const times = Math.max(Math.min(lately, 0), lately - forgiven) + 1 -
      (this.#writes - (kept[at + 3] ?? 0)) * perWrite;
    kept[at] = times;
    kept[at + 1] = now;
    kept[at + 2] = this.answers;
    kept[at + 3] = this.#writes;
    return times <= burst ? undefined : what;
  }
}
