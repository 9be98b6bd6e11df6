import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { hubHome, type HubModel } from './hub-cache.js';

const remedy = 'run again to go on, or give a folder that holds the model';

/**
 * Requests to the hub on behalf of one model. The token goes to the hub's own origin only, never to the storage that the
 * hub redirects to. A request that fails throws the suite's error: UNAVAILABLE, PERMISSION_DENIED or NOT_FOUND.
 */
export class HubConnection {
  readonly endpoint: string;
  /** What went wrong last: the library's streams keep only an error's text. */
  failure: A2sfError | undefined;
  private readonly token: string | undefined;

  /** Reads HF_ENDPOINT and the token (HF_TOKEN, else HF_HOME's token file). Throws INVALID_ARGUMENT when one is malformed. */
  constructor(
    private readonly model: HubModel,
    env: NodeJS.ProcessEnv,
  ) {
    this.endpoint = (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
    if (!/^https?:$/.test(URL.parse(this.endpoint)?.protocol ?? '')) {
      throw A2sfError.invalid('HF_ENDPOINT', 'must be an http or https address', 'bad-hub-endpoint');
    }
    this.token = tokenOf(env);
  }

  /** `fetch` as the hub's library calls it. */
  readonly fetch: typeof fetch = async (input, init) => {
    try {
      return await this.request(input, init);
    } catch (error) {
      this.failure = isA2sfError(error) ? error : this.unreachable(error);
      throw this.failure;
    }
  };

  /** UNAVAILABLE with the remedy. */
  unreachable(cause: unknown, what = 'cannot be reached'): A2sfError {
    const message = `--model_name: ${this.model.id}: the Hugging Face hub (HF_ENDPOINT) ${what}; ${remedy}`;
    return new A2sfError('UNAVAILABLE', message, { field: 'model_name', reason: 'hub-unreachable', cause });
  }

  private async request(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    const address = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    if (this.token !== undefined && address.origin === new URL(this.endpoint).origin) {
      headers.set('Authorization', `Bearer ${this.token}`);
    }
    const response = await fetch(address, { ...init, headers });
    if (response.ok) {
      const described = response.headers.get('Content-Type')?.includes('xet-fileinfo') ?? false;
      if (!headers.has('Range') || response.status === 206 || described) return response;
      await response.body?.cancel();
      throw this.unreachable(undefined, 'answers a part of a file with something else');
    }
    await response.body?.cancel();
    throw this.refused(response.status);
  }

  private refused(status: number): A2sfError {
    const { id, revision } = this.model;
    if (status === 401 || status === 403) {
      const how = this.token === undefined ? 'set HF_TOKEN to' : 'HF_TOKEN must be';
      const message = `--model_name: ${id}: the hub refuses access (${status}): it does not exist, or ${how} a token that may read it`;
      return new A2sfError('PERMISSION_DENIED', message, { field: 'model_name', reason: 'hub-access-denied' });
    }
    if (status === 404) {
      const message = `--model_name: ${id}: the hub has no such model, or no revision ${JSON.stringify(revision)} of it`;
      return new A2sfError('NOT_FOUND', message, { field: 'model_name', reason: 'model-not-found' });
    }
    return this.unreachable(undefined, `answers with status ${status}`);
  }
}

function tokenOf(env: NodeJS.ProcessEnv): string | undefined {
  const file = env['HF_TOKEN_PATH'] || join(hubHome(env), 'token');
  const token = (env['HF_TOKEN'] || (existsSync(file) ? readFileSync(file, 'utf8') : '')).trim();
  if (token === '') return undefined;
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw A2sfError.invalid('HF_TOKEN', 'must be one word of ASCII characters', 'bad-hub-token');
}
