import { A2sfError } from '@a2sf/errors';
import type { Agent, AgentType } from '../agent.js';
import { damagedState, StateReader } from '../policy-state.js';
import { readSeed, requireSeed, seedTensor } from './agent-state.js';
import { ModelAgent } from './model-agent.js';
import { NeuralModel } from './neural-model.js';
import { greedyRule } from './selection-rule.js';

const name = 'epsilon-greedy';

function agent(model: NeuralModel, seed: number, epsilon: number): Agent {
  const tensor = { shape: [1], data: Float32Array.of(epsilon) };
  const extra = [seedTensor(seed), ['epsilon', tensor] as const];
  return new ModelAgent(model, { name, rule: greedyRule, seed, epsilon, extra });
}

/** The network's best action, or with probability epsilon a uniformly drawn one; beta 0 draws nothing. */
export const epsilonGreedy: AgentType = {
  name,
  initial(options) {
    const { epsilon = 0.1, seed } = options;
    if (!(epsilon >= 0 && epsilon <= 1)) throw A2sfError.invalid('epsilon', 'must be in 0..1');
    return agent(NeuralModel.initial(options), requireSeed(seed), Math.fround(epsilon));
  },
  restore(state, options) {
    const reader = new StateReader(state);
    const [epsilon] = reader.floats('epsilon', [1]) as unknown as [number];
    if (!(epsilon >= 0 && epsilon <= 1)) throw damagedState('epsilon', `holds ${epsilon}`);
    return agent(NeuralModel.restore(state, options), readSeed(reader), epsilon);
  },
};
