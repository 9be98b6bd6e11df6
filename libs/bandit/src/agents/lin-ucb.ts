import type { AgentType } from '../agent.js';
import { LinearModel } from './linear-model.js';
import { ModelAgent } from './model-agent.js';
import { upperBoundRule } from './selection-rule.js';

const parts = { name: 'lin-ucb', rule: upperBoundRule };

/** LinUCB with disjoint models (Li, Chu, Langford, Schapire 2010) on the raw context, without a network. */
export const linUcb: AgentType = {
  name: parts.name,
  initial: (options) => new ModelAgent(LinearModel.initial(options), parts),
  restore: (state, options) => new ModelAgent(LinearModel.restore(state, options), parts),
};
