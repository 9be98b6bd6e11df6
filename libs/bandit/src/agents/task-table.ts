import type { AgentType } from '../agent.js';
import { ModelAgent } from './model-agent.js';
import { upperBoundRule } from './selection-rule.js';
import { TableModel } from './table-model.js';

const parts = { name: 'task-table', rule: upperBoundRule };

/** The best action of each key, such as a dataset, by its mean reward; beta weighs the actions that were tried little. */
export const taskTable: AgentType = {
  name: parts.name,
  initial: (options) => new ModelAgent(TableModel.initial(options, true), parts),
  restore: (state) => new ModelAgent(TableModel.restore(state, true), parts),
};
