import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { A2sfError } from '@a2sf/errors';
import { modelPresets } from './model-presets.js';

export { readModelConfig } from './model-config.js';

export type ModelKind = 'llm' | 'encoder';

/** Where a model lies. */
export interface ModelFolder {
  readonly folder: string;
  /** What the model is called in GetInfo and in identities: preset, hub id or folder name. */
  readonly name: string;
  /** The preset it was named by. */
  readonly preset?: string;
}

const embeddedFolder = fileURLToPath(new URL('../../../models/tiny-a2sf', import.meta.url));

const maxIdLength = 300;
const maxPathLength = 4096;
const plainName = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/;
const hubId = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
const commitHash = /^[0-9a-f]{40}$/;

/**
 * Finds the folder that `--model_name` names: nothing = the embedded model; a preset (language models); a folder, as a
 * path or relative to the working folder; or a hub id `owner/name` in the Hugging Face cache, which is read only.
 *
 * Throws INVALID_ARGUMENT for a name that can be none of these (before any file is looked at), NOT_FOUND when there is no
 * such folder, when it holds no config.json, or when the hub model is not in the cache.
 */
export function resolveModelFolder(nameOrPath: string | undefined, kind: ModelKind): ModelFolder {
  if (nameOrPath === undefined) return { folder: join(embeddedFolder, kind), name: `tiny-a2sf-${kind}` };
  refuseBadNames(nameOrPath);
  if (isPath(nameOrPath)) return localFolder(nameOrPath);
  if (kind === 'llm' && Object.hasOwn(modelPresets, nameOrPath)) {
    return { folder: cachedModel(modelPresets[nameOrPath]!.hubId), name: nameOrPath, preset: nameOrPath };
  }
  if (existsSync(nameOrPath)) return localFolder(nameOrPath);
  if (hubId.test(nameOrPath)) return { folder: cachedModel(nameOrPath), name: nameOrPath };
  const presets = kind === 'llm' ? `a preset (${Object.keys(modelPresets).join(', ')}), ` : '';
  throw notFound(`${quoted(nameOrPath)} is neither ${presets}a folder nor a hub id owner/name`);
}

/** Only an absolute path, or one that starts with `./`, may hold characters that a name may not. */
function isPath(name: string): boolean {
  return (name.startsWith('/') && !name.startsWith('//')) || name === '.' || name.startsWith('./');
}

function refuseBadNames(name: string): void {
  const path = isPath(name);
  const limit = path ? maxPathLength : maxIdLength;
  if (name.length > limit) throw invalid(`${name.length} characters are over the limit of ${limit}`);
  if (name.includes('\0')) throw invalid('must not hold a NUL character');
  if (name.split(/[/\\]/).includes('..')) throw invalid('must not hold "..": give the folder by its absolute path');
  if (!path && !plainName.test(name)) {
    throw invalid(
      'must be a preset, a hub id owner/name of ASCII letters, digits, ".", "_" and "-", or a folder (/... or ./...)',
    );
  }
}

function localFolder(path: string): ModelFolder {
  const folder = resolve(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw notFound(`there is no folder ${quoted(path)}`);
  if (!existsSync(join(folder, 'config.json'))) throw notFound(`the folder ${quoted(path)} holds no config.json`);
  return { folder, name: basename(folder) };
}

/** The snapshot of a model's main branch in the Hugging Face cache. */
function cachedModel(id: string): string {
  const model = join(hubCache(process.env), `models--${id.replace('/', '--')}`);
  const reference = join(model, 'refs', 'main');
  if (existsSync(reference)) {
    const commit = readFileSync(reference, 'utf8').trim();
    const folder = join(model, 'snapshots', commit);
    if (commitHash.test(commit) && existsSync(join(folder, 'config.json'))) return folder;
  }
  throw notFound(
    `${id} is not in the Hugging Face cache; download it first (huggingface-cli download ${id}) or give a folder that holds it`,
    'model-not-downloaded',
  );
}

/** The cache folder by the variables that Hugging Face's own libraries read, in their order. */
function hubCache(env: NodeJS.ProcessEnv): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = env;
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  return join(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), 'hub');
}

function invalid(problem: string): A2sfError {
  return new A2sfError('INVALID_ARGUMENT', `--model_name: ${problem}`, {
    field: 'model_name',
    reason: 'bad-model-name',
  });
}

function notFound(problem: string, reason = 'model-not-found'): A2sfError {
  return new A2sfError('NOT_FOUND', `--model_name: ${problem}`, { field: 'model_name', reason });
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}...` : name);
}
