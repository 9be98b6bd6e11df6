import { affine, affineGradient, inputGradient } from '../linear.js';
import type { Random } from '@a2sf/random';

/** A trained array of the network. */
export interface Parameter {
  /** Its name in a checkpoint. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Widths of the network. */
export interface NetworkShape {
  /** D, length of a context. */
  readonly dimension: number;
  /** h, width of both hidden layers. */
  readonly hidden: number;
  /** A, number of actions. */
  readonly actions: number;
}

/** What a forward pass over N contexts leaves. */
export interface Activations {
  readonly rows: number;
  readonly inputs: Float32Array; // [N, D]
  readonly hidden: Float32Array; // [N, h]
  readonly features: Float32Array; // [N, h]
  readonly predictions: Float64Array; // [N, A]
}

/** Loss and gradients, in the order of the parameters. */
export interface LossGradient {
  readonly loss: number;
  readonly gradients: readonly Float32Array[];
}

/** Names and shapes of the parameters, in the order they are drawn, stored and stepped. */
export function parameterShapes({ dimension: d, hidden: h, actions: a }: NetworkShape): [string, number[]][] {
  return [
    ['backbone.0.weight', [h, d]],
    ['backbone.0.bias', [h]],
    ['backbone.2.weight', [h, h]],
    ['backbone.2.bias', [h]],
    ['reward_head.weight', [a, h]],
    ['reward_head.bias', [a]],
  ];
}

/** A larger batch is not remembered: at the widths of the default policy this one takes 3 MB. */
const rememberedRows = 512;

/**
 * z = ReLU(W2 ReLU(W1 x + b1) + b2), p = sigmoid(W3 z + b3): features z [h] and predicted rewards p [A] of a context x [D].
 * In single precision but for the sigmoid and the loss; the same on every machine and in every batch, to the last bit.
 */
export class FeatureNetwork {
  readonly shape: NetworkShape;
  readonly parameters: readonly Parameter[];
  /** Of the weights as they are: a batch is chosen for, its beginning judged, and all learnt from in turn. Undefined after a change. */
  #last: Activations | undefined;

  /** `parameters` as `parameterShapes` lists them. */
  constructor(shape: NetworkShape, parameters: readonly Parameter[]) {
    this.shape = shape;
    this.parameters = parameters;
  }

  /** Xavier-uniform weights (Glorot, Bengio 2010): U(-r, r), r = sqrt(6 / (inputs + outputs)); zero biases. */
  static initial(shape: NetworkShape, random: Random): FeatureNetwork {
    const parameters = parameterShapes(shape).map(([name, dimensions]) => {
      const [outputs, inputs] = dimensions as [number, number?];
      const values = new Float32Array(outputs * (inputs ?? 1));
      const range = Math.sqrt(6 / (outputs + (inputs ?? 0)));
      if (inputs !== undefined) for (let i = 0; i < values.length; i++) values[i] = range * (2 * random.uniform() - 1);
      return { name, shape: dimensions, values };
    });
    return new FeatureNetwork(shape, parameters);
  }

