import type { Agent, AgentType } from '../agent.js';
import { StateReader } from '../policy-state.js';
import { readWhole, wholeTensor } from './agent-state.js';
import { ModelAgent } from './model-agent.js';
import { certain } from './selection-rule.js';
import { TableModel } from './table-model.js';

const name = 'fixed';

function agent(model: TableModel, action: number): Agent {
  const rule = {
    readsUncertainties: false,
    isBlind: true as const,
    decide: ({ predictions }: { readonly predictions: Float64Array }) => certain(predictions, action),
  };
  return new ModelAgent(model, { name, rule, extra: [['fixed_action', wholeTensor(action)]] });
}

/** Always one action; its mean reward is learned. */
export const fixed: AgentType = {
  name,
  initial(options) {
    const { space, action = space.fallback } = options;
    space.at(action, 'action');
    return agent(TableModel.initial(options, false), action);
  },
  restore(state) {
    const model = TableModel.restore(state, false);
    return agent(model, readWhole(new StateReader(state), 'fixed_action', model.space.size - 1));
  },
};
