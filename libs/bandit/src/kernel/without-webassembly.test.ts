import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Prints all that an agent learned in two updates, and what it chooses then. */
const script = `
  const [bandit, { ActionSpace }, { Random }] = await Promise.all(process.argv.slice(1).map((url) => import(url)));
  const random = new Random(1);
  const numbers = (length) => Float32Array.from({ length }, () => 2 * random.uniform() - 1);
  const space = new ActionSpace([0, 10], [1, 16]);
  const agent = bandit.agentType('neural-ucb').initial({ space, dimension: 21, hidden: 10, seed: 2 });
  for (let update = 0; update < 2; update++) {
    const batch = Array.from({ length: 9 }, (_, n) => ({ context: numbers(21), actionIndex: n % 4, reward: random.uniform() }));
    agent.update(batch, { lr: 1e-2, maxGradNorm: 1 });
  }
  const tensors = [...agent.state().tensors].map(([name, { data }]) => [name, Array.from(data, String)]);
  console.log(typeof WebAssembly, JSON.stringify([tensors, agent.select([numbers(21)], 0.5)]));
`;
const modules = [new URL('../index.js', import.meta.url).href].concat(
  ['@a2sf/kv-compression', '@a2sf/random'].map((name) => import.meta.resolve(name)),
);

function learned(...flags: string[]): [string, string] {
  const args = [...flags, '--input-type=module', '--eval', script, ...modules];
  const { groups } = /^(?<has>\S+) (?<state>.*)/.exec(execFileSync(process.execPath, args, { encoding: 'utf8' }))!;
  return [groups!['has']!, groups!['state']!];
}

test('without WebAssembly the same is learned and chosen, to the last bit', () => {
  const [has, state] = learned();
  const [hasNot, other] = learned('--jitless', '--no-expose-wasm');
  assert.deepEqual([has, hasNot], ['object', 'undefined']);
  assert.ok(state.length > 1000);
  assert.equal(other, state);
});
