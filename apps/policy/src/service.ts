import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { defaultAgent } from '@a2sf/bandit';
import {
  PolicyServiceClient,
  type Action,
  type ExportCheckpointRequestOutput,
  type ExportCheckpointResponse,
  type ImportCheckpointRequestOutput,
  type ImportCheckpointResponse,
  type PolicyInfoResponse,
  type PolicyServiceHandlers,
  type PromoteChallengerResponse,
  type SelectActionResponse,
  type UpdateRequestOutput,
  type UpdateResponse,
  type WatchPolicyResponse,
} from '@a2sf/contracts';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { service, type CallContext, type ServiceSpec } from '@a2sf/grpc-runtime';
import type { HyperParameters } from '@a2sf/run-store';
import type { SelectInput, Selection } from './choosing.js';
import { contextHash } from './context-hash.js';
import type { PolicyDescription } from './learner.js';
import type { PolicyMetrics } from './metrics.js';
import { Permits } from './permits.js';
import type { PolicyEngine } from './policy-engine.js';
import { releaseBytes, releaseMemorySoon, releaseShortLived } from './release-memory.js';
import { readSelect, readUpdate, requireCount, type DrawnInput, type SelectOrder } from './request.js';
import { defaultHyperParameters } from './served-policy.js';
import { plainServing, type ServingParts } from './serving-parts.js';
import { SharedExports } from './shared-exports.js';
import type { TextEncoder } from './text-encoder.js';
import { receiveUpload, type Upload } from './upload.js';
import type { VersionFeed } from './version-feed.js';

/** What the handlers work with. */
export interface PolicyParts {
  readonly engine: Pick<PolicyEngine, 'call'>;
  /** Undefined: texts are refused. */
  readonly encoder: TextEncoder | undefined;
  readonly feed: VersionFeed;
  readonly metrics: PolicyMetrics;
  /** The numbers that were set explicitly. */
  readonly given: Partial<HyperParameters>;
  readonly maxBatch: number;
  readonly maxCheckpointBytes: number;
  /** Where an upload lies until it is read. Default: the system's folder for temporary files. */
  readonly uploadFolder?: string;
  /** Default: no floor, no shadow, no log. */
  readonly serving?: ServingParts;
}

const chunkBytes = 256 * 1024;
const maxExports = 4;
const maxServingExports = 256;
/** Draws are below it: the largest bound that `randomInt` takes, and exact in JSON. */
const drawBound = 2 ** 48 - 1;

