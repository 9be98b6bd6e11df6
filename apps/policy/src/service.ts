import { defaultAgent } from '@a2sf/bandit';
import {
  PolicyServiceClient,
  type ExportCheckpointRequestOutput,
  type ExportCheckpointResponse,
  type ImportCheckpointRequestOutput,
  type ImportCheckpointResponse,
  type PolicyInfoResponse,
  type PolicyServiceHandlers,
  type SelectActionResponse,
  type UpdateRequestOutput,
  type UpdateResponse,
  type WatchPolicyResponse,
} from '@a2sf/contracts';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { service, type CallContext, type ServiceSpec } from '@a2sf/grpc-runtime';
import type { HyperParameters } from '@a2sf/run-store';
import { defaultHyperParameters, type SelectInput, type Selection } from './learner.js';
import type { PolicyMetrics } from './metrics.js';
import { Permits } from './permits.js';
import type { PolicyEngine } from './policy-engine.js';
import { readSelect, readUpdate, requireCount, type SelectOrder } from './request.js';
import type { TextEncoder } from './text-encoder.js';
import type { VersionFeed } from './version-feed.js';

/** What the handlers work with. */
export interface PolicyParts {
  readonly engine: PolicyEngine;
  /** Undefined: texts are refused. */
  readonly encoder: TextEncoder | undefined;
  readonly feed: VersionFeed;
  readonly metrics: PolicyMetrics;
  /** The numbers that were set explicitly. */
  readonly given: Partial<HyperParameters>;
  readonly maxBatch: number;
  readonly maxCheckpointBytes: number;
}

const chunkBytes = 256 * 1024;
const maxExports = 4;

/** The RPCs of a policy server. */
export function policyService(parts: PolicyParts): ServiceSpec {
  const { engine, encoder, feed, metrics } = parts;
  const exports = new Permits(maxExports, 'exports');
  const imports = new Permits(1, 'import');

  async function select(orders: readonly SelectOrder[], call: CallContext): Promise<SelectActionResponse[]> {
    const inputs = await withContexts(orders, encoder, call);
    const stop = metrics.startSelect();
    const selections = await engine.call('select', inputs);
    stop();
    metrics.observeSelections(selections);
    return selections.map(selectionMessage);
  }

  function countUnwritten(error: unknown): void {
    if (isA2sfError(error) && unwritten.has(error.reason)) metrics.observeUnwritten();
  }

  async function update(request: UpdateRequestOutput): Promise<UpdateResponse> {
    try {
      const { answer, replayed } = await engine.call('update', readUpdate(request, parts.maxBatch));
      if (!replayed) {
        if (answer.skipped < request.experiences.length) metrics.observeUpdate(answer);
        feed.publish(answer.policyVersion, answer.iteration);
      }
      const { loss: predictionLoss, policyVersion, skipped, gradientNorm } = answer;
      return { predictionLoss, policyVersion, skipped, gradientNorm };
    } catch (error) {
      if (isA2sfError(error) && refusals.has(error.code)) metrics.observeRefusal(request.experiences.length);
      countUnwritten(error);
      throw error;
    }
  }

  async function* exportCheckpoint({
    iteration,
  }: ExportCheckpointRequestOutput): AsyncGenerator<ExportCheckpointResponse, void, undefined> {
    const giveBack = exports.take();
    try {
      const bytes = await engine.call('exportCheckpoint', iteration);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        yield { data: Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(chunkBytes, bytes.length - at)) };
      }
    } finally {
      giveBack();
    }
  }

  async function importCheckpoint(
    requests: AsyncIterable<ImportCheckpointRequestOutput>,
    { log }: CallContext,
  ): Promise<ImportCheckpointResponse> {
    const giveBack = imports.take();
    try {
      const bytes = await collect(requests, parts.maxCheckpointBytes);
      const { warnings } = await engine.call('importCheckpoint', bytes, 'checkpoint');
      for (const warning of warnings) log.warn(warning);
      const policy = await engine.call('describe');
      if (policy === undefined) throw new Error('no policy after an import');
      const { policyVersion, iteration } = policy;
      metrics.observePolicy(policy);
      feed.publish(policyVersion, iteration);
      log.info({ policyVersion, iteration, bytes: bytes.byteLength }, 'checkpoint imported');
      return { policyVersion, iteration };
    } catch (error) {
      countUnwritten(error);
      throw error;
    } finally {
      giveBack();
    }
  }

  async function* watch({ signal, draining }: CallContext): AsyncGenerator<WatchPolicyResponse, void, undefined> {
    for await (const { policyVersion, iteration, updatedAt } of feed.watch([signal, draining])) {
      const ms = updatedAt.getTime();
      yield { policyVersion, iteration, updatedAt: { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 } };
    }
  }

  async function getInfo(): Promise<PolicyInfoResponse> {
    const policy = await engine.call('describe');
    const numbers = policy?.hyperParameters ?? { ...defaultHyperParameters, ...parts.given };
    return {
      aValues: [...(policy?.aValues ?? [])],
      bValues: [...(policy?.bValues ?? [])],
      embeddingDimension: policy?.dimension ?? 0,
      hyperParameters: { ...numbers, hidden: policy?.hidden ?? 0 },
      policyVersion: policy?.policyVersion ?? 0,
      role: 'learner',
      iteration: policy?.iteration ?? 0,
      encoderId: policy?.encoderId ?? '',
      agent: policy?.agent ?? defaultAgent,
    };
  }

  return service<PolicyServiceHandlers>(PolicyServiceClient.service, {
    SelectAction: async (request, call) => (await select([readSelect(request)], call))[0]!,
    SelectActions: async ({ requests }, call) => {
      requireCount(requests, 'requests', parts.maxBatch);
      return {
        responses: await select(
          requests.map((request, i) => readSelect(request, `requests[${i}].`)),
          call,
        ),
      };
    },
    Update: update,
    ExportCheckpoint: exportCheckpoint,
    ImportCheckpoint: importCheckpoint,
    WatchPolicy: (_request, call) => watch(call),
    GetInfo: getInfo,
  });
}

