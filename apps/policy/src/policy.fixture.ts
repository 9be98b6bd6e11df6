import { NeuralUcb } from '@a2sf/bandit';
import { Random } from '@a2sf/random';
import { ActionSpace } from '@a2sf/kv-compression';
import { encodePolicyCheckpoint, type PolicyCheckpoint } from '@a2sf/run-store';

/** A small policy for the tests. */
export const testSpace = new ActionSpace([0, 10], [8, 16]);
export const testDimension = 6;
export const testEncoderId = 'test-encoder@1';

export function testCheckpoint(change: Partial<PolicyCheckpoint> = {}): PolicyCheckpoint {
  return {
    state: NeuralUcb.initial({ space: testSpace, dimension: testDimension, hidden: 12, seed: 3 }).state(),
    iteration: 0,
    policyVersion: 0,
    encoderId: testEncoderId,
    configHash: 'c0ffee',
    randomState: new Random(1).state(),
    seed: 42,
    hyperParameters: { lr: 1e-3, ucbBeta: 0.5, uncertaintyCoef: 0.1, maxGradNorm: 1 },
    ...change,
  };
}

export function testBytes(change: Partial<PolicyCheckpoint> = {}): Uint8Array {
  return encodePolicyCheckpoint(testCheckpoint(change));
}

/** Numbers in -1..1, the same for the same seed. */
export function testContext(seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: testDimension }, () => 2 * random.uniform() - 1);
}
