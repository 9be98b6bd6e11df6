import { A2sfError } from '@a2sf/errors';
import { groupSameWindows, resolveBudget, sigmoidWindow, type Action, type ResolvedBudget } from '@a2sf/kv-compression';
import { loadLanguageModel, type LoadedLanguageModel } from '@a2sf/model-zoo';
import { sameKept, selectKept, type KeptPositions } from './compress.js';
import { decode } from './decode.js';
import { KvCache } from './kv-cache.js';
import type {
  Continuation,
  GenerateChunk,
  GenerateInput,
  GenerateResult,
  InspectInput,
  InspectOutput,
  LanguageModelInfo,
  LanguageModelOptions,
  SweepInput,
  SweepOutput,
} from './language-model-types.js';
import { modelIdentity } from './model-identity.js';
import { OnnxSession } from './onnx-session.js';
import { prefill, type Prefill } from './prefill.js';
import { preparePromptIds } from './prompt-ids.js';
import { TextStream } from './text-stream.js';
import { TokenSampler } from './token-sampler.js';
import { Tokenizer } from './tokenizer.js';

const defaultSlotBytes = 2 ** 31;

export interface CallControl {
  readonly checkCancelled: () => void;
}

/**
 * A language model that generates from a full or a compressed cache. One call runs at a time; it lives in a worker
 * thread (see LanguageModelHost) because onnxruntime blocks the thread it runs on.
 */
export class LanguageModel {
  private constructor(
    private readonly session: OnnxSession,
    private readonly loaded: LoadedLanguageModel,
    private readonly tokenizer: Tokenizer | undefined,
    readonly info: LanguageModelInfo,
    private readonly slotBytes: number,
  ) {}

  static async load(options: LanguageModelOptions): Promise<LanguageModel> {
    const loaded = loadLanguageModel(options.folder, options.contextTokens);
    const { family, shape, positions, weights } = loaded;
    const tokenizer = Tokenizer.load(options.folder);
    const longest = Math.max(1, positions - Math.min(512, positions >> 2));
    const maxPromptTokens = options.maxPromptTokens ?? longest;
    if (maxPromptTokens >= positions) {
      throw A2sfError.invalid(
        'max_prompt_tokens',
        `must be below the context of ${positions} tokens, got ${maxPromptTokens}`,
      );
    }
    const session = await OnnxSession.create(loaded.graph, { threads: options.threads, weightFolder: weights.folder });
    const info: LanguageModelInfo = {
      model: options.name,
      modelId: await modelIdentity(options.name, options.folder, weights.files),
      family: family.name,
      layers: shape.layers,
      kvHeads: shape.kvHeads,
      vocab: shape.vocab,
      maxPromptTokens,
      contextTokens: positions,
      device: 'cpu',
      dtype: 'float32',
      slots: options.slots ?? 64,
      hasTokenizer: tokenizer !== undefined,
    };
    return new LanguageModel(session, loaded, tokenizer, info, options.slotBytes ?? defaultSlotBytes);
  }

