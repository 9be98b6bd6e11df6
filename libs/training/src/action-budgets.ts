import type { Action } from '@a2sf/kv-compression';

/** The budgets of actions under a name, as a line of a run holds them; nothing where they name none. */
export function budgetsOf<N extends string>(name: N, actions: readonly Action[]): { [K in N]?: number[] } {
  const budgets = actions.flatMap(({ budget }) => (budget === undefined ? [] : [budget]));
  return (budgets.length === 0 ? {} : { [name]: budgets }) as { [K in N]?: number[] };
}
