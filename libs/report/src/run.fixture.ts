import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Two steepness values and two offsets: the actions are (0,1) (0,16) (10,1) (10,16). */
export const aValues = [0, 10];
export const bValues = [1, 16];

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const interval = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1 });

/** A prompt's rewards by action; the best action turns with the prompt. */
export const rewardsOfPrompt = (prompt: number): number[] => range(4).map((action) => ((prompt + action) % 4) / 4);

/** How a run of tests is made. */
export interface TestRun {
  readonly iterations?: number;
  readonly prompts?: number;
  readonly evaluations?: number;
  /** Put into ids, names and texts. */
  readonly word?: string;
}

/** Lines of the files of a run as the trainer writes them; the greedy policy takes (10,1), action 2, on every prompt. */
export function runFiles({ iterations = 10, prompts = 8, evaluations = 3, word = 'word' }: TestRun = {}) {
  const baseline = (rewards: (prompt: number) => number) =>
    interval(range(prompts).reduce((sum, prompt) => sum + rewards(prompt), 0) / prompts);
  const taken = range(prompts).map((prompt) => rewardsOfPrompt(prompt)[2]!);
  const mean = taken.reduce((sum, reward) => sum + reward, 0) / prompts;
  return {
    'config.json': { run_id: word, model_id: word, options: { a_values: aValues, b_values: bValues, data: word } },
    'progress.jsonl': range(iterations).map((i) => ({
      iteration: i + 1,
      avg_reward: (i % 10) / 10,
      prediction_loss: i === 0 ? null : 0.1,
      actions_a: [0, 10],
      actions_b: [16, 1],
      kept_all: 0,
      seconds: { encode: 0.5, generate: 1.5 },
    })),
    'evaluation.jsonl': range(evaluations).map((i) => ({
      iteration: Math.round(((i + 1) * iterations) / evaluations),
      eval_avg_reward: mean,
      eval_low: mean - 0.05,
      eval_high: mean + 0.05,
      eval_rewards: taken,
      eval_actions_a: taken.map(() => 10),
      eval_actions_b: taken.map(() => 1),
      eval_predicted: taken.map((reward) => reward / 2),
      baselines: {
        full: baseline(() => 1),
        random: baseline(() => 0.375),
        oracle: baseline(() => 0.75),
        best_fixed: { ...baseline((prompt) => rewardsOfPrompt(prompt)[3]!), a: 10, b: 16 },
        [word]: baseline(() => 0.5),
      },
      kept_all: 1,
    })),
    'quality/results.jsonl': [0.125, 0.5].map((score) => ({
      run_id: word,
      checkpoint: `policy_${word}.safetensors`,
      metric: word,
      budget: 64,
      eval_avg_reward: score,
      eval_rewards: [score, score],
      baselines: { full: interval(1), [word]: interval(0.25) },
      datasets: { [word]: { prompts: 2, mean: score, baselines: { full: interval(1) } } },
    })),
    // As they are completed, which is not the order of the set; one prompt fits the budget.
    'evaluation_rewards.jsonl': [
      { ...about(prompts, word), kept_all: true, full: 1, rewards: [] },
      ...range(prompts)
        .reverse()
        .map((prompt) => ({ ...about(prompt, word), kept_all: false, full: 1, rewards: rewardsOfPrompt(prompt) })),
    ],
    'evaluation_texts.jsonl': [
      { key: 'key', hash: 'hash-1', a: 10, b: 1, prompt: `prompt ${word}`, full: `full ${word}`, compressed: word },
    ],
  };
}

const about = (index: number, word: string) => ({
  key: 'key',
  index,
  id: `${word}-${index}`,
  hash: `hash-${index}`,
  dataset: index % 2 === 0 ? word : 'other',
  prompt_tokens: 100 * (index + 1),
});

/** Writes files into a new folder and returns it. */
export function writeRun(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'a2sf-report-'));
  for (const [name, value] of Object.entries(files)) {
    const text = Array.isArray(value) ? value.map((line) => `${JSON.stringify(line)}\n`).join('') : value;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof text === 'string' ? text : JSON.stringify(text));
  }
  return folder;
}
