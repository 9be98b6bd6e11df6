import type {
  CompressionOutput,
  GenerateRequestOutput,
  InspectRequestOutput,
  PromptOutput,
  SweepRequestOutput,
} from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type { CompressionInput, GenerateInput, InspectInput, PromptInput, SweepInput } from '@a2sf/inference';
import { ActionSpace, validateAction, type Action } from '@a2sf/kv-compression';
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

/** Checks every field of a GenerateRequest. Throws INVALID_ARGUMENT or RESOURCE_EXHAUSTED naming the field and the limit. */
export function readGenerate(request: GenerateRequestOutput, limits: RequestLimits): GenerateInput {
  if (request.stop.length > maxStops)
    throw A2sfError.invalid('stop', `at most ${maxStops} strings, got ${request.stop.length}`);
  request.stop.forEach((stop, i) => {
    if (stop.length === 0 || stop.length > maxStopCharacters) {
      throw A2sfError.invalid(`stop[${i}]`, `must have 1..${maxStopCharacters} characters, has ${stop.length}`);
    }
  });
  const sampling = readSampling(request.sampling);
  return {
    prompt: readPrompt(request, limits),
    compression: request.compression === null ? undefined : readCompression(request.compression),
    maxNewTokens: readNewTokens(request.maxNewTokens, limits),
    ignoreEos: request.ignoreEos,
    stop: request.stop,
    ...(sampling === undefined ? {} : { sampling }),
  };
}

/** Checks every field of a SweepRequest; no actions means the default space. */
export function readSweep(request: SweepRequestOutput, limits: RequestLimits): SweepInput {
  if (request.actions.length > maxActions) {
    throw A2sfError.invalid('actions', `at most ${maxActions}, got ${request.actions.length}`);
  }
  const actions = request.actions.map((action, i) => readAction(action, `actions[${i}]`));
  checkBudget(request.budget, request.recent, '');
  return {
    prompt: readPrompt(request, limits),
    actions: actions.length === 0 ? ActionSpace.default.actions() : actions,
    budget: request.budget,
    recent: request.recent,
    maxNewTokens: readNewTokens(request.maxNewTokens, limits),
    ignoreEos: request.ignoreEos,
    includeFull: request.includeFull,
  };
}

/** Checks every field of an InspectRequest. */
export function readInspect(request: InspectRequestOutput, limits: RequestLimits): InspectInput {
  if (request.compression === null) throw A2sfError.invalid('compression', 'is required');
  if (request.layers.length > 4096) throw A2sfError.invalid('layers', `at most 4096, got ${request.layers.length}`);
  return {
    prompt: readPrompt(request, limits),
    compression: readCompression(request.compression),
    layers: request.layers,
    withScores: request.withScores,
  };
}

function readPrompt(
  request: { prompt: PromptOutput | null; truncate: boolean; maxPromptTokens: number; wrap: string },
  limits: RequestLimits,
): PromptInput {
  const { prompt, truncate, maxPromptTokens } = request;
  const options = {
    truncate,
    maxPromptTokens,
    wrap: request.wrap === 'PROMPT_WRAP_INST' ? ('inst' as const) : ('none' as const),
  };
  switch (prompt?.source) {
    case 'text': {
      const text = prompt.text ?? '';
      if (text.trim() === '') throw A2sfError.invalid('prompt.text', 'must not be blank');
      const bytes = Buffer.byteLength(text);
      if (bytes > limits.maxPromptBytes) {
        const message = `prompt.text: ${bytes} bytes, the limit is ${limits.maxPromptBytes}`;
        throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'prompt.text', reason: 'prompt-too-long' });
      }
      return { source: { text }, ...options };
    }
    case 'tokenIds': {
      const ids = prompt.tokenIds?.ids ?? [];
      if (ids.length === 0) throw A2sfError.invalid('prompt.token_ids.ids', 'must not be empty');
      if (ids.length > maxTokenIds) {
        const message = `prompt.token_ids.ids: ${ids.length} ids, the limit is ${maxTokenIds}`;
        throw new A2sfError('RESOURCE_EXHAUSTED', message, {
          field: 'prompt.token_ids.ids',
          reason: 'prompt-too-long',
        });
      }
      return { source: { ids }, ...options };
    }
    case undefined:
      throw A2sfError.invalid('prompt', 'needs text or token_ids');
  }
}

function readCompression(compression: CompressionOutput): CompressionInput {
  checkBudget(compression.budget, compression.recent, 'compression.');
  const action = readAction(compression.action, 'compression.action');
  return { action, budget: compression.budget, recent: compression.recent };
}

function readAction(action: Action | null, field: string): Action {
  if (action === null) throw A2sfError.invalid(field, 'is required');
  validateAction(action, field);
  return { a: action.a, b: action.b };
}

function checkBudget(budget: number, recent: number, path: string): void {
  if (budget < 1) throw A2sfError.invalid(`${path}budget`, 'must be at least 1');
  if (recent > budget) throw A2sfError.invalid(`${path}recent`, `must be at most the budget ${budget}, got ${recent}`);
}

function readNewTokens(asked: number, limits: RequestLimits): number {
  const tokens = asked === 0 ? defaultNewTokens : asked;
  if (tokens > limits.maxNewTokens) {
    throw A2sfError.invalid('max_new_tokens', `must be at most ${limits.maxNewTokens}, got ${tokens}`);
  }
  return tokens;
}
