import type { Parameter } from './feature-network.js';

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * Adam (Kingma, Ba 2015) without weight decay, per parameter w with gradient g at step t:
 * m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps).
 */
export class Adam {
  /** Steps taken, t. */
  step: number;
  /** m and v, in the order of the parameters. */
  readonly firstMoments: readonly Float32Array[];
  readonly secondMoments: readonly Float32Array[];

  constructor(step: number, firstMoments: readonly Float32Array[], secondMoments: readonly Float32Array[]) {
    this.step = step;
    this.firstMoments = firstMoments;
    this.secondMoments = secondMoments;
  }

  static initial(parameters: readonly Parameter[]): Adam {
    const zeros = () => parameters.map(({ values }) => new Float32Array(values.length));
    return new Adam(0, zeros(), zeros());
  }

  /** One step with the gradients times `scale`. */
  apply(parameters: readonly Parameter[], gradients: readonly Float32Array[], lr: number, scale: number): void {
    this.step++;
    const rate = lr / (1 - beta1 ** this.step);
    const correction = 1 / Math.sqrt(1 - beta2 ** this.step);
    for (const [index, { values }] of parameters.entries()) {
      const gradient = gradients[index]!;
      const first = this.firstMoments[index]!;
      const second = this.secondMoments[index]!;
      for (let i = 0; i < values.length; i++) {
        const g = scale * gradient[i]!;
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const v = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        values[i]! -= (rate * m) / (Math.sqrt(v) * correction + epsilon);
      }
    }
  }
}

/** sqrt of the sum of the squares of all gradients. */
export function globalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  return Math.sqrt(sum);
}

/** Factor that brings a gradient of this norm to at most `maxNorm`: min(1, maxNorm / (norm + 1e-6)). */
export function clipFactor(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6));
}
