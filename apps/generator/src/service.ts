import {
  GeneratorServiceClient,
  type GenerateRequestOutput,
  type GenerateResponse,
  type GeneratorInfoResponse,
  type GeneratorServiceHandlers,
  type InspectRequestOutput,
  type InspectResponse,
  type SweepRequestOutput,
  type SweepResponse,
} from '@a2sf/contracts';
import { service, type CallContext, type ServiceSpec } from '@a2sf/grpc-runtime';
import type { GenerateResult, LanguageModelHost } from '@a2sf/inference';
import { ActionSpace } from '@a2sf/kv-compression';
import { AsyncQueue } from './async-queue.js';
import type { GeneratorMetrics } from './metrics.js';
import { readGenerate, readInspect, readSweep, type RequestLimits } from './request.js';

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
  async function* generate(request: GenerateRequestOutput, { signal }: CallContext): AsyncIterable<GenerateResponse> {
    const input = readGenerate(request, limits);
    const chunks = new AsyncQueue<GenerateResponse>();
    let result: GenerateResult | undefined;
    const done = metrics
      .track(() =>
        model.generate(input, ({ text, tokenIds }) => chunks.push({ text, tokenIds: [...tokenIds] }), signal),
      )
      .then((finished) => {
        result = finished;
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

  async function sweep(request: SweepRequestOutput, { signal }: CallContext): Promise<SweepResponse> {
    const input = readSweep(request, limits);
    const output = await metrics.track(() => model.sweep(input, signal));
    metrics.observeSweep(output);
    return {
      ...(output.full === undefined ? {} : { full: { text: output.full.text, tokenIds: [...output.full.tokenIds] } }),
      results: output.results.map(({ text, tokenIds, sameAs }, i) => {
        const actionIndex = ActionSpace.default.indexOf(input.actions[i]!);
        return {
          action: input.actions[i]!,
          text,
          tokenIds: [...tokenIds],
          ...(actionIndex === undefined ? {} : { actionIndex }),
          ...(sameAs === undefined ? {} : { sameAs }),
        };
      }),
      promptTokens: output.promptTokens,
      keptTokens: output.keptTokens,
      truncated: output.truncated,
      prefillMs: output.prefillMs,
      decodeMs: output.decodeMs,
    };
  }

  async function inspect(request: InspectRequestOutput, { signal }: CallContext): Promise<InspectResponse> {
    const input = readInspect(request, limits);
    const output = await metrics.track(() => model.inspect(input, signal));
    return {
      promptTokens: output.promptTokens,
      truncated: output.truncated,
      layers: output.layers.map(({ layer, heads }) => ({
        layer,
        heads: heads.map(({ positions, scores }) => ({ positions: [...positions], scores: [...scores] })),
      })),
    };
  }

  async function getInfo(): Promise<GeneratorInfoResponse> {
    const { model: name, contextTokens: _, ...info } = model.info;
    return { model: name, ...info };
  }

  return service<GeneratorServiceHandlers>(GeneratorServiceClient.service, {
    Generate: generate,
    Sweep: sweep,
    Inspect: inspect,
    GetInfo: getInfo,
  });
}
