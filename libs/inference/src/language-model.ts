import { A2sfError } from '@a2sf/errors';
import {
  compressionMethodNames,
  groupSameWindows,
  planCompression,
  sigmoidWindow,
  type Action,
  type CompressionPlan,
  type CompressionRequest,
} from '@a2sf/kv-compression';
import { loadLanguageModel, type LoadedLanguageModel } from '@a2sf/model-zoo';
import { continuationIds } from './continuation-ids.js';
import type { StepModel } from './decode-step.js';
import { KeySelection, type Selections } from './key-selection.js';
import { cacheBytes, KvCache, type KeptPositions } from './kv-cache.js';
import { inspectedLayers } from './inspected-layers.js';
import type {
  Continuation,
  GenerateChunk,
  GenerateInput,
  GenerateResult,
  InspectInput,
  InspectOutput,
  LanguageModelInfo,
  LanguageModelOptions,
  ScoreInput,
  ScoreOutput,
  SweepInput,
  SweepOutput,
} from './language-model-types.js';
import { logProbsUnder } from './log-probabilities.js';
import { modelIdentity } from './model-identity.js';
import { OnnxSession } from './onnx-session.js';
import { prefill, type Prefill } from './prefill.js';
import { PrefillBuffer } from './prefill-buffer.js';
import { preparePromptIds, type PromptIds } from './prompt-ids.js';
import { selectionOverlap } from './selection-overlap.js';
import { SlotScheduler, type SequenceRequest, type SlotReservation } from './slot-scheduler.js';
import { stageTimes, type ReadMoments } from './stage-times.js';
import { TextStream } from './text-stream.js';
import { tokenDrawing } from './token-drawing.js';
import { Tokenizer } from './tokenizer.js';
import { Turns } from './turns.js';

const defaultSlots = 64;
const defaultSlotBytes = 2 ** 31;
/** Tokens of a run on a card: it takes over the cache once for all of them. */
const stepsPerCudaRun = 8;

export interface CallControl {
  /** Whose call it is: clients take turns where prompts wait. */
  readonly client?: string | undefined;
  readonly checkCancelled: () => void;
}

/** A prompt that has been read: its keys lie in the buffer, and what each compression keeps of them is known. */
interface ReadPrompt extends Prefill {
  readonly cache: KvCache;
  readonly plans: readonly CompressionPlan[];
  /** Per plan the window that it was scored with, an index into the scores; undefined where it was not. */
  readonly windowOf: readonly (number | undefined)[];
  /** Over the plans that do not keep all. */
  readonly selections: Selections;
  /** Per plan what it keeps: undefined = all. */
  readonly keptOf: readonly (KeptPositions | undefined)[];
  /** A slot for one of the texts, where they were announced. */
  readonly reservation: SlotReservation | undefined;
  readonly moments: ReadMoments;
}

/** The texts that will go on from a prompt: a slot for the largest of them is reserved before the prompt is read. */
interface Decoding {
  readonly maxNewTokens: number;
  /** One goes on from the full cache. */
  readonly full: boolean;
}

/**
 * A language model that generates from full and compressed caches. Calls run side by side: prompts are read one after the
 * other in chunks, texts are decoded together in slots, and both take turns. It lives in a worker thread (see
 * LanguageModelHost) because onnxruntime blocks the thread it runs on.
 */
export class LanguageModel {
  private readonly turns = new Turns();
  private readonly model: StepModel;
  private readonly buffer: PrefillBuffer;
  private readonly slots: SlotScheduler;

  private constructor(
    private readonly session: OnnxSession,
    private readonly selection: KeySelection,
    private readonly loaded: LoadedLanguageModel,
    private readonly tokenizer: Tokenizer | undefined,
    readonly info: LanguageModelInfo,
    slotBytes: number,
    stepsPerRun: number,
    onSlotsInUse?: (slots: number) => void,
  ) {
    this.model = { session, shape: loaded.shape, stepsPerRun };
    this.buffer = new PrefillBuffer(loaded.shape);
    this.slots = new SlotScheduler(this.model, this.turns, { slots: info.slots, slotBytes }, (inUse) => {
      onSlotsInUse?.(inUse);
      this.buffer.next();
    });
  }

