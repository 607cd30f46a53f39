/** Turns in the life of two probed upstreams, one after the other, and who answers once they are noticed. */
import type { Name } from "../../support/beside_stage.ts";

export interface Turn {
  readonly title: string;
  readonly stops?: readonly Name[];
  readonly revives?: readonly Name[];
  /** Probes are answered by 503 from here on. */
  readonly ails?: readonly Name[];
  readonly recovers?: readonly Name[];
  /** Body of an answer, or a status of three digits. */
  readonly answers: string;
}

export const TURNS: readonly Turn[] = [
  { title: "both are up", answers: "c" },
  { title: "the first answers probes by 503", ails: ["C"], answers: "d" },
  { title: "the first is well again", recovers: ["C"], answers: "c" },
  { title: "the first is stopped", stops: ["C"], answers: "d" },
  { title: "the second answers probes by 503", ails: ["D"], answers: "503" },
  { title: "the first returns", revives: ["C"], answers: "c" },
  { title: "the second is stopped, too", stops: ["D"], answers: "c" },
  { title: "both are stopped", stops: ["C"], answers: "503" },
  { title: "only the second returns, well", revives: ["D"], recovers: ["D"], answers: "d" },
  { title: "the first returns again", revives: ["C"], answers: "c" },
];
