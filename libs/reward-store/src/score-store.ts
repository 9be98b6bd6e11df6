import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { JsonlLog, removeLeftovers, RunLock } from '@a2sf/run-store';
import { inOrder } from './in-order.js';
import { rowsFile, type StoredReward, type StoreManifest } from './manifest.js';
import { RewardStore } from './reward-store.js';
import { earnedRewards, type Reference, type Reward, type Score } from './reward-scoring.js';
import { encodeRow, type StoredRow } from './store-row.js';
import { writeManifest } from './store-writer.js';

/** Rewards to be added to a store. */
export interface StoreScoring<Task> {
  readonly folder: string;
  readonly rewards: readonly (Reward<Task, Reference> & { readonly stored: StoredReward })[];
  readonly score: Score<Task>;
  /** Rows in work at the same time at most. */
  readonly window: number;
  readonly onProgress?: (done: number, of: number) => void;
}

const scoredFile = `${rowsFile}.scored`;

/**
 * Adds rewards to a finished store from its texts; nothing is generated. The rows with the new rewards are written beside
 * the old ones and take their place when all are there: interrupted, the store is as it was. Throws INVALID_ARGUMENT naming
 * `rewards` for one that the store holds, or that looks at probabilities, which a store does not keep.
 */
export async function scoreStore<Task>(scoring: StoreScoring<Task>, signal?: AbortSignal): Promise<StoreManifest> {
  const { folder, rewards, score, window, onProgress } = scoring;
  await RewardStore.open(folder); // before a lock makes the folder
  const lock = await RunLock.acquire(folder);
  try {
    const store = await RewardStore.open(folder);
    checkRewards(store, rewards);
    await removeLeftovers(folder, { locked: true });
    const path = join(folder, scoredFile);
    await rm(path, { force: true });
    const log = await JsonlLog.open(path);
    try {
      const of = store.rowCount + store.keptAllCount;
      let done = 0;
      await inOrder(
        store.allRows(),
        window,
        (row, either) => scoredRow(row, rewards, score, either),
        async (row) => {
          await log.append(encodeRow(row));
          onProgress?.(++done, of);
        },
        signal,
      );
    } finally {
      await log.close();
    }
    // The rows first: with the old manifest they are the old store, what they hold more is not looked at.
    await rename(path, join(folder, rowsFile));
    const added = rewards.map(({ stored }) => stored);
    const manifest = { ...store.manifest, rewards: [...store.manifest.rewards, ...added] };
    await writeManifest(folder, manifest);
    return manifest;
  } finally {
    await rm(join(folder, scoredFile), { force: true });
    await lock.release();
  }
}

function checkRewards(store: RewardStore, rewards: readonly { name: string; needsLogProbs: boolean }[]): void {
  const held = new Set(store.rewardNames);
  for (const { name, needsLogProbs } of rewards) {
    if (held.has(name)) throw A2sfError.invalid('rewards', `the store holds ${name} already`, 'reward-stored');
    held.add(name);
    if (needsLogProbs) {
      const problem = `${name} looks at probabilities, which a store does not keep; name it when the store is built`;
      throw A2sfError.invalid('rewards', problem, 'needs-probabilities');
    }
  }
}

async function scoredRow<Task>(
  row: StoredRow,
  rewards: readonly Reward<Task, Reference>[],
  score: Score<Task>,
  signal: AbortSignal,
): Promise<StoredRow> {
  if (row.keptAll) return row;
  const outcome = (text: string) => ({ text, logProbs: [] });
  const outcomes = row.texts.index.map((index) => outcome(row.texts.unique[index]!));
  const earned = await earnedRewards(row, outcome(row.full), outcomes, { rewards, score }, signal);
  return {
    ...row,
    rewards: new Map([...row.rewards, ...earned.rewards]),
    fullRewards: new Map([...row.fullRewards, ...earned.fullRewards]),
  };
}