/** The RPCs of a policy server. */
export function policyService(parts: PolicyParts): ServiceSpec {
  const { engine, encoder, feed, metrics } = parts;
  const { serving, shadowShare, decisions } = parts.serving ?? plainServing;
  const exports = new Permits(maxExports, 'exports');
  const imports = new Permits(1, 'import');
  const servingReaders = new Permits(maxServingExports, 'exports');
  const servingExports = new SharedExports(exports, (since) => engine.call('exportServed', since));

  async function select(orders: readonly SelectOrder[], call: CallContext): Promise<SelectActionResponse[]> {
    const inputs = await withContexts(orders, encoder, call);
    const stop = metrics.startSelect();
    const selections = await engine.call('select', inputs);
    stop();
    metrics.observeSelections(selections);
    return selections.map((selection, i) => {
      const contextHashed = selection.fullCache === 'empty_context' ? '' : contextHash(inputs[i]!.context);
      const decisionId = decisions?.decided(inputs[i]!, selection, contextHashed) ?? '';
      return { ...selectionMessage(selection), contextHash: contextHashed, decisionId };
    });
  }

  function draw(): DrawnInput {
    return { draw: randomInt(drawBound), shadow: shadowShare > 0 && Math.random() < shadowShare };
  }

  function countUnwritten(error: unknown): void {
    if (isA2sfError(error) && unwritten.has(error.reason)) metrics.observeUnwritten();
  }

  async function update(request: UpdateRequestOutput): Promise<UpdateResponse> {
    try {
      const input = readUpdate(request, parts.maxBatch);
      const outcome = await engine.call('update', input);
      const { answer, replayed, applied } = outcome;
      if (!replayed) {
        if (applied.length > 0) metrics.observeUpdate(outcome);
        decisions?.rewarded(input, applied);
        feed.publish(answer.policyVersion, answer.iteration);
      }
      const { loss: predictionLoss, policyVersion, skipped, gradientNorm } = answer;
      return { predictionLoss, policyVersion, skipped, gradientNorm };
    } catch (error) {
      if (isA2sfError(error) && refusals.has(error.code)) metrics.observeRefusal(request.experiences.length);
      countUnwritten(error);
      throw error;
    } finally {
      releaseMemorySoon();
    }
  }

  async function* exported(
    iteration: number | undefined,
    servingOnly: boolean,
  ): AsyncGenerator<ExportCheckpointResponse, void, undefined> {
    const id = await engine.call('beginExport', iteration, servingOnly);
    try {
      let bytes = 0;
      for (;;) {
        const part = await engine.call('exportPart', id);
        if (part === undefined) return;
        yield* chunksOf(part);
        bytes += part.byteLength;
        if (bytes < releaseBytes) continue;
        releaseShortLived();
        bytes = 0;
      }
    } finally {
      await engine.call('endExport', id).catch(() => undefined); // of an engine that is gone
    }
  }

  async function* exportCheckpoint({
    iteration,
    servingOnly,
    since,
  }: ExportCheckpointRequestOutput): AsyncGenerator<ExportCheckpointResponse, void, undefined> {
    const isShared = servingOnly && iteration === undefined;
    const giveBack = isShared ? servingReaders.take() : exports.take();
    try {
      if (!isShared) return yield* exported(iteration, servingOnly);
      const loan = await servingExports.take(feed.current.policyVersion, since === '' ? undefined : since);
      try {
        yield* chunksOf(loan.bytes);
      } finally {
        loan.giveBack();
      }
    } finally {
      giveBack();
      releaseMemorySoon();
    }
  }

  /** Tells of the policy that is served now. */
  async function serve(after: string): Promise<PolicyDescription> {
    const policy = await engine.call('describe');
    if (policy === undefined) throw new Error(`no policy after ${after}`);
    metrics.observePolicy(policy);
    feed.publish(policy.policyVersion, policy.iteration);
    return policy;
  }

  async function promoteChallenger(log: CallContext['log']): Promise<PromoteChallengerResponse> {
    const giveBack = imports.take();
    try {
      await engine.call('promoteChallenger');
      const { policyVersion } = await serve('a promotion');
      log.info({ policyVersion }, 'challenger promoted');
      return { policyVersion };
    } catch (error) {
      countUnwritten(error);
      throw error;
    } finally {
      giveBack();
    }
  }

  async function importCheckpoint(
    requests: AsyncIterable<ImportCheckpointRequestOutput>,
    { log }: CallContext,
  ): Promise<ImportCheckpointResponse> {
    const giveBack = imports.take();
    let upload: Upload | undefined;
    try {
      upload = await receiveUpload(requests, parts.uploadFolder ?? tmpdir(), parts.maxCheckpointBytes);
      const { path, byteLength: size } = upload;
      if (upload.challenger) {
        const { warnings, iteration } = await engine.call('importChallenger', { path }, 'checkpoint');
        for (const warning of warnings) log.warn(warning);
        const policy = await serve('a challenger');
        log.info({ version: policy.challengerVersion, iteration, bytes: size }, 'challenger imported');
        return { policyVersion: policy.policyVersion, iteration };
      }
      const { warnings } = await engine.call('importCheckpoint', { path }, 'checkpoint');
      for (const warning of warnings) log.warn(warning);
      const { policyVersion, iteration } = await serve('an import');
      log.info({ policyVersion, iteration, bytes: size }, 'checkpoint imported');
      return { policyVersion, iteration };
    } catch (error) {
      countUnwritten(error);
      throw error;
    } finally {
      await upload?.discard();
      releaseMemorySoon();
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
    const { qualityFloor } = serving;
    const numbers = policy?.hyperParameters ?? { ...defaultHyperParameters, ...parts.given };
    return {
      aValues: [...(policy?.aValues ?? [])],
      bValues: [...(policy?.bValues ?? [])],
      budgets: [...(policy?.budgets ?? [])],
      embeddingDimension: policy?.dimension ?? 0,
      hyperParameters: { stepsPerUpdate: 1, ...numbers, hidden: policy?.hidden ?? 0 },
      policyVersion: policy?.policyVersion ?? 0,
      role: 'learner',
      iteration: policy?.iteration ?? 0,
      encoderId: policy?.encoderId ?? '',
      agent: policy?.agent ?? defaultAgent,
      challengerVersion: policy?.challengerVersion ?? 0,
      ...(qualityFloor === undefined ? {} : { qualityFloor }),
    };
  }

  return service<PolicyServiceHandlers>(PolicyServiceClient.service, {
    SelectAction: async (request, call) => (await select([readSelect(request, draw())], call))[0]!,
    SelectActions: async ({ requests }, call) => {
      requireCount(requests, 'requests', parts.maxBatch);
      return {
        responses: await select(
          requests.map((request, i) => readSelect(request, draw(), `requests[${i}].`)),
          call,
        ),
      };
    },
    Update: update,
    ExportCheckpoint: exportCheckpoint,
    ImportCheckpoint: importCheckpoint,
    PromoteChallenger: (_request, { log }) => promoteChallenger(log),
    WatchPolicy: (_request, call) => watch(call),
    GetInfo: getInfo,
  });
}

function* chunksOf(bytes: Uint8Array): Generator<ExportCheckpointResponse, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield { data: Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(chunkBytes, bytes.length - at)) };
  }
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
  const { actionIndex, prediction, uncertainty, ucb, policyVersion, fullCache } = selection;
  const { lowerBound, propensity, candidates = [] } = selection;
  return {
    action: actionMessage(selection),
    actionIndex,
    predictedReward: prediction,
    uncertainty,
    ucb,
    policyVersion,
    useFullCache: fullCache !== undefined,
    fullCacheReason: fullCacheReasons[fullCache ?? 'none'],
    candidates: candidates.map((candidate) => ({
      action: actionMessage(candidate),
      predictedReward: candidate.prediction,
      uncertainty: candidate.uncertainty,
      lowerBound: candidate.lowerBound,
    })),
    ...(lowerBound === undefined ? {} : { lowerBound }),
    ...(propensity === undefined ? {} : { propensity }),
  };
}

function actionMessage({ a, b, budget }: Pick<Selection, 'a' | 'b' | 'budget'>): Action {
  return budget === undefined ? { a, b } : { a, b, budget };
}

const fullCacheReasons = {
  none: 'FULL_CACHE_REASON_UNSPECIFIED',
  empty_context: 'FULL_CACHE_REASON_EMPTY_CONTEXT',
  below_floor: 'FULL_CACHE_REASON_BELOW_FLOOR',
} as const;
