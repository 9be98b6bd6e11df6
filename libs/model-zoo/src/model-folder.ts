import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { A2sfError } from '@a2sf/errors';
import { cachedSnapshot, checkRevision, hubIdPattern, type HubModel } from './hub-cache.js';
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

/**
 * Finds the folder that `--model_name` names on this disk: nothing = the embedded model; a preset (language models); a
 * folder, as a path or relative to the working folder; or a hub id `owner/name` in the Hugging Face cache, which is read
 * only, at `revision` (a branch, tag or commit; default main). See obtainModelFolder for what is not in the cache.
 *
 * Throws INVALID_ARGUMENT for a name that can be none of these (before any file is looked at) and for a revision of what
 * is not on the hub, NOT_FOUND when there is no such folder, when it holds no config.json, or when the hub model is not in
 * the cache.
 */
export function resolveModelFolder(nameOrPath: string | undefined, kind: ModelKind, revision?: string): ModelFolder {
  const place = locateModel(nameOrPath, kind, revision);
  if ('folder' in place) return place;
  const folder = cachedSnapshot(place.hub, process.env);
  if (folder === undefined) throw notDownloaded(place.hub);
  return { ...place.called, folder };
}

/** A model by its folder, or by its place on the hub. */
export type ModelPlace = ModelFolder | { readonly called: Omit<ModelFolder, 'folder'>; readonly hub: HubModel };

/** Where a model is, the Hugging Face cache not looked at. Throws as resolveModelFolder. */
export function locateModel(nameOrPath: string | undefined, kind: ModelKind, revision?: string): ModelPlace {
  const at = revision === undefined ? 'main' : checkRevision(revision);
  const local = (folder: ModelFolder) => {
    if (revision === undefined) return folder;
    const message = '--revision: only a model of the Hugging Face hub has revisions, not a folder';
    throw new A2sfError('INVALID_ARGUMENT', message, { field: 'revision', reason: 'bad-revision' });
  };
  if (nameOrPath === undefined) return local({ folder: join(embeddedFolder, kind), name: `tiny-a2sf-${kind}` });
  refuseBadNames(nameOrPath);
  if (isPath(nameOrPath)) return local(localFolder(nameOrPath));
  if (kind === 'llm' && Object.hasOwn(modelPresets, nameOrPath)) {
    const id = modelPresets[nameOrPath]!.hubId;
    return { called: { name: nameOrPath, preset: nameOrPath }, hub: { id, revision: at } };
  }
  if (existsSync(nameOrPath)) return local(localFolder(nameOrPath));
  if (hubIdPattern.test(nameOrPath)) return { called: { name: nameOrPath }, hub: { id: nameOrPath, revision: at } };
  const presets = kind === 'llm' ? `a preset (${Object.keys(modelPresets).join(', ')}), ` : '';
  throw notFound(`${quoted(nameOrPath)} is neither ${presets}a folder nor a hub id owner/name`);
}

/** NOT_FOUND with the remedy, for a model that may not or could not be loaded. */
export function notDownloaded({ id, revision }: HubModel, offline = false): A2sfError {
  const what = revision === 'main' ? id : `${id} at revision ${revision}`;
  const remedy = offline
    ? 'load it with --offline and HF_HUB_OFFLINE unset'
    : `download it first (huggingface-cli download ${id})`;
  return notFound(
    `${what} is not in the Hugging Face cache; ${remedy} or give a folder that holds it`,
    'model-not-downloaded',
  );
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
  if (!path && name.includes('@')) throw invalid('must not hold "@": give the revision by --revision');
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
