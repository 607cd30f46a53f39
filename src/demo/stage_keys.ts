/** The demo in a viewer's hands: what each key does to the preferred upstream and to the load. */
import type { StagedUpstream } from "./stage.ts";
import type { Beat } from "./stage_load.ts";

export interface Hands {
  readonly preferred: StagedUpstream;
  readonly load: readonly Beat[];
  /** Answers a key that changed no process. */
  readonly say: (word: string, detail: string) => void;
  readonly quit: () => void;
}

export function keysInWords(preferred: string): string {
  return `k kill ${preferred}   s start it   z suspend or continue it   l load on/off   q quit`;
}

export function press(key: string, { preferred, load, say, quit }: Hands): void {
  const { name, state } = preferred;
  switch (key.toLowerCase()) {
    case "k":
      if (state === "ended") return say("key k", `${name} does not run; s starts it`);
      return void preferred.kill();
    case "s":
      if (state === "suspended") return preferred.resume();
      if (state !== "ended") return say("key s", `${name} runs already`);
      return void preferred.start();
    case "z":
      if (state === "suspended") return preferred.resume();
      if (state !== "running") return say("key z", `${name} does not run; s starts it`);
      return preferred.suspend();
    case "l": {
      const going = load.some((beat) => beat.going);
      for (const beat of load) {
        if (going) beat.stop();
        else beat.start();
      }
      return say("load", going ? "off; running answers go on" : "on");
    }
    case "q":
      return quit();
  }
}