  /** @param onSlotsInUse told whenever the number of slots in use changes. */
  static async load(options: LanguageModelOptions, onSlotsInUse?: (slots: number) => void): Promise<LanguageModel> {
    const format = options.weights ?? 'float32';
    const { threads, device = 'cpu' } = options;
    const stepsPerRun = options.stepsPerRun ?? (device.startsWith('cuda') ? stepsPerCudaRun : 1);
    const loop = stepsPerRun > 1;
    const loaded = loadLanguageModel(options.folder, options.contextTokens, { weights: format, loop });
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
    const session = await OnnxSession.create(loaded.graph, { threads, device, weightFolder: weights.folder });
    const selection = await KeySelection.create(shape, threads);
    const info: LanguageModelInfo = {
      model: options.name,
      modelId: await modelIdentity(options.name, options.folder, weights.files),
      family: family.name,
      layers: shape.layers,
      kvHeads: shape.kvHeads,
      vocab: shape.vocab,
      maxPromptTokens,
      contextTokens: positions,
      device,
      dtype: format,
      slots: options.slots ?? defaultSlots,
      hasTokenizer: tokenizer !== undefined,
      hasChatTemplate: tokenizer?.hasChatTemplate ?? false,
      methods: compressionMethodNames,
    };
    const slotBytes = options.slotBytes ?? defaultSlotBytes;
    return new LanguageModel(session, selection, loaded, tokenizer, info, slotBytes, stepsPerRun, onSlotsInUse);
  }

