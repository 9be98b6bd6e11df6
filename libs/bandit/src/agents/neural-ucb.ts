import type { InitialOptions, RestoreOptions } from '../agent.js';
import type { PolicyState } from '../policy-state.js';
import { ModelAgent } from './model-agent.js';
import { NeuralModel } from './neural-model.js';
import { upperBoundRule } from './selection-rule.js';

/** What the network says of some contexts, one entry a context. */
export interface Prediction {
  readonly predictions: readonly Float32Array[]; // [A] each
  readonly uncertainties: readonly Float32Array[]; // [A] each
  readonly features: readonly Float32Array[]; // [h] each
}

/**
 * Neural-linear UCB (after Zhou, Li, Gu 2020, with the covariance on the last layer's features): for features z and
 * predictions p of a context, u_a = z' L_a^-1 z and ucb_a = p_a + beta sqrt(u_a + 1e-6); the action is the argmax.
 */
export class NeuralUcb extends ModelAgent<NeuralModel> {
  static readonly agentName = 'neural-ucb';

  static initial(options: InitialOptions): NeuralUcb {
    return new NeuralUcb(NeuralModel.initial(options), { name: NeuralUcb.agentName, rule: upperBoundRule });
  }

  static restore(state: PolicyState, options?: RestoreOptions): NeuralUcb {
    return new NeuralUcb(NeuralModel.restore(state, options), { name: NeuralUcb.agentName, rule: upperBoundRule });
  }

  /** Predictions, features and the uncertainties of all actions. */
  predict(contexts: readonly Float32Array[]): Prediction {
    for (const [n, context] of contexts.entries()) this.requireContext(context, `contexts[${n}]`);
    const evaluation = this.model.evaluate(contexts);
    const { predictions, features } = evaluation;
    const actions = this.space.size;
    const uncertainties = contexts.map(() => new Float32Array(actions));
    for (let a = 0; a < actions; a++)
      for (const [n, row] of uncertainties.entries()) row[a] = evaluation.uncertainty(n, a);
    const rows = (x: Float32Array | Float64Array, width: number) =>
      contexts.map((_, n) => Float32Array.from(x.subarray(n * width, (n + 1) * width)));
    return { predictions: rows(predictions, actions), uncertainties, features: rows(features, this.hidden) };
  }
}
