import { createHash } from 'node:crypto';
import type { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { buildStore, type StorePrompt } from '@a2sf/reward-store';

/** What a synthetic store is made of. */
export interface SyntheticStore {
  readonly folder: string;
  readonly space: ActionSpace;
  readonly prompts: readonly StorePrompt[];
  /** Of a prompt under an action, by its index: in 0..1. */
  readonly rewardOf: (text: string, actionIndex: number) => number;
  readonly embeddingOf: (text: string) => readonly number[];
  readonly dimension: number;
  /** 100 unless told; a prompt of at most 64 fits the budget. */
  readonly tokensOf?: (text: string) => number;
  readonly modelId?: string;
}

/** Prompts of two datasets, told apart by their numbers. */
export function storePromptsOf(name: string, count: number): StorePrompt[] {
  return Array.from({ length: count }, (_, i) => {
    const text = `${name} ${i}`;
    const hash = createHash('sha256').update(text).digest('hex');
    const dataset = i % 2 === 0 ? 'even' : 'odd';
    return { id: `${i}`, dataset, text, hash, answers: [], allClasses: [], wrap: 'PROMPT_WRAP_UNSPECIFIED' };
  });
}

/** Numbers that follow from a text. */
export function seededBy(text: string): Random {
  return new Random(createHash('sha256').update(text).digest().readUInt32LE(0));
}

/** Builds a store whose rewards, under the names rouge_l and halved, are given by a function instead of models. */
export async function writeStore(store: SyntheticStore): Promise<void> {
  const { folder, space, prompts, rewardOf, embeddingOf, dimension, tokensOf = () => 100, modelId = 'model-1' } = store;
  const named = (name: string, weight: number) => ({
    name,
    needsLogProbs: false,
    fullEarnsOne: true,
    task: (_prompt: StorePrompt, { text }: { readonly text: string }) => ({ text, weight }),
  });
  const rewards = [named('rouge_l', 1), named('halved', 0.5)];
  await buildStore({
    folder,
    definition: {
      provenance: {
        code_version: '0',
        model_id: modelId,
        dtype: 'float32',
        encoder_id: 'encoder-1',
        embedding_dimension: dimension,
        data: [],
        prompts: prompts.length,
        prompts_sha256: '',
        actions: 'all',
        a_values: space.aValues,
        b_values: space.bValues,
        ...(space.budgets.length === 0 ? {} : { budgets: space.budgets }),
        budget: space.budgets[0] ?? 64,
        recent: 0,
        max_new_tokens: 16,
        max_prompt_tokens: 0,
      },
      rewards: rewards.map(({ name }) => ({ name, encoder_id: '', code_version: '0' })),
    },
    prompts,
    rewards,
    window: 8,
    peers: {
      encode: (texts) => Promise.resolve(texts.map((text) => ({ values: embeddingOf(text), encoderId: 'encoder-1' }))),
      sweep: ({ text, actions }) =>
        Promise.resolve({
          full: { text: `${text}|full`, logProbs: [] },
          texts: actions.map((_, index) => ({ text: `${text}|${index}`, logProbs: [] })),
          promptTokens: tokensOf(text),
        }),
      score: (tasks) =>
        Promise.resolve(
          tasks.map(({ text: swept, weight }) => {
            const [text, index] = swept.split('|') as [string, string];
            return weight * rewardOf(text, Number(index));
          }),
        ),
    },
  });
}
