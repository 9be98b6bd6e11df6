import type { Agent, AgentType } from '../agent.js';
import { StateReader } from '../policy-state.js';
import { readSeed, requireSeed, seedTensor } from './agent-state.js';
import { ModelAgent } from './model-agent.js';
import type { SelectionRule } from './selection-rule.js';
import { TableModel } from './table-model.js';

const uniformRule: SelectionRule = {
  readsUncertainties: false,
  isBlind: true,
  decide: ({ predictions, random }) => ({
    actionIndex: random.below(predictions.length),
    scores: predictions,
    probability: () => 1 / predictions.length,
  }),
};

const name = 'random';

function agent(model: TableModel, seed: number): Agent {
  return new ModelAgent(model, { name, rule: uniformRule, seed, extra: [seedTensor(seed)] });
}

/** A uniformly drawn action, whatever beta; the mean reward of each is learned. */
export const uniform: AgentType = {
  name,
  initial: (options) => agent(TableModel.initial(options, false), requireSeed(options.seed)),
  restore: (state) => agent(TableModel.restore(state, false), readSeed(new StateReader(state))),
};
