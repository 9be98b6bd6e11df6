export {
  type Agent,
  type AgentType,
  type Choice,
  type InitialOptions,
  type LearningOptions,
  type Observation,
  type UpdateReport,
} from './agent.js';
export { maxBeta, maxContextValue, NeuralUcb, type Prediction } from './agents/neural-ucb.js';
export { argmax } from './argmax.js';
export { bootstrapMean, type BootstrapOptions, type MeanInterval } from './intervals.js';
export { damagedState, type PolicyState, type StateTensor } from './policy-state.js';
export { regret } from './regret.js';
export { agentNames, agentType, defaultAgent, restoreAgent } from './registry.js';
