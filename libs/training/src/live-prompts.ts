import { createHash } from 'node:crypto';
import type { ActionSpace } from '@a2sf/kv-compression';
import { inSpan } from '@a2sf/observability';
import { allOrAbort } from './all-or-abort.js';
import { keepsAll, sweepTask, type GenerationSettings } from './generation.js';
import { pricedLine } from './key-price.js';
import type { KnownPrompts } from './known-prompts.js';
import type { Embedding, Peers, SweptText } from './peers.js';
import type { Prompt } from './prompt.js';
import type { PromptMemory } from './prompt-memory.js';
import type { RewardLine, RewardLines } from './reward-lines.js';
import type { RewardRule } from './reward-rule.js';

/** What the rewards of prompts depend on. */
export interface LiveContext {
  readonly peers: Pick<Peers, 'encode' | 'sweep' | 'score'>;
  readonly reward: RewardRule;
  readonly generation: GenerationSettings;
  readonly space: ActionSpace;
  /** Identity of the language model. */
  readonly modelId: string;
  /** Also try streaming-llm on each prompt, which no action is. Default false. */
  readonly streamingLlm?: boolean;
}

/**
 * Prompts whose embeddings and rewards the services compute when they are asked for. The rewards of all actions on a
 * prompt come from one sweep and one scoring of the different texts; those that the file holds are taken from it, the others
 * are added to it as they come, so that an interrupted computation is not lost.
 */
export class LivePrompts implements KnownPrompts {
  readonly complete = false;
  readonly #memory: PromptMemory;
  readonly #context: LiveContext;
  readonly #file: RewardLines;
  readonly #key: string;
  /** By what `#nameOf` says of the prompt. */
  readonly #lines: Map<string, RewardLine>;

  constructor(memory: PromptMemory, context: LiveContext, file: RewardLines) {
    this.#memory = memory;
    this.#context = context;
    this.#file = file;
    this.#key = keyOf(context);
    const own = file.read().filter((line) => line.key === this.#key);
    this.#lines = new Map(own.map((line) => [this.#nameOf(line), line]));
  }

  get size(): number {
    return this.#memory.size;
  }

  dataset(index: number): string {
    return this.#memory.prompt(index).dataset;
  }

  embeddings(indices: readonly number[], signal?: AbortSignal): Promise<Embedding[]> {
    return this.#memory.embeddings(indices, this.#context.peers, signal);
  }

  async rows(
    indices: readonly number[],
    signal?: AbortSignal,
    onProgress: (done: number, of: number) => void = () => undefined,
  ): Promise<RewardLine[]> {
    const names = indices.map((index) => this.#nameOf(this.#memory.prompt(index)));
    const wanted = new Map<string, number>();
    for (const [k, index] of indices.entries()) if (!wanted.has(names[k]!)) wanted.set(names[k]!, index);
    let done = 0;
    await allOrAbort(
      [...wanted],
      async ([name, index], either) => {
        if (!this.#lines.has(name)) {
          const swept = await inSpan('episode', { 'a2sf.prompt': index }, () =>
            sweepPrompt(this.#memory.prompt(index), this.#context, either),
          );
          const { reward, space, generation } = this.#context;
          const pricing = { price: reward.keyPrice, space, budget: generation.budget };
          const line = pricedLine({ key: this.#key, index, ...swept }, pricing);
          await this.#file.append(line);
          this.#lines.set(name, line);
        }
        onProgress(++done, wanted.size);
      },
      signal,
    );
    return names.map((name) => this.#lines.get(name)!);
  }

  /** Equal for prompts that earn the same: those of one text and, where answers matter, of one row. */
  #nameOf({ hash, id }: { readonly hash: string; readonly id: string }): string {
    return this.#context.reward.againstFull ? hash : `${hash} ${id}`;
  }
}

/** Caches that one sweep may try. */
const maxSwept = 256;

async function sweepPrompt(
  prompt: Prompt,
  { peers, reward, generation, space, streamingLlm: wanted = false }: LiveContext,
  signal: AbortSignal,
): Promise<Omit<RewardLine, 'key'>> {
  const streamingLlm = wanted && space.size < maxSwept;
  const compressions = streamingLlm ? [{ method: 'streaming-llm', budget: generation.budget }] : [];
  const task = { ...sweepTask(prompt, space.actions(), { includeFull: true, reward, generation }), compressions };
  const outcome = await peers.sweep(task, signal);
  const { id, dataset, hash } = prompt;
  const about = { id, dataset, hash, prompt_tokens: outcome.promptTokens };
  if (keepsAll(outcome, generation)) return { ...about, kept_all: true, full: 1, rewards: [] };
  const full = outcome.full!;
  // Actions that keep the same positions give the same; each outcome is scored once.
  const outcomes = reward.fullEarnsOne ? outcome.texts : [...outcome.texts, full];
  const different = new Map(outcomes.map((swept) => [nameOf(swept), swept]));
  const scores = await peers.score(
    [...different.values()].map((swept) => reward.task(prompt, swept, full.text)),
    signal,
  );
  const scoreOf = new Map([...different.keys()].map((name, i) => [name, scores[i]!]));
  return {
    ...about,
    kept_all: false,
    full: reward.fullEarnsOne ? 1 : scoreOf.get(nameOf(full))!,
    rewards: outcome.texts.slice(0, space.size).map((swept) => scoreOf.get(nameOf(swept))!),
    ...(streamingLlm ? { streaming_llm: scoreOf.get(nameOf(outcome.texts.at(-1)!))! } : {}),
  };
}

/** Equal for equal texts with equal probabilities. */
function nameOf({ text, logProbs }: SweptText): string {
  return `${logProbs.join(' ')}\n${text}`;
}

function keyOf({ reward, generation, space, modelId }: LiveContext): string {
  const { aValues, bValues, budgets } = space;
  const { name, keyPrice } = reward;
  const own = [...(budgets.length === 0 ? [] : [{ budgets }]), ...(keyPrice === 0 ? [] : [{ keyPrice }])];
  const text = JSON.stringify([modelId, name, generation, aValues, bValues, ...own]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
