import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@a2sf/random';
import { FeatureNetwork } from './feature-network.js';

const shape = { dimension: 5, hidden: 6, actions: 3 };
const random = new Random(11);
const network = FeatureNetwork.initial(shape, random);
for (const { values } of network.parameters)
  for (let i = 0; i < values.length; i++) values[i]! += 0.2 * (random.uniform() - 0.5);
const contexts = Array.from({ length: 7 }, () => Float32Array.from({ length: 5 }, () => 2 * random.uniform() - 1));

/** One context by the formula, a dot product at a time. */
function naiveForward(x: Float32Array): { features: number[]; predictions: number[] } {
  const [W1, b1, W2, b2, W3, b3] = network.parameters.map(({ values }) => values);
  const layer = (W: Float32Array, b: Float32Array, input: readonly number[]) =>
    Array.from(b, (bias, o) => input.reduce((sum, value, i) => sum + W[o * input.length + i]! * value, bias));
  const relu = (values: number[]) => values.map((value) => Math.max(value, 0));
  const features = relu(layer(W2!, b2!, relu(layer(W1!, b1!, [...x]))));
  return { features, predictions: layer(W3!, b3!, features).map((value) => 1 / (1 + Math.exp(-value))) };
}

test('the batched forward pass is the formula to single precision, and that of each context alone to the last bit', () => {
  for (let rows = 0; rows <= contexts.length; rows++) {
    const { features, predictions } = network.forward(contexts.slice(0, rows));
    for (let n = 0; n < rows; n++) {
      const alone = network.forward([contexts[n]!]);
      assert.deepEqual(features.subarray(n * 6, n * 6 + 6), alone.features);
      assert.deepEqual(predictions.subarray(n * 3, n * 3 + 3), alone.predictions);
      const naive = naiveForward(contexts[n]!);
      for (const [i, feature] of naive.features.entries()) assert.ok(Math.abs(alone.features[i]! - feature) < 1e-6);
      for (const [a, p] of naive.predictions.entries()) assert.ok(Math.abs(alone.predictions[a]! - p) < 1e-6);
    }
  }
});

test('the gradient is the slope of the loss', () => {
  const chosen = [0, 1, 2, 1, 1, 0, 2];
  const rewards = [0, 1, 0.5, 0.2, 0.9, 0.4, 0.7];
  const lossAt = (): number => {
    network.change(() => {}); // values are written to in place
    return network.lossGradient(network.forward(contexts), chosen, rewards).loss;
  };
  const { gradients } = network.lossGradient(network.forward(contexts), chosen, rewards);
  for (const [index, { values, name }] of network.parameters.entries()) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const step = 2 ** -12;
      values[i] = value + step;
      const up = values[i]!;
      const lossUp = lossAt();
      values[i] = value - step;
      const slope = (lossUp - lossAt()) / (up - values[i]!);
      values[i] = value;
      // Central difference: the error is about step^2 = 6e-8 times the third derivative.
      assert.ok(Math.abs(slope - gradients[index]![i]!) < 1e-5, `${name}[${i}]: ${slope} ${gradients[index]![i]}`);
    }
  }
});

test('first weights are Xavier-uniform and first biases zero', () => {
  const { parameters } = FeatureNetwork.initial({ dimension: 40, hidden: 60, actions: 4 }, new Random(0));
  const range = Math.sqrt(6 / 100);
  const weights = parameters[0]!.values;
  assert.ok(weights.every((value) => Math.abs(value) <= range));
  assert.ok(Math.max(...weights) > 0.98 * range && Math.min(...weights) < -0.98 * range);
  for (const { name, values } of parameters) if (name.endsWith('bias')) assert.ok(values.every((value) => value === 0));
});
