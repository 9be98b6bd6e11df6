export { qualityFile, readRun, textsFile } from './read-run.js';
export type {
  BaselineRecord,
  EvaluationRecord,
  Interval,
  IterationRecord,
  QualityRecord,
  QualityRow,
  RewardRecord,
  RunRecord,
  TextRecord,
} from './run-record.js';
export { renderPage, worstCount } from './page.js';
export { encodeEventFile, type Scalar } from './event-file.js';
export { scalarsOf } from './scalars.js';
export { worstPrompts, type WorstPrompt } from './worst-prompts.js';
export { writeReport, type ReportOptions } from './write-report.js';
