import { createHash } from 'node:crypto';
import type { StorePeers, StorePrompt, StoreSweep } from './build-store.js';
import type { StoreProvenance, StoredReward } from './manifest.js';
import type { Outcome, Reference, Reward } from './reward-scoring.js';

/** A scoring of the test rewards: which one, of what. */
export interface TestTask {
  readonly name: string;
  readonly text: string;
  readonly full: string;
  readonly logProbs: readonly number[];
}

const digest = (text: string) => createHash('sha256').update(text).digest();
const numberOf = (text: string) => digest(text).readUInt32LE(0) / 2 ** 32;

export const testProvenance: StoreProvenance = {
  code_version: '1',
  model_id: 'model@1',
  dtype: 'float32',
  encoder_id: 'encoder@1',
  embedding_dimension: 5,
  data: [{ file: 'a.jsonl', sha256: 'ab' }],
  prompts: 9,
  prompts_sha256: 'cd',
  actions: 'all',
  a_values: [0, 10],
  b_values: [1, 16, 64],
  budget: 10,
  recent: 0,
  max_new_tokens: 4,
  max_prompt_tokens: 0,
};

/** Prompts of 8 to 16 tokens: some fit the budget. */
export function testPrompts(count: number): StorePrompt[] {
  return Array.from({ length: count }, (_, i) => {
    const text = `prompt ${i}\u2028 ${'x'.repeat(i % 9)}`;
    const hash = digest(text).toString('hex');
    const about = { id: `${i}`, dataset: 'test', answers: ['yes'], allClasses: [] };
    return { ...about, text, hash, wrap: 'PROMPT_WRAP_UNSPECIFIED' };
  });
}

/** Texts, embeddings and scores follow from the prompt and the action; answers come in any order. */
export class TestPeers implements StorePeers<TestTask> {
  readonly sweeps: StoreSweep[] = [];
  scored = 0;
  atWork = 0;
  mostAtWork = 0;
  /** What an embedding names as its encoder. */
  encoderId = testProvenance.encoder_id;
  /** Called before a sweep answers. */
  beforeSweep: (task: StoreSweep) => Promise<void> = () => Promise.resolve();

  async sweep(task: StoreSweep) {
    this.sweeps.push(task);
    this.mostAtWork = Math.max(this.mostAtWork, ++this.atWork);
    try {
      for (let turns = 0; turns < numberOf(`${task.text} ${this.sweeps.length}`) * 20; turns++) await Promise.resolve();
      await this.beforeSweep(task);
    } finally {
      this.atWork--;
    }
    const outcome = (name: string): Outcome => ({
      text: `${task.text} ${name}`,
      logProbs: task.scoreFull ? [-numberOf(`${task.text} ${name}`)] : [],
    });
    const texts = task.actions.map(({ a, b }) => outcome(`${a} ${b < 64}`));
    return { full: outcome('full'), texts, promptTokens: 8 + (task.text.length % 9) };
  }

  encode(texts: readonly string[]) {
    const { encoderId } = this;
    const values = (text: string) => Array.from({ length: 5 }, (_, i) => Math.fround(numberOf(`${text}${i}`) - 0.5));
    return Promise.resolve(texts.map((text) => ({ values: values(text), encoderId })));
  }

  score(tasks: readonly TestTask[]): Promise<number[]> {
    this.scored += tasks.length;
    return Promise.resolve(tasks.map((task) => numberOf(JSON.stringify(task))));
  }
}

/** A reward that is named so and looks at probabilities if its name says so. */
export function testReward(name: string): Reward<TestTask, Reference> & { readonly stored: StoredReward } {
  const needsLogProbs = name.startsWith('log');
  return {
    name,
    needsLogProbs,
    fullEarnsOne: name === 'one',
    task: (_, { text, logProbs }, full) => ({ name, text, full, logProbs: needsLogProbs ? logProbs : [] }),
    stored: { name, encoder_id: '', code_version: '1' },
  };
}