  /** Prefills, compresses once when asked to, and decodes; new text leaves through `emit` as it comes. */
  async generate(
    input: GenerateInput,
    emit: (chunk: GenerateChunk) => void,
    control: CallControl,
  ): Promise<GenerateResult> {
    const prompt = preparePromptIds(input.prompt, input.maxNewTokens, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const budget = input.compression && resolveBudget(input.compression, n, 'compression.');
    const compress = budget !== undefined && !budget.keepsAll;
    const started = performance.now();
    const windows = compress ? [sigmoidWindow(n, input.compression!.action)] : [];
    const sampler = input.sampling && new TokenSampler(input.sampling, prompt.ids);
    const wanted = sampler === undefined ? [] : [n - 1];
    const capacity = compress ? n : n + input.maxNewTokens;
    const filled = await this.prefill(prompt.ids, windows, capacity, control, wanted);
    let cache = filled.cache;
    if (compress) {
      cache = new KvCache(this.loaded.shape, 1, budget.kept + input.maxNewTokens);
      cache.gather(0, filled.cache, selectKept(this.loaded.shape, filled.scores, 1, 0, n, budget));
    }
    const prefilled = performance.now();
    const endTokens = this.endTokens(input.ignoreEos);
    const stream = new TextStream(this.tokenizer, input.stop);
    const [tokens] = await decode(this.session, {
      cache,
      first: [sampler === undefined ? filled.next : sampler.draw(filled.logits[0]!)],
      ...(sampler === undefined ? {} : { draw: (_, logits) => sampler.draw(logits) }),
      positions: [n],
      maxNewTokens: input.maxNewTokens,
      endTokens,
      checkCancelled: control.checkCancelled,
      onToken: (_, token) => {
        emit({ text: endTokens.has(token) ? '' : stream.push(token), tokenIds: [token] });
        return !stream.stopped;
      },
    });
    const rest = stream.finish();
    if (rest !== '') emit({ text: rest, tokenIds: [] });
    const ended = endTokens.has(tokens!.at(-1)!);
    return {
      finishReason: stream.stopped ? 'stop' : ended ? 'end-token' : 'length',
      truncated: prompt.truncated,
      promptTokens: n,
      keptTokens: budget?.kept ?? n,
      generatedTokens: tokens!.length,
      cacheBytes: this.cacheBytes(budget?.kept ?? n),
      fullCacheBytes: this.cacheBytes(n),
      prefillMs: prefilled - started,
      decodeMs: performance.now() - prefilled,
    };
  }

  /** Decodes a prompt under many actions from one prefill; actions that keep the same positions are decoded once. */
  async sweep(input: SweepInput, control: CallControl): Promise<SweepOutput> {
    const prompt = preparePromptIds(input.prompt, input.maxNewTokens, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const budget = resolveBudget(input, n);
    const started = performance.now();
    const groups = groupSameWindows(n, budget.keepsAll ? [] : input.actions);
    const filled = await this.prefill(prompt.ids, groups.windows, n + input.maxNewTokens, control);
    const { distinct, choice } = this.distinctSelections(filled, groups.windows.length, n, budget);
    const prefilled = performance.now();
    const texts: Continuation[] = [];
    const capacity = budget.kept + input.maxNewTokens;
    const together = this.slotsTogether(capacity);
    for (let at = 0; at < distinct.length; at += together) {
      const batch = distinct.slice(at, at + together);
      const slots = new KvCache(this.loaded.shape, batch.length, capacity);
      batch.forEach((kept, row) => slots.gather(row, filled.cache, kept));
      texts.push(...(await this.decodeAll(slots, filled.next, n, input, control)));
    }
    // The full cache comes last: its new tokens are written behind the prompt in the prefill's own buffers.
    let full: Continuation | undefined;
    if (input.includeFull || budget.keepsAll)
      [full] = await this.decodeAll(filled.cache, filled.next, n, input, control);
    const firstWith = new Map<number, number>();
    const results = input.actions.map((_, index) => {
      const selection = budget.keepsAll ? 0 : choice[groups.groupOf[index]!]!;
      const sameAs = firstWith.get(selection);
      if (sameAs === undefined) firstWith.set(selection, index);
      return { ...(budget.keepsAll ? full! : texts[selection]!), sameAs };
    });
    return {
      full: input.includeFull ? full : undefined,
      results,
      truncated: prompt.truncated,
      promptTokens: n,
      keptTokens: budget.kept,
      prefillMs: prefilled - started,
      decodeMs: performance.now() - prefilled,
    };
  }

  /** Tells which positions a compression keeps, and their scores. */
  async inspect(input: InspectInput, control: CallControl): Promise<InspectOutput> {
    const { layers: count } = this.loaded.shape;
    input.layers.forEach((layer, i) => {
      if (!(layer < count)) throw A2sfError.invalid(`layers[${i}]`, `must be in 0..${count - 1}, got ${layer}`);
    });
    const prompt = preparePromptIds(input.prompt, 0, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const budget = resolveBudget(input.compression, n, 'compression.');
    const filled = await this.prefill(prompt.ids, [sigmoidWindow(n, input.compression.action)], n, control);
    const kept = selectKept(this.loaded.shape, filled.scores, 1, 0, n, budget);
    const wanted = input.layers.length === 0 ? [...kept.keys()] : [...new Set(input.layers)].sort((x, y) => x - y);
    return {
      truncated: prompt.truncated,
      promptTokens: n,
      layers: wanted.map((layer) => ({
        layer,
        heads: kept[layer]!.map((positions, head) => {
          const scores = filled.scores[layer]!.subarray(head * n, (head + 1) * n);
          return {
            positions,
            scores: input.withScores ? Float32Array.from(positions, (k) => scores[k]!) : new Float32Array(0),
          };
        }),
      })),
    };
  }

  /** The logits of chosen positions, [V] each: what the parity tests compare. */
  async logits(ids: readonly number[], positions: readonly number[]): Promise<readonly Float32Array[]> {
    const control = { checkCancelled: () => {} };
    return (await this.prefill(ids, [], ids.length, control, positions)).logits;
  }

  /** The windowed scores of every position, per layer [G, A, n]. */
  async scores(ids: readonly number[], actions: readonly Action[]): Promise<readonly Float32Array[]> {
    const windows = actions.map((action) => sigmoidWindow(ids.length, action));
    return (await this.prefill(ids, windows, ids.length, { checkCancelled: () => {} })).scores;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }

  private prefill(
    ids: readonly number[],
    windows: readonly Float32Array[],
    capacity: number,
    { checkCancelled }: CallControl,
    logitPositions: readonly number[] = [],
  ): Promise<Prefill> {
    return prefill(this.session, this.loaded.shape, { ids, windows, capacity, checkCancelled, logitPositions });
  }

  private async decodeAll(
    cache: KvCache,
    first: number,
    position: number,
    { maxNewTokens, ignoreEos }: SweepInput,
    { checkCancelled }: CallControl,
  ): Promise<Continuation[]> {
    const endTokens = this.endTokens(ignoreEos);
    const rows = Array.from({ length: cache.rows });
    const decoded = await decode(this.session, {
      cache,
      first: rows.map(() => first),
      positions: rows.map(() => position),
      maxNewTokens,
      endTokens,
      checkCancelled,
    });
    return decoded.map((tokenIds) => {
      const visible = endTokens.has(tokenIds.at(-1)!) ? tokenIds.slice(0, -1) : tokenIds;
      return { text: this.tokenizer?.decode(visible) ?? '', tokenIds };
    });
  }

  /** Selections that differ, and which of them each window makes. */
  private distinctSelections(
    { scores }: Prefill,
    windows: number,
    n: number,
    budget: ResolvedBudget,
  ): { distinct: KeptPositions[]; choice: number[] } {
    const distinct: KeptPositions[] = [];
    const choice = Array.from({ length: windows }, (_, window) => {
      const kept = selectKept(this.loaded.shape, scores, windows, window, n, budget);
      const known = distinct.findIndex((other) => sameKept(other, kept));
      return known >= 0 ? known : distinct.push(kept) - 1;
    });
    return { distinct, choice };
  }

  private endTokens(ignoreEos: boolean): ReadonlySet<number> {
    return ignoreEos ? new Set() : this.loaded.endTokens;
  }

  /** Slots of a capacity that may be decoded together. */
  private slotsTogether(capacity: number): number {
    return Math.max(1, Math.min(this.info.slots, Math.floor(this.slotBytes / this.cacheBytes(capacity))));
  }

  private cacheBytes(keys: number): number {
    const { layers, kvHeads, headDim } = this.loaded.shape;
    return 2 * layers * kvHeads * headDim * keys * Float32Array.BYTES_PER_ELEMENT;
  }
}
