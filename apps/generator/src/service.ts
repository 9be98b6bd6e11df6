import {
  GeneratorServiceClient,
  type Continuation as ContinuationMessage,
  type GenerateRequestOutput,
  type GenerateResponse,
  type GeneratorInfoResponse,
  type GeneratorServiceHandlers,
  type InspectRequestOutput,
  type InspectResponse,
  type ScoreContinuationRequestOutput,
  type ScoreContinuationResponse,
  type SweepRequestOutput,
  type SweepResponse,
} from '@a2sf/contracts';
import { service, type CallContext, type ServiceSpec } from '@a2sf/grpc-runtime';
import type { Continuation, GenerateChunk, GenerateResult, LanguageModelHost } from '@a2sf/inference';
import { ActionSpace, type Action } from '@a2sf/kv-compression';
import { AsyncQueue } from './async-queue.js';
import type { GeneratorMetrics } from './metrics.js';
import { recordStages } from './stage-spans.js';
import { readGenerate, readInspect, readScore, readSweep, type RequestLimits } from './request.js';

const finishReasons = {
  'end-token': 'FINISH_REASON_END_TOKEN',
  length: 'FINISH_REASON_LENGTH',
  stop: 'FINISH_REASON_STOP',
} as const;

/** The RPCs of a generator over one language model. */
export function generatorService(
  model: LanguageModelHost,
  limits: RequestLimits,
  metrics: GeneratorMetrics,
): ServiceSpec {
  async function* generate(
    request: GenerateRequestOutput,
    { signal, client }: CallContext,
  ): AsyncIterable<GenerateResponse> {
    const input = readGenerate(request, limits);
    const chunks = new AsyncQueue<GenerateResponse>();
    let result: GenerateResult | undefined;
    const done = metrics
      .track(() => model.generate(input, (chunk) => chunks.push(generateResponse(chunk)), signal, client))
      .then((finished) => {
        result = finished;
        recordStages(finished.stages, {
          prefill: { 'a2sf.prompt_tokens': finished.promptTokens },
          selection: { 'a2sf.kept_tokens': finished.keptTokens },
          decode: { 'a2sf.generated_tokens': finished.generatedTokens },
        });
        chunks.close();
      })
      .catch((error: unknown) => chunks.close(error));
    yield* chunks;
    await done;
    if (result === undefined) return;
    metrics.observeGenerate(result);
    yield {
      finishReason: finishReasons[result.finishReason],
      truncated: result.truncated,
      usage: {
        promptTokens: result.promptTokens,
        keptTokens: result.keptTokens,
        generatedTokens: result.generatedTokens,
        cacheBytes: result.cacheBytes,
        fullCacheBytes: result.fullCacheBytes,
        prefillMs: result.prefillMs,
        decodeMs: result.decodeMs,
      },
    };
  }

  async function sweep(request: SweepRequestOutput, { signal, client }: CallContext): Promise<SweepResponse> {
    const input = readSweep(request, limits);
    const output = await metrics.track(() => model.sweep(input, signal, client));
    metrics.observeSweep(output);
    recordStages(output.stages, {
      prefill: { 'a2sf.prompt_tokens': output.promptTokens },
      selection: { 'a2sf.actions': output.results.length },
      decode: { 'a2sf.texts': output.results.filter(({ sameAs }) => sameAs === undefined).length },
    });
    return {
      ...(output.full === undefined ? {} : { full: continuation(output.full) }),
      results: output.results.map((result, i) => {
        return {
          ...continuation(result),
          keptTokens: result.keptTokens,
          ...identified(input.compressions[i]!.action),
          ...(result.sameAs === undefined ? {} : { sameAs: result.sameAs }),
        };
      }),
      promptTokens: output.promptTokens,
      keptTokens: output.results[0]!.keptTokens,
      truncated: output.truncated,
      prefillMs: output.prefillMs,
      decodeMs: output.decodeMs,
    };
  }

  async function scoreContinuation(
    request: ScoreContinuationRequestOutput,
    { signal, client }: CallContext,
  ): Promise<ScoreContinuationResponse> {
    const input = readScore(request, limits);
    const output = await metrics.track(() => model.score(input, signal, client));
    return { ...output, tokenIds: [...output.tokenIds], logProbs: [...output.logProbs] };
  }

  async function inspect(request: InspectRequestOutput, { signal, client }: CallContext): Promise<InspectResponse> {
    const input = readInspect(request, limits);
    const output = await metrics.track(() => model.inspect(input, signal, client));
    return {
      promptTokens: output.promptTokens,
      truncated: output.truncated,
      layers: output.layers.map(({ layer, heads, statistics }) => ({
        layer,
        heads: heads.map(({ positions, scores }) => ({ positions: [...positions], scores: [...scores] })),
        ...(statistics === undefined ? {} : { statistics }),
      })),
      overlaps: output.overlaps.map((overlap, i) => ({
        ...overlap,
        ...identified(input.compareWith?.[i]?.compression.action),
      })),
    };
  }

  async function getInfo(): Promise<GeneratorInfoResponse> {
    const { model: name, contextTokens: _, methods, ...info } = model.info;
    return { model: name, ...info, methods: [...methods] };
  }

  return service<GeneratorServiceHandlers>(GeneratorServiceClient.service, {
    Generate: generate,
    Sweep: sweep,
    Inspect: inspect,
    ScoreContinuation: scoreContinuation,
    GetInfo: getInfo,
  });
}

/** An action and its index in the default space, where there are such. */
function identified(action: Action | undefined): { readonly action?: Action; readonly actionIndex?: number } {
  if (action === undefined) return {};
  const actionIndex = ActionSpace.default.indexOf(action);
  return actionIndex === undefined ? { action } : { action, actionIndex };
}

function generateResponse({ text, tokenIds, logProbs = [] }: GenerateChunk): GenerateResponse {
  return {
    text,
    tokenIds: [...tokenIds],
    logProbs: logProbs.map(({ logProb }) => logProb),
    topTokens: logProbs
      .filter(({ top }) => top.length > 0)
      .map(({ top }) => ({ tokenIds: top.map(({ token }) => token), logProbs: top.map(({ logProb }) => logProb) })),
  };
}

function continuation({ text, tokenIds, logProbs = [] }: Continuation): ContinuationMessage {
  return { text, tokenIds: [...tokenIds], logProbs: [...logProbs] };
}
