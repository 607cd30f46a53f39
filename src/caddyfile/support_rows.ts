/** Short ways to write rows of the tables of support. */
import type { Support } from "./directive.ts";

export function same(name: string, setting: string, note = ""): Support {
  return { name, verdict: "same", setting, note };
}

export function better(name: string, setting: string, note: string): Support {
  return { name, verdict: "better", setting, note };
}

export function different(name: string, setting: string, note: string): Support {
  return { name, verdict: "different", setting, note };
}

/** `note` reads well after "as", `nearest` after "use". */
export function refused(name: string, note: string, nearest?: string): Support {
  return { name, verdict: "refused", setting: "", note, ...(nearest !== undefined && { nearest }) };
}
