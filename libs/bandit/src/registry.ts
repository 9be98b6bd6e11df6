import { A2sfError } from '@a2sf/errors';
import type { Agent, AgentType, RestoreOptions } from './agent.js';
import { epsilonGreedy } from './agents/epsilon-greedy.js';
import { fixed } from './agents/fixed.js';
import { linUcb } from './agents/lin-ucb.js';
import { neuralThompson } from './agents/neural-thompson.js';
import { NeuralUcb } from './agents/neural-ucb.js';
import { taskTable } from './agents/task-table.js';
import { uniform } from './agents/uniform.js';
import type { PolicyState } from './policy-state.js';

/** The learning algorithms by name. */
const agentTypes: readonly AgentType[] = [
  {
    name: NeuralUcb.agentName,
    initial: (options) => NeuralUcb.initial(options),
    restore: (state, options) => NeuralUcb.restore(state, options),
  },
  neuralThompson,
  linUcb,
  epsilonGreedy,
  fixed,
  uniform,
  taskTable,
];

/** The algorithm used where none is named. */
export const defaultAgent: string = NeuralUcb.agentName;

/** Names of all algorithms. */
export function agentNames(): string[] {
  return agentTypes.map((type) => type.name);
}

/** Throws INVALID_ARGUMENT for an unknown name. */
export function agentType(name: string): AgentType {
  const type = agentTypes.find((candidate) => candidate.name === name);
  if (type === undefined) throw A2sfError.invalid('agent', `must be one of ${agentNames().join(', ')}`);
  return type;
}

/** The agent of a stored state, by the algorithm it names. */
export function restoreAgent(state: PolicyState, options?: RestoreOptions): Agent {
  return agentType(state.agent).restore(state, options);
}
