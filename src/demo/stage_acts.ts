/** The demo in the hands of whoever has its page open: what each button does to an upstream. */
import type { StagedUpstream } from "./stage.ts";

export const ACTS = ["kill", "suspend", "revive"] as const;

/** Undefined when it is done, else why it is not. */
export async function playAct(
  upstreams: readonly StagedUpstream[],
  name: string,
  act: string,
): Promise<string | undefined> {
  const upstream = upstreams.find((one) => one.name === name);
  if (upstream === undefined) return `There is no upstream "${name}" on this stage`;
  const { state } = upstream;
  switch (act) {
    case "kill":
      if (state === "ended") return `${name} does not run; revive it first`;
      await upstream.kill();
      return undefined;
    case "suspend":
      if (state !== "running") return `${name} does not run; revive it first`;
      upstream.suspend();
      return undefined;
    case "revive":
      if (state === "suspended") {
        upstream.resume();
        return undefined;
      }
      if (state !== "ended") return `${name} runs already`;
      return await upstream.start() ? undefined : `${name} did not start`;
    default:
      return `Nobody can ${act} an upstream`;
  }
}
