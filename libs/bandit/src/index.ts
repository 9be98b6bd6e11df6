export {
  type Agent,
  type AgentType,
  type Choice,
  type Evaluation,
  type FullObservation,
  type InitialOptions,
  type LearningOptions,
  type Observation,
  type Outlook,
  type RestoreOptions,
  type SelectOptions,
  type UpdateReport,
} from './agent.js';
export { spaceOfState } from './agents/agent-state.js';
export { maxBeta, maxContextValue, maxKeyLength, maxStepsPerUpdate } from './agents/model-agent.js';
export { defaultHidden, maxHidden } from './agents/neural-model.js';
export { NeuralUcb, type Prediction } from './agents/neural-ucb.js';
export { driftInterval, driftTolerance } from './agents/symmetric-inverse.js';
export { maxTableKeys } from './agents/table-model.js';
export { argmax } from './argmax.js';
export { calibration, type Calibration, type CalibrationGroup } from './calibration.js';
export { bootstrapMean, type BootstrapOptions, type MeanInterval } from './intervals.js';
export {
  effectiveSampleSize,
  evaluateOffPolicy,
  smallSample,
  type Estimate,
  type OffPolicyOptions,
  type OffPolicyReport,
} from './off-policy/evaluate.js';
export { smallestPropensity, weigh, type LoggedOutcome, type WeighedOutcome } from './off-policy/outcome.js';
export { damagedState, type PolicyState, type PolicyView, type StateTensor } from './policy-state.js';
export type { MatrixSteps } from './agents/matrix-steps.js';
export { regret } from './regret.js';
export { agentNames, agentType, defaultAgent, restoreAgent } from './registry.js';
