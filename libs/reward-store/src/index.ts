export {
  buildStore,
  type StoreBuild,
  type StorePeers,
  type StorePrompt,
  type StoreSweep,
  type StoreSweepOutcome,
} from './build-store.js';
export { spaceOf } from './manifest.js';
export type { DataFile, StoreCounts, StoreManifest, StoreProvenance, StoredReward } from './manifest.js';
export { RewardStore } from './reward-store.js';
export type { Outcome, Reference, Reward, Score } from './reward-scoring.js';
export { dataFilesOf, readRowFiles, type RowFiles } from './row-files.js';
export { scoreStore, type StoreScoring } from './score-store.js';
export { storePrompts, type StorePrompts } from './store-prompts.js';
export type { StoredRow, StoredTexts } from './store-row.js';
export { removeStore, type StoreDefinition } from './store-writer.js';
