import { setImmediate } from 'node:timers/promises';
import {
  RewardServiceClient,
  type RewardServiceHandlers,
  type ScoreRequestOutput,
  type ScoreResponse,
} from '@a2sf/contracts';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { service, type CallContext, type ServiceSpec } from '@a2sf/grpc-runtime';
import type { HistogramOf, LabelsOf } from '@a2sf/observability';
import { datasetMetrics, metricNames, scoreSteps, textsToEmbed } from '@a2sf/rewards';
import type { TextEmbedder } from './embedder.js';
import { readScore, type ReadItem, type RequestLimits } from './request.js';

type ScoreSeconds = HistogramOf<LabelsOf<'a2sf_reward_score_seconds'>>;
type MetricLabel = LabelsOf<'a2sf_reward_score_seconds'>['metric'];

/** Longest time that other calls wait for scoring, in ms. */
const sliceMs = 10;

/** The RPCs of a reward server. */
export function rewardService(embedder: TextEmbedder, limits: RequestLimits, scoreSeconds: ScoreSeconds): ServiceSpec {
  async function score(request: ScoreRequestOutput, { signal }: CallContext): Promise<ScoreResponse> {
    const items = readScore(request, limits);
    const { vectors, msPerItem } = await embedTexts(items, embedder, signal);
    const embedding = (text: string): Float32Array => vectors.get(text)!;
    const scores: number[] = [];
    let sliceStart = performance.now();
    for (const [i, item] of items.entries()) {
      const steps = scoreSteps(item.metric, item, embedding);
      let workMs = item.metric.needsEmbeddings ? msPerItem : 0;
      for (let done = false; !done;) {
        const start = performance.now();
        const step = atItem(i, () => steps.next());
        workMs += performance.now() - start;
        if (step.done === true) {
          scores.push(step.value);
          done = true;
        }
        if (performance.now() - sliceStart > sliceMs) {
          await setImmediate();
          signal.throwIfAborted();
          sliceStart = performance.now();
        }
      }
      scoreSeconds.observe({ metric: item.metric.name as MetricLabel }, workMs / 1000);
    }
    return { scores };
  }

  return service<RewardServiceHandlers>(RewardServiceClient.service, {
    Score: score,
    ListMetrics: async () => ({
      metrics: [...metricNames],
      datasetMetrics: [...datasetMetrics],
      encoderId: embedder.encoderId,
    }),
  });
}

/** The vector of every text that some item needs, each embedded once, and the time that took per item in need of it. */
async function embedTexts(
  items: readonly ReadItem[],
  embedder: TextEmbedder,
  signal: AbortSignal,
): Promise<{ readonly vectors: ReadonlyMap<string, Float32Array>; readonly msPerItem: number }> {
  const texts = [...new Set(items.flatMap((item) => textsToEmbed(item.metric, item)))];
  if (texts.length === 0) return { vectors: new Map(), msPerItem: 0 };
  const start = performance.now();
  const embedded = await embedder.embed(texts, signal);
  const inNeed = items.filter((item) => item.metric.needsEmbeddings).length;
  return {
    vectors: new Map(texts.map((text, i) => [text, embedded[i]!])),
    msPerItem: (performance.now() - start) / inNeed,
  };
}

/** Runs one step of an item; an error of it names the item. */
function atItem<T>(index: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!isA2sfError(error)) throw error;
    const path = `items[${index}]`;
    throw new A2sfError(error.code, `${path}: ${error.message}`, { field: path, reason: error.reason, cause: error });
  }
}