  /** The result is remembered for the next call, and is not to be written to. */
  forward(contexts: readonly Float32Array[]): Activations {
    const rows = contexts.length;
    const inputs = new Float32Array(rows * this.shape.dimension);
    for (const [n, context] of contexts.entries()) inputs.set(context, n * this.shape.dimension);
    const last = this.#last;
    if (last !== undefined && beginsWith(last.inputs, inputs)) return rows === last.rows ? last : firstRows(last, rows);
    const hidden = relu(affine(this.#values(0), this.#values(1), inputs));
    const features = relu(affine(this.#values(2), this.#values(3), hidden));
    const predictions = sigmoid(affine(this.#values(4), this.#values(5), features));
    const activations = { rows, inputs, hidden, features, predictions };
    this.#last = rows <= rememberedRows ? activations : undefined;
    return activations;
  }

  /** The one way to write to the parameters: what is remembered of the old ones is forgotten. */
  change(write: (parameters: readonly Parameter[]) => void): void {
    write(this.parameters);
    this.#last = undefined;
  }

  /**
   * E = 1/N sum_n (p[n, a_n] - r_n)^2 and dE/dparameter by the chain rule, for the chosen actions a [N] and rewards r [N].
   * sigmoid' = p (1 - p); ReLU' = 1 where its output is positive, else 0.
   */
  lossGradient(forward: Activations, chosen: readonly number[], rewards: readonly number[]): LossGradient {
    const { actions: A } = this.shape;
    const N = forward.rows;
    const dLogits = new Float32Array(N * A);
    let loss = 0;
    for (let n = 0; n < N; n++) {
      const at = n * A + chosen[n]!;
      const p = forward.predictions[at]!;
      const error = p - rewards[n]!;
      loss += (error * error) / N;
      dLogits[at] = ((2 * error) / N) * p * (1 - p);
    }
    return { loss, gradients: this.#gradients(forward, dLogits) };
  }

  /** The same for E = 1/(N A) sum_n sum_a (p[n, a] - r[n, a])^2, where the rewards r of all actions are known. */
  fullLossGradient(forward: Activations, rewards: readonly Float32Array[]): LossGradient {
    const { actions: A } = this.shape;
    const count = forward.rows * A;
    const dLogits = new Float32Array(count);
    let loss = 0;
    for (const [n, row] of rewards.entries()) {
      for (let a = 0; a < A; a++) {
        const p = forward.predictions[n * A + a]!;
        const error = p - row[a]!;
        loss += (error * error) / count;
        dLogits[n * A + a] = ((2 * error) / count) * p * (1 - p);
      }
    }
    return { loss, gradients: this.#gradients(forward, dLogits) };
  }

  /** dE/dparameter, given dE/dlogit [N, A]. */
  #gradients({ rows, inputs, hidden, features }: Activations, dLogits: Float32Array): Float32Array[] {
    const { hidden: H, actions: A } = this.shape;
    const dFeatures = throughRelu(inputGradient(dLogits, this.#values(4), A), features);
    const dHidden = throughRelu(inputGradient(dFeatures, this.#values(2), H), hidden);
    const layers = [
      affineGradient(dHidden, inputs, rows),
      affineGradient(dFeatures, hidden, rows),
      affineGradient(dLogits, features, rows),
    ];
    return layers.flatMap(({ weights, bias }) => [weights, bias]);
  }

  #values(index: number): Float32Array {
    return this.parameters[index]!.values;
  }
}

function beginsWith(all: Float32Array, first: Float32Array): boolean {
  if (first.length > all.length) return false;
  for (let i = 0; i < first.length; i++) if (all[i] !== first[i]) return false;
  return true;
}

/** What a forward pass over the first contexts alone would leave: a row does not depend on those around it. */
function firstRows({ rows: all, inputs, hidden, features, predictions }: Activations, rows: number): Activations {
  return {
    rows,
    inputs: inputs.subarray(0, (inputs.length / all) * rows),
    hidden: hidden.subarray(0, (hidden.length / all) * rows),
    features: features.subarray(0, (features.length / all) * rows),
    predictions: predictions.subarray(0, (predictions.length / all) * rows),
  };
}

function relu(x: Float32Array): Float32Array {
  for (let i = 0; i < x.length; i++) if (!(x[i]! > 0)) x[i] = 0;
  return x;
}

/** dE/dinput of a ReLU from dE/doutput, in place. */
function throughRelu(gradient: Float32Array, output: Float32Array): Float32Array {
  for (let i = 0; i < gradient.length; i++) if (!(output[i]! > 0)) gradient[i] = 0;
  return gradient;
}

/** 1 / (1 + e^-x); e^-x may overflow to Infinity, which gives 0. */
function sigmoid(x: Float32Array): Float64Array {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]!));
  return y;
}