  /** Prefills, compresses once when asked to, and decodes; new text leaves through `emit` as it comes. */
  async generate(
    input: GenerateInput,
    emit: (chunk: GenerateChunk) => void,
    control: CallControl,
  ): Promise<GenerateResult> {
    const prompt = preparePromptIds(input.prompt, input.maxNewTokens, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const ends = new Set([...this.endTokens(input.ignoreEos), ...(input.stopTokens ?? [])]);
    const stream = new TextStream(this.tokenizer, input.stop);
    const draw = tokenDrawing(input, prompt.ids);
    const onToken = (token: number): boolean => {
      const logProbs = draw?.told === undefined ? {} : { logProbs: [draw.told] };
      emit({ text: ends.has(token) ? '' : stream.push(token), tokenIds: [token], ...logProbs });
      return !stream.stopped;
    };
    const wanted = draw === undefined ? [] : [n - 1];
    const { sequence, plan, moments, prefillMs, prefilled } = await this.reading(
      prompt,
      input.compression === undefined ? [] : [input.compression],
      control,
      wanted,
      async (read, prefillMs) => {
        const request = {
          ...this.sequence(read, read.keptOf[0], input.maxNewTokens, control),
          first: draw === undefined ? read.next : draw.draw(read.logits[0]!),
          endTokens: ends,
          onToken,
          ...(draw === undefined ? {} : { draw: draw.draw }),
        };
        const [sequence] = this.slots.start([request], read.reservation);
        await sequence!.placed;
        const [plan] = read.plans;
        return { sequence: sequence!, plan, moments: read.moments, prefillMs, prefilled: performance.now() };
      },
      { decoding: { maxNewTokens: input.maxNewTokens, full: input.compression === undefined } },
    );
    const tokens = await sequence.done;
    const rest = stream.finish();
    if (rest !== '') emit({ text: rest, tokenIds: [] });
    const last = tokens.at(-1)!;
    const stopped = stream.stopped || (input.stopTokens ?? []).includes(last);
    return {
      finishReason: stopped ? 'stop' : ends.has(last) ? 'end-token' : 'length',
      truncated: prompt.truncated,
      promptTokens: n,
      keptTokens: plan?.kept ?? n,
      generatedTokens: tokens.length,
      cacheBytes: cacheBytes(this.loaded.shape, plan?.kept ?? n),
      fullCacheBytes: cacheBytes(this.loaded.shape, n),
      prefillMs,
      decodeMs: performance.now() - prefilled,
      stages: stageTimes(moments, prefilled),
    };
  }

  /** Decodes a prompt under many compressions from one prefill; those that keep the same positions are decoded once. */
  async sweep(input: SweepInput, control: CallControl): Promise<SweepOutput> {
    const prompt = preparePromptIds(input.prompt, input.maxNewTokens, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const ends = this.endTokens(input.ignoreEos);
    const scoreFull = input.scoreFull === true;
    const wantsFull = input.includeFull || scoreFull;
    const { read, kept, prefillMs, prefilled, done, logProbs } = await this.reading(
      prompt,
      input.compressions,
      control,
      scoreFull ? [n - 1] : [],
      async (read, prefillMs) => {
        const prefilled = performance.now();
        const needsFull = wantsFull || read.keptOf.includes(undefined);
        const kept = [...read.selections.distinct, ...(needsFull ? [undefined] : [])];
        const started = this.slots.start(
          kept.map((positions) => ({
            ...this.sequence(read, positions, input.maxNewTokens, control),
            endTokens: ends,
          })),
          read.reservation,
        );
        // The next prompt may be read as soon as all texts have their keys, unless this one's are needed for the scores.
        await Promise.all(started.map(({ placed }) => placed));
        const done = started.map((text) => text.done);
        const logProbs = scoreFull ? await this.scored(read, kept, await done.at(-1)!) : undefined;
        return { read, kept, prefillMs, prefilled, done, logProbs };
      },
      { decoding: { maxNewTokens: input.maxNewTokens, full: wantsFull } },
    );
    const texts = (await Promise.all(done)).map((tokens) => this.continuation(tokens, ends));
    const withScore = (index: number): Continuation =>
      logProbs === undefined ? texts[index]! : { ...texts[index]!, logProbs: logProbs[index]! };
    const firstWith = new Map<number, number>();
    const results = read.plans.map((plan, i) => {
      const positions = read.keptOf[i];
      const index = kept.indexOf(positions);
      const sameAs = firstWith.get(index);
      if (sameAs === undefined) firstWith.set(index, i);
      return { ...withScore(index), sameAs, keptTokens: plan.kept };
    });
    return {
      full: wantsFull ? withScore(kept.length - 1) : undefined,
      results,
      truncated: prompt.truncated,
      promptTokens: n,
      cacheBytes: cacheBytes(this.loaded.shape, read.plans[0]?.kept ?? n),
      fullCacheBytes: cacheBytes(this.loaded.shape, n),
      prefillMs,
      decodeMs: performance.now() - prefilled,
      stages: stageTimes(read.moments, prefilled),
    };
  }

  /** Tells how probable a continuation is, token by token, with the full or a compressed cache. */
  async score(input: ScoreInput, control: CallControl): Promise<ScoreOutput> {
    const tokens = continuationIds(input, this.tokenizer, this.info.vocab);
    const prompt = preparePromptIds(input.prompt, tokens.length, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const compressions = input.compression === undefined ? [] : [input.compression];
    return this.reading(prompt, compressions, control, [n - 1], async (read) => {
      const [logProbs] = await this.scored(read, [read.keptOf[0]], tokens);
      return {
        tokenIds: tokens,
        logProbs: logProbs!,
        truncated: prompt.truncated,
        promptTokens: n,
        keptTokens: read.plans[0]?.kept ?? n,
      };
    });
  }

  /**
   * Tells which positions a compression keeps, their scores, how the scores are spread, and how much its selection shares with
   * those of other compressions: what was not asked for is not computed.
   */
  async inspect(input: InspectInput, control: CallControl): Promise<InspectOutput> {
    const { layers: count, kvHeads } = this.loaded.shape;
    const { withScores, withStatistics = false, compareWith = [] } = input;
    input.layers.forEach((layer, i) => {
      if (!(layer < count)) throw A2sfError.invalid(`layers[${i}]`, `must be in 0..${count - 1}, got ${layer}`);
    });
    const layers =
      input.layers.length === 0 ? [...Array(count).keys()] : [...new Set(input.layers)].sort((x, y) => x - y);
    const prompt = preparePromptIds(input.prompt, 0, this.tokenizer, this.info);
    const n = prompt.ids.length;
    const own = planCompression(input.compression, n, 'compression.');
    if (withStatistics && own.window === undefined) {
      throw A2sfError.invalid('with_statistics', `the method ${own.method} ranks without attention and has no scores`);
    }
    return this.reading(
      prompt,
      [input.compression, ...compareWith.map(({ compression }) => compression)],
      control,
      [],
      async ({ plans, keptOf, scores, windowOf, selections }) => {
        const [kept, ...others] = keptOf;
        const jaccard = new Map<KeptPositions | undefined, number>();
        for (const other of others.length === 0 ? [] : [undefined, ...selections.distinct]) {
          control.checkCancelled();
          jaccard.set(other, await this.turns.take(async () => selectionOverlap(kept, other, n, layers)));
        }
        const selection = { plan: plans[0]!, window: windowOf[0], scores, kept };
        return {
          truncated: prompt.truncated,
          promptTokens: n,
          layers: inspectedLayers(selection, layers, kvHeads, { withScores, withStatistics }),
          overlaps: others.map((other, i) => ({ jaccard: jaccard.get(other)!, keptTokens: plans[i + 1]!.kept })),
        };
      },
      {
        scoreFirst: withScores || withStatistics,
        pathOf: (i) => (i === 0 ? 'compression.' : compareWith[i - 1]!.path),
      },
    );
  }

  /** The logits of chosen positions, [V] each: what the parity tests compare. */
  async logits(ids: readonly number[], positions: readonly number[]): Promise<readonly Float32Array[]> {
    const control = { checkCancelled: () => {} };
    return this.reading({ ids, truncated: false }, [], control, positions, async ({ logits }) => logits);
  }

  /** The windowed scores of every position, per layer [G, A, n]. */
  async scores(ids: readonly number[], actions: readonly Action[]): Promise<readonly Float32Array[]> {
    const windows = actions.map((action) => sigmoidWindow(ids.length, action));
    return this.buffer.use(ids.length, async (cache) => {
      const filled = await prefill(this.model, this.turns, { ids, windows, cache, checkCancelled: () => {} });
      return filled.scores.layers;
    });
  }

  async dispose(): Promise<void> {
    await this.selection.dispose();
    await this.session.dispose();
  }

  /**
   * Reads a prompt and selects what each compression keeps; `use` then works with the keys, which lie in the one buffer for
   * prompts: the next prompt is read when it is done.
   * @param logitPositions positions whose logits are wanted.
   * @param scoreFirst also score for the first plan when it keeps everything.
   * @param pathOf what goes before the fields of a compression in errors.
   * @param decoding the texts to come; the prompt waits in line until one of them has a slot.
   */
  private reading<T>(
    { ids }: PromptIds,
    compressions: readonly CompressionRequest[],
    control: CallControl,
    logitPositions: readonly number[],
    use: (read: ReadPrompt, prefillMs: number) => Promise<T>,
    {
      scoreFirst = false,
      pathOf = () => 'compression.',
      decoding,
    }: {
      readonly scoreFirst?: boolean;
      readonly pathOf?: (index: number) => string;
      readonly decoding?: Decoding;
    } = {},
  ): Promise<T> {
    const n = ids.length;
    const plans = compressions.map((compression, i) => planCompression(compression, n, pathOf(i)));
    const { client, checkCancelled } = control;
    const reserve = decoding && this.reservingFor(plans, n, decoding);
    const turn = { client, checkCancelled, ...(reserve === undefined ? {} : { reserve }) };
    const work = async (cache: KvCache, reservation: SlotReservation | undefined): Promise<T> => {
      const begun = performance.now();
      const { windows, groupOf: windowOf } = groupSameWindows(
        plans.map((plan, i) => (plan.keepsAll && !(scoreFirst && i === 0) ? undefined : plan.window)),
      );
      const filled = await prefill(this.model, this.turns, { ids, windows, cache, logitPositions, checkCancelled });
      const filledAt = performance.now();
      const selecting = plans.flatMap((plan, i) => (plan.keepsAll ? [] : [{ plan, window: windowOf[i], i }]));
      const selections = await this.turns.take(() => this.selection.select(filled.scores, selecting, checkCancelled));
      const keptOf: (KeptPositions | undefined)[] = plans.map(() => undefined);
      selecting.forEach(({ i }, at) => (keptOf[i] = selections.distinct[selections.choice[at]!]!));
      const moments = { begun, filled: filledAt, selected: performance.now() };
      const read = { ...filled, cache, plans, windowOf, selections, keptOf, reservation, moments };
      return use(read, moments.selected - begun);
    };
    return this.buffer.use(n, work, turn);
  }

  /** Reserves a slot for the largest text of a prompt of n tokens. Throws when no slot can ever hold it. */
  private reservingFor(
    plans: readonly CompressionPlan[],
    n: number,
    { maxNewTokens, full }: Decoding,
  ): () => SlotReservation | undefined {
    const keys = Math.max(full ? n : 0, ...plans.map(({ kept }) => kept)) + maxNewTokens;
    this.slots.mustFit(keys);
    return () => this.slots.reserve(keys);
  }

  /** A greedy text that goes on from what is kept of a prompt. */
  private sequence(
    { cache, next }: ReadPrompt,
    kept: KeptPositions | undefined,
    maxNewTokens: number,
    { checkCancelled }: CallControl,
  ): Omit<SequenceRequest, 'endTokens'> {
    const n = cache.lengths[0]!;
    return {
      capacity: (kept?.[0]![0]!.length ?? n) + maxNewTokens,
      fill: (slots, row) => slots.gather(row, cache, kept),
      first: next,
      position: n,
      maxNewTokens,
      checkCancelled,
    };
  }

  /** ln P of each token under each selection (undefined = the full cache): [selections][tokens]. */
  private scored(
    { cache, logits }: ReadPrompt,
    selections: readonly (KeptPositions | undefined)[],
    tokens: readonly number[],
  ): Promise<number[][]> {
    return logProbsUnder(this.model, this.turns, { cache, logits: logits[0]! }, selections, tokens);
  }

  private continuation(tokenIds: readonly number[], ends: ReadonlySet<number>): Continuation {
    const visible = ends.has(tokenIds.at(-1)!) ? tokenIds.slice(0, -1) : tokenIds;
    return { text: this.tokenizer?.decode(visible) ?? '', tokenIds };
  }

  private endTokens(ignoreEos: boolean): ReadonlySet<number> {
    return ignoreEos ? new Set() : this.loaded.endTokens;
  }
}
