import type { EmbeddingOutput } from '@a2sf/contracts';
import { ActionSpace } from '@a2sf/kv-compression';
import { initialPolicy } from '@a2sf/training';

const dimension = 6;
const encoderId = 'small-encoder@1';

/** The bytes of a policy of four actions over contexts of six numbers. */
export function smallPolicy(): Uint8Array {
  return initialPolicy({
    agent: 'neural-ucb',
    space: new ActionSpace([0, 10], [8, 16]),
    dimension,
    hidden: 8,
    seed: 3,
    hyperParameters: { lr: 1e-3, ucbBeta: 0.5, uncertaintyCoef: 0.1, maxGradNorm: 1 },
    encoderId,
    configHash: 'c0ffee',
  });
}

/** A context of its number. */
export function contextOf(n: number): EmbeddingOutput {
  const values = Array.from({ length: dimension }, (_, i) => Math.sin(1 + n * 7 + i));
  return { values, tokens: 3, truncated: false, empty: false, encoderId };
}

export function experienceOf(n: number, name = 'e') {
  return { id: `${name}${n}`, embedding: contextOf(n), actionIndex: n % 4, reward: (n % 5) / 4 };
}
