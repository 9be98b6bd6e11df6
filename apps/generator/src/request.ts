import type {
  ComparedSelectionsOutput,
  CompressionOutput,
  GenerateRequestOutput,
  InspectRequestOutput,
  PromptOutput,
  ScoreContinuationRequestOutput,
  SweepRequestOutput,
} from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type {
  ComparedCompression,
  GenerateInput,
  InspectInput,
  PromptInput,
  ScoreInput,
  SweepInput,
} from '@a2sf/inference';
import {
  ActionSpace,
  validateAction,
  validateCompression,
  type Action,
  type CompressionRequest,
} from '@a2sf/kv-compression';
import { readSampling } from './sampling.js';

/** What requests may ask for. */
export interface RequestLimits {
  readonly maxNewTokens: number;
  readonly maxPromptBytes: number;
}

const defaultNewTokens = 16;
const maxActions = 256;
const maxStops = 16;
const maxStopCharacters = 256;
const maxTokenIds = 1 << 20;
const maxStopTokens = 64;
const maxAlternatives = 20;

/** Checks every field of a GenerateRequest. Throws INVALID_ARGUMENT or RESOURCE_EXHAUSTED naming the field and the limit. */
export function readGenerate(request: GenerateRequestOutput, limits: RequestLimits): GenerateInput {
  if (request.stop.length > maxStops)
    throw A2sfError.invalid('stop', `at most ${maxStops} strings, got ${request.stop.length}`);
  request.stop.forEach((stop, i) => {
    if (stop.length === 0 || stop.length > maxStopCharacters) {
      throw A2sfError.invalid(`stop[${i}]`, `must have 1..${maxStopCharacters} characters, has ${stop.length}`);
    }
  });
  if (request.stopTokenIds.length > maxStopTokens) {
    throw A2sfError.invalid('stop_token_ids', `at most ${maxStopTokens}, got ${request.stopTokenIds.length}`);
  }
  const logprobs = request.logprobs;
  if (logprobs !== undefined && logprobs > maxAlternatives) {
    throw A2sfError.invalid('logprobs', `must be in 0..${maxAlternatives}, got ${logprobs}`);
  }
  const sampling = readSampling(request.sampling);
  return {
    prompt: readPrompt(request, limits),
    compression: request.compression === null ? undefined : readCompression(request.compression, 'compression.'),
    maxNewTokens: readNewTokens(request.maxNewTokens, limits),
    ignoreEos: request.ignoreEos,
    stop: request.stop,
    stopTokens: request.stopTokenIds,
    ...(sampling === undefined ? {} : { sampling }),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/**
 * Checks every field of a SweepRequest; neither actions nor compressions means the default space.
 * `compressions` of the result holds the actions' first.
 */
export function readSweep(request: SweepRequestOutput, limits: RequestLimits): SweepInput {
  const asked = request.actions.length + request.compressions.length;
  if (asked > maxActions) {
    throw A2sfError.invalid('actions', `at most ${maxActions} together with compressions, got ${asked}`);
  }
  const given = request.actions.map((action, i) => readAction(action, `actions[${i}]`));
  const actions = asked === 0 ? ActionSpace.default.actions() : given;
  const shared = {
    budget: request.budget,
    recent: request.recent,
    keep: request.keep,
    budgetShare: request.budgetShare,
  };
  const windows = windowsOf(actions, shared, '');
  const others = request.compressions.map((compression, i) => readCompression(compression, `compressions[${i}].`));
  return {
    prompt: readPrompt(request, limits),
    compressions: [...windows, ...others],
    maxNewTokens: readNewTokens(request.maxNewTokens, limits),
    ignoreEos: request.ignoreEos,
    includeFull: request.includeFull,
    scoreFull: request.scoreFull,
  };
}

/** Checks every field of a ScoreContinuationRequest. */
export function readScore(request: ScoreContinuationRequestOutput, limits: RequestLimits): ScoreInput {
  const source = readSource(request.continuation, 'continuation', limits);
  if ('ids' in source && source.ids.length > limits.maxNewTokens) {
    const problem = `at most ${limits.maxNewTokens} tokens (the limit of new tokens), got ${source.ids.length}`;
    throw A2sfError.invalid('continuation.token_ids.ids', problem);
  }
  return {
    prompt: readPrompt(request, limits),
    continuation: source,
    compression: request.compression === null ? undefined : readCompression(request.compression, 'compression.'),
    maxTokens: limits.maxNewTokens,
  };
}

/** Checks every field of an InspectRequest. */
export function readInspect(request: InspectRequestOutput, limits: RequestLimits): InspectInput {
  if (request.compression === null) throw A2sfError.invalid('compression', 'is required');
  if (request.layers.length > 4096) throw A2sfError.invalid('layers', `at most 4096, got ${request.layers.length}`);
  const compression = readCompression(request.compression, 'compression.');
  return {
    prompt: readPrompt(request, limits),
    compression,
    layers: request.layers,
    withScores: request.withScores,
    withStatistics: request.withStatistics,
    compareWith: request.compare === null ? [] : readCompared(request.compare, compression),
  };
}

/** The actions' selections first; they share what `compression` says but for its method, and the budget where they name one. */
function readCompared(
  { actions: given, compressions }: ComparedSelectionsOutput,
  { budget, budgetShare, recent, keep }: CompressionRequest,
): ComparedCompression[] {
  const asked = given.length + compressions.length;
  if (asked > maxActions) {
    throw A2sfError.invalid('compare.actions', `at most ${maxActions} together with compressions, got ${asked}`);
  }
  const shared = { budget, budgetShare, recent, keep };
  const actions =
    asked === 0 ? ActionSpace.default.actions() : given.map((action, i) => readAction(action, `compare.actions[${i}]`));
  const windows = windowsOf(actions, shared, 'compression.');
  return [
    ...windows.map((compression) => ({ compression, path: 'compression.' })),
    ...compressions.map((compression, i) => {
      const path = `compare.compressions[${i}].`;
      return { compression: readCompression(compression, path), path };
    }),
  ];
}

const wraps: Readonly<Record<string, PromptInput['wrap']>> = { PROMPT_WRAP_INST: 'inst', PROMPT_WRAP_CHAT: 'chat' };

function readPrompt(
  request: { prompt: PromptOutput | null; truncate: boolean; maxPromptTokens: number; wrap: string },
  limits: RequestLimits,
): PromptInput {
  const { prompt, truncate, maxPromptTokens, wrap } = request;
  return { source: readSource(prompt, 'prompt', limits), truncate, maxPromptTokens, wrap: wraps[wrap] ?? 'none' };
}

function readSource(prompt: PromptOutput | null, field: string, limits: RequestLimits): PromptInput['source'] {
  const tooLong = (name: string, size: string, limit: number): A2sfError =>
    new A2sfError('RESOURCE_EXHAUSTED', `${name}: ${size}, the limit is ${limit}`, {
      field: name,
      reason: 'prompt-too-long',
    });
  switch (prompt?.source) {
    case 'text': {
      const text = prompt.text ?? '';
      if (text.trim() === '') throw A2sfError.invalid(`${field}.text`, 'must not be blank');
      const bytes = Buffer.byteLength(text);
      if (bytes > limits.maxPromptBytes) throw tooLong(`${field}.text`, `${bytes} bytes`, limits.maxPromptBytes);
      return { text };
    }
    case 'tokenIds': {
      const ids = prompt.tokenIds?.ids ?? [];
      if (ids.length === 0) throw A2sfError.invalid(`${field}.token_ids.ids`, 'must not be empty');
      if (ids.length > maxTokenIds) throw tooLong(`${field}.token_ids.ids`, `${ids.length} ids`, maxTokenIds);
      return { ids };
    }
    case undefined:
      throw A2sfError.invalid(field, 'needs text or token_ids');
  }
}

/** Absent optional fields are left out, so that each method's own default holds. */
function readCompression(compression: CompressionOutput, path: string): CompressionRequest {
  const { action, method, budget, recent, keep, budgetShare } = compression;
  const { sinks, observationWindow, pooling, forgetting, seed } = compression;
  const request: CompressionRequest = {
    method,
    budget,
    recent,
    keep,
    budgetShare,
    ...(action === null ? {} : windowOf(readAction(action, `${path}action`), budget, budgetShare, path)),
    ...(sinks === undefined ? {} : { sinks }),
    ...(observationWindow === undefined ? {} : { observationWindow }),
    ...(pooling === undefined ? {} : { pooling }),
    ...(forgetting === undefined ? {} : { forgetting }),
    ...(seed === undefined ? {} : { seed }),
  };
  validateCompression(request, path);
  return request;
}

/** Windows that share all but the action, and the budget where that names one. `path` goes before the fields they share. */
function windowsOf(
  actions: readonly Action[],
  shared: Pick<CompressionRequest, 'budget' | 'budgetShare' | 'recent' | 'keep'>,
  path: string,
): CompressionRequest[] {
  const windows = actions.map((action): CompressionRequest => {
    const { budget } = action;
    return budget === undefined ? { ...shared, action } : { ...shared, action, budget, budgetShare: 0 };
  });
  const ofBudget = new Map(windows.map((window) => [window.budget, window]));
  for (const window of ofBudget.values()) validateCompression(window, path);
  return windows;
}

/** An action and its budget, where it names one. Throws INVALID_ARGUMENT where the request names another. */
function windowOf(
  action: Action,
  budget: number,
  budgetShare: number,
  path: string,
): Pick<CompressionRequest, 'action'> | Pick<CompressionRequest, 'action' | 'budget'> {
  if (action.budget === undefined) return { action };
  if ((budget !== 0 && budget !== action.budget) || budgetShare !== 0) {
    const other = budgetShare === 0 ? `budget ${budget}` : `budget_share ${budgetShare}`;
    throw A2sfError.invalid(`${path}action.budget`, `must not be given together with another, got ${other} there`);
  }
  return { action, budget: action.budget };
}

function readAction(action: Action | null, field: string): Action {
  if (action === null) throw A2sfError.invalid(field, 'is required');
  const { a, b, budget } = action;
  const read = budget === undefined ? { a, b } : { a, b, budget };
  validateAction(read, field);
  return read;
}

function readNewTokens(asked: number, limits: RequestLimits): number {
  const tokens = asked === 0 ? defaultNewTokens : asked;
  if (tokens > limits.maxNewTokens) {
    throw A2sfError.invalid('max_new_tokens', `must be at most ${limits.maxNewTokens}, got ${tokens}`);
  }
  return tokens;
}
