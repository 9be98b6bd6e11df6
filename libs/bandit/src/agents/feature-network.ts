import { addScaled, affine } from '../linear.js';
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
  readonly inputs: Float64Array; // [N, D]
  readonly hidden: Float64Array; // [N, h]
  readonly features: Float64Array; // [N, h]
  readonly predictions: Float64Array; // [N, A]
}

/** Loss and gradients, in the order of the parameters. */
export interface LossGradient {
  readonly loss: number;
  readonly gradients: readonly Float64Array[];
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

/**
 * z = ReLU(W2 ReLU(W1 x + b1) + b2), p = sigmoid(W3 z + b3): features z [h] and predicted rewards p [A] of a context x [D].
 * Weights are held in single precision, all sums are double.
 */
export class FeatureNetwork {
  readonly shape: NetworkShape;
  readonly parameters: readonly Parameter[];

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

  forward(contexts: readonly Float32Array[]): Activations {
    const rows = contexts.length;
    const inputs = new Float64Array(rows * this.shape.dimension);
    for (const [n, context] of contexts.entries()) inputs.set(context, n * this.shape.dimension);
    const hidden = relu(affine(this.#values(0), this.#values(1), inputs, rows));
    const features = relu(affine(this.#values(2), this.#values(3), hidden, rows));
    const predictions = sigmoid(affine(this.#values(4), this.#values(5), features, rows));
    return { rows, inputs, hidden, features, predictions };
  }

  /**
   * E = 1/N sum_n (p[n, a_n] - r_n)^2 and dE/dparameter by the chain rule, for the chosen actions a [N] and rewards r [N].
   * sigmoid' = p (1 - p); ReLU' = 1 where its output is positive, else 0.
   */
  lossGradient(forward: Activations, chosen: readonly number[], rewards: readonly number[]): LossGradient {
    const { dimension: D, hidden: H, actions: A } = this.shape;
    const N = forward.rows;
    const gradients = this.parameters.map(({ values }) => new Float64Array(values.length));
    const [dW1, dB1, dW2, dB2, dW3, dB3] = gradients as Tuple6;
    const W2 = this.#values(2);
    const W3 = this.#values(4);
    const dFeatures = new Float64Array(H);
    const dHidden = new Float64Array(H);
    let loss = 0;
    for (let n = 0; n < N; n++) {
      const a = chosen[n]!;
      const p = forward.predictions[n * A + a]!;
      const error = p - rewards[n]!;
      loss += (error * error) / N;
      const dLogit = ((2 * error) / N) * p * (1 - p);
      dB3[a]! += dLogit;
      addScaled(dLogit, forward.features, n * H, dW3, a * H, H);
      dFeatures.fill(0);
      addScaled(dLogit, W3, a * H, dFeatures, 0, H);
      dHidden.fill(0);
      for (let o = 0; o < H; o++) {
        const d = dFeatures[o]!;
        if (d === 0 || forward.features[n * H + o]! <= 0) continue;
        dB2[o]! += d;
        addScaled(d, forward.hidden, n * H, dW2, o * H, H);
        addScaled(d, W2, o * H, dHidden, 0, H);
      }
      for (let o = 0; o < H; o++) {
        const d = dHidden[o]!;
        if (d === 0 || forward.hidden[n * H + o]! <= 0) continue;
        dB1[o]! += d;
        addScaled(d, forward.inputs, n * D, dW1, o * D, D);
      }
    }
    return { loss, gradients };
  }

  #values(index: number): Float32Array {
    return this.parameters[index]!.values;
  }
}

type Tuple6 = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];

function relu(x: Float64Array): Float64Array {
  for (let i = 0; i < x.length; i++) if (!(x[i]! > 0)) x[i] = 0;
  return x;
}

/** 1 / (1 + e^-x); e^-x may overflow to Infinity, which gives 0. */
function sigmoid(x: Float64Array): Float64Array {
  for (let i = 0; i < x.length; i++) x[i] = 1 / (1 + Math.exp(-x[i]!));
  return x;
}
