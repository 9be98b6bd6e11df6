/** The names of the ways to choose, for people, in the order they are shown, each with a colour of its own. */
const known: readonly (readonly [name: string, label: string, colour: string])[] = [
  ['policy', 'policy (greedy)', '#2b7de9'],
  ['oracle', 'oracle', '#12906b'],
  ['task_table', 'task table', '#8e6cc0'],
  ['best_fixed', 'best fixed action', '#d0660a'],
  ['best_fixed_train', 'best fixed action of training', '#b5533c'],
  ['snapkv_16', 'SnapKV 16', '#c04f94'],
  ['snapkv_32', 'SnapKV 32', '#a3689a'],
  ['snapkv_64', 'SnapKV 64', '#86507d'],
  ['h2o', 'H2O', '#a68a00'],
  ['streaming_llm', 'streaming-llm', '#5f8a8b'],
  ['random', 'random', '#7d8590'],
  ['full', 'full cache', '#4f9fbf'],
];
const others = ['#5b7fa8', '#6f8f3a', '#9a5fa5', '#3f8f8f', '#a0743c'];

/** A way to choose as the charts show it. */
export interface Method {
  readonly name: string;
  readonly label: string;
  /** CSS colour that is legible on white and on black. */
  readonly colour: string;
}

/** The methods of some names: the known ones first, then the others in their order. */
export function methods(names: Iterable<string>): Method[] {
  const given = [...new Set(names)];
  const first = known.flatMap(([name, label, colour]) => (given.includes(name) ? [{ name, label, colour }] : []));
  const rest = given.filter((name) => !known.some(([other]) => other === name));
  const labelled = rest.map((name, i) => ({
    name,
    label: name.replaceAll('_', ' '),
    colour: others[i % others.length]!,
  }));
  return [...first, ...labelled];
}

/** The colour of the policy. */
export const policyColour = known[0]![2];
