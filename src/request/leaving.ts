/** What is done with an answer as it leaves, whoever gave it: fields that are owed, edits, compression. */
import type { Reply } from "../model.ts";
import type { World } from "./deps.ts";
import { encoded } from "./encode.ts";
import { type Answer, letGo } from "./ending.ts";
import { edit } from "./headers.ts";
import { placeholders } from "./placeholders.ts";
import type { Visit } from "./visit.ts";

/** The reply as it leaves; gives the answer back if that fails. */
export function leaving(
  reply: Reply,
  answer: Answer | undefined,
  visit: Visit,
  world: World,
): Reply {
  try {
    return edited(reply, visit, world);
  } catch (bug) {
    if (answer !== undefined) letGo(answer);
    throw bug;
  }
}

function edited(reply: Reply, visit: Visit, world: World): Reply {
  const { fields } = reply;
  // All values of a name are owed where the answer has none of its own.
  const owed = visit.owed?.filter(([name]) => !fields.has(name)) ?? [];
  for (const [name, value] of owed) fields.append(name, value);

  const values = placeholders(visit);
  for (const action of visit.leaving ?? []) {
    if (action.kind === "headers") edit(fields, action.response, values);
  }
  let made = reply;
  for (const action of visit.leaving ?? []) {
    if (action.kind === "encode") made = encoded(made, action, visit, world);
  }
  return made;
}
