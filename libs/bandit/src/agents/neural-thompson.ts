import type { Agent, AgentType, InitialOptions } from '../agent.js';
import { probabilityOfLargest, standardNormal } from '../normal.js';
import { StateReader } from '../policy-state.js';
import { readSeed, requireSeed, seedTensor } from './agent-state.js';
import { ModelAgent } from './model-agent.js';
import { NeuralModel } from './neural-model.js';
import { bonus, certain, type SelectionRule } from './selection-rule.js';

/**
 * argmax_a of s_a ~ N(p_a, beta^2 (u_a + 1e-6)), independent: what z' theta_a is distributed as for
 * theta_a ~ N(mean, beta^2 L_a^-1), so that no theta, and no factor of L_a^-1, has to be drawn. The propensity is
 * P(s_a is the largest), an integral that is computed, not sampled. beta 0 draws nothing.
 */
const thompsonRule: SelectionRule = {
  readsUncertainties: true,
  decide({ predictions, uncertainties, beta, random }) {
    if (beta === 0) return certain(predictions);
    const deviations = uncertainties.map((u) => beta * bonus(u));
    const scores = predictions.map((p, a) => p + deviations[a]! * standardNormal(random));
    return { ...certain(scores), probability: (action) => probabilityOfLargest(predictions, deviations, action) };
  },
};

const name = 'neural-thompson';

function agent(model: NeuralModel, seed: number): Agent {
  return new ModelAgent(model, { name, rule: thompsonRule, seed, extra: [seedTensor(seed)] });
}

/** Neural-linear Thompson sampling (Riquelme, Tucker, Snoek 2018) on the network and the covariances of neural-ucb. */
export const neuralThompson: AgentType = {
  name,
  initial: (options: InitialOptions) => agent(NeuralModel.initial(options), requireSeed(options.seed)),
  restore: (state, options) => agent(NeuralModel.restore(state, options), readSeed(new StateReader(state))),
};
