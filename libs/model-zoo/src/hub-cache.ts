import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';

/** `owner/name` of a model on the Hugging Face hub. */
export const hubIdPattern = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
export const commitPattern = /^[0-9a-f]{40}$/;
const revisionPattern = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/;
const maxRevisionLength = 200;

/** A model of the hub at a branch, tag or commit. */
export interface HubModel {
  readonly id: string;
  readonly revision: string;
}

/**
 * The folder of one model in the Hugging Face cache: `refs/<revision>` holds a commit, `snapshots/<commit>/` the links to
 * `blobs/<hash>`. By the variables that Hugging Face's own libraries read, in their order.
 */
export function hubModelFolder(id: string, env: NodeJS.ProcessEnv): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = env;
  const cache = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(hubHome(env), 'hub');
  return join(cache, `models--${id.replace('/', '--')}`);
}

/** HF_HOME: the folder of the cache and of the token file. */
export function hubHome({ HF_HOME, XDG_CACHE_HOME }: NodeJS.ProcessEnv): string {
  return HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
}

/** The snapshot of a model in the cache; undefined when it is not there, or is there without its config.json. */
export function cachedSnapshot({ id, revision }: HubModel, env: NodeJS.ProcessEnv): string | undefined {
  const model = hubModelFolder(id, env);
  const commit = commitPattern.test(revision) ? revision : referenceOf(join(model, 'refs', revision));
  if (commit === undefined) return undefined;
  const folder = join(model, 'snapshots', commit);
  return existsSync(join(folder, 'config.json')) ? folder : undefined;
}

function referenceOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const commit = readFileSync(path, 'utf8').trim();
  return commitPattern.test(commit) ? commit : undefined;
}

/** Throws INVALID_ARGUMENT for a text that can be no branch, tag or commit, before it becomes part of a path or address. */
export function checkRevision(revision: string): string {
  const bad = revision.length > maxRevisionLength || !revisionPattern.test(revision);
  if (!bad && !revision.split('/').includes('..')) return revision;
  const problem = `must be a branch, tag or commit of at most ${maxRevisionLength} ASCII letters, digits, ".", "_", "-" and "/"`;
  throw new A2sfError('INVALID_ARGUMENT', `--revision: ${problem}`, { field: 'revision', reason: 'bad-revision' });
}
