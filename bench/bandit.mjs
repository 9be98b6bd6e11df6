// Times of the learning library alone, no service around it: prediction, exploration, one update. Run: node bench/bandit.mjs
import { availableParallelism, loadavg } from 'node:os';
import { NeuralUcb } from '@a2sf/bandit';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';

const dimension = 768;
const random = new Random(1);
const contexts = Array.from({ length: 256 }, () =>
  Float32Array.from({ length: dimension }, () => 2 * random.uniform() - 1),
);
const space = ActionSpace.default;
const agent = NeuralUcb.initial({ space, dimension, seed: 1 });
const batch = contexts.map((context, n) => ({ context, actionIndex: n % space.size, reward: random.uniform() }));
const learning = { lr: 3e-4, maxGradNorm: 1 };

function measure(name, times, work) {
  for (let i = 0; i < 3; i++) work(i);
  const took = Array.from({ length: times }, (_, i) => {
    const start = performance.now();
    work(i);
    return performance.now() - start;
  }).sort((x, y) => x - y);
  const at = (q) => took[Math.min(times - 1, Math.floor(q * times))].toFixed(2);
  console.log(`${name.padEnd(44)} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${times} times)`);
}

measure('update of 256, all 60 actions', 12, () => agent.update(batch, learning));
const blind = { uncertainty: false }; // what a service asks for that shows no bound
measure('select of 1, no exploration, no uncertainty', 300, (i) => agent.select([contexts[i % 256]], 0, blind));
measure('select of 1, no exploration', 300, (i) => agent.select([contexts[i % 256]], 0));
measure('select of 1, exploration (60 matrices)', 100, (i) => agent.select([contexts[i % 256]], 1));
measure('select of 32, no exploration, no uncertainty', 100, () => agent.select(contexts.slice(0, 32), 0, blind));
measure('select of 32, no exploration', 50, () => agent.select(contexts.slice(0, 32), 0));
const full = contexts.map((context) => ({
  context,
  rewards: Float32Array.from({ length: space.size }, () => random.uniform()),
}));
const sweep = NeuralUcb.initial({ space, dimension, seed: 1 });
measure('full-information update of 256', 12, () => sweep.updateFull(full, learning));
console.log(`load average ${loadavg()[0].toFixed(1)} on ${availableParallelism()} cores`);
