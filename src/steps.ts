/** Walks the steps of routes, for those who need all of one thing wherever it stands. Pure. */
import type { Action, PoolRules, Route, Step } from "./rules.ts";

/** Every pool that these routes name, in the order of the file. */
export function poolsOf(routes: readonly Route[]): readonly PoolRules[] {
  return routes.flatMap(({ steps, errors }) => [
    ...inSteps(steps),
    ...errors.flatMap((rule) => inSteps(rule.steps)),
  ]);
}

function inSteps(steps: readonly Step[]): PoolRules[] {
  return steps.flatMap(({ action }) => inAction(action));
}

function inAction(action: Action): PoolRules[] {
  switch (action.kind) {
    case "proxy":
    case "forward_auth":
      return [
        action.pool,
        ...action.pool.responses.flatMap((rule) =>
          rule.action.kind === "steps" ? inSteps(rule.action.steps) : []
        ),
      ];
    case "steps":
      return inSteps(action.steps);
    case "first_of":
      return action.branches.flatMap(({ steps }) => inSteps(steps));
    default:
      return [];
  }
}
