export { dataPath, options, type Profile, type TrainerOptions } from './options.js';
export { resumeOptions } from './recorded-options.js';
export { run, type RunOptions } from './run.js';
export type { StartSuite, Suite } from './suite.js';
export { requireSweepable, spaceOf } from './run-plan.js';
