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

/** The same steps with each of their pools replaced; asks in the order of `poolsOf`. */
export function withPools(
  steps: readonly Step[],
  replace: (pool: PoolRules) => PoolRules,
): readonly Step[] {
  return steps.map(({ match, action }) => ({ match, action: actionWith(action, replace) }));
}

function actionWith(action: Action, replace: (pool: PoolRules) => PoolRules): Action {
  switch (action.kind) {
    case "proxy":
    case "forward_auth": {
      const pool = replace(action.pool);
      const responses = pool.responses.map((rule) =>
        rule.action.kind === "steps"
          ? {
            match: rule.match,
            action: { ...rule.action, steps: withPools(rule.action.steps, replace) },
          }
          : rule
      );
      return { ...action, pool: { ...pool, responses } };
    }
    case "steps":
      return { ...action, steps: withPools(action.steps, replace) };
    case "first_of": {
      const branches = action.branches.map(({ match, steps }) => ({
        match,
        steps: withPools(steps, replace),
      }));
      return { ...action, branches };
    }
    default:
      return action;
  }
}