const unwritten: ReadonlySet<string> = new Set(['disk-full', 'state-not-written']);
const refusals: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'FAILED_PRECONDITION']);

/** Embeds the texts among the orders, in one go. Throws FAILED_PRECONDITION when there are some and there is no encoder. */
async function withContexts(
  orders: readonly SelectOrder[],
  encoder: TextEncoder | undefined,
  { signal, deadlineMs }: CallContext,
): Promise<SelectInput[]> {
  const texts = orders.flatMap((order) => ('text' in order ? [order.text] : []));
  if (texts.length > 0 && encoder === undefined) {
    throw new A2sfError('FAILED_PRECONDITION', 'text: this server has no encoder (--encoder ADDRESS)', {
      field: 'text',
      reason: 'no-encoder',
    });
  }
  const embeddings = texts.length === 0 ? [] : await encoder!.encode(texts, { signal, timeoutMs: deadlineMs });
  let next = 0;
  return orders.map((order) => ('text' in order ? order.complete(embeddings[next++]!) : order));
}

function selectionMessage(selection: Selection): SelectActionResponse {
  const { a, b, actionIndex, prediction, uncertainty, ucb, policyVersion, useFullCache } = selection;
  return { action: { a, b }, actionIndex, predictedReward: prediction, uncertainty, ucb, policyVersion, useFullCache };
}

/** The bytes of an upload in one piece. Throws RESOURCE_EXHAUSTED over the limit, INVALID_ARGUMENT when there are none. */
async function collect(requests: AsyncIterable<ImportCheckpointRequestOutput>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const { data } of requests) {
    length += data.byteLength;
    if (length > limit) {
      throw new A2sfError('RESOURCE_EXHAUSTED', `data: over ${limit} bytes, the limit (--max_checkpoint_bytes)`, {
        field: 'data',
        reason: 'checkpoint-too-large',
      });
    }
    if (data.byteLength > 0) chunks.push(data); // empty ones would grow the list without counting
  }
  if (length === 0) throw A2sfError.invalid('data', 'holds no bytes');
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
