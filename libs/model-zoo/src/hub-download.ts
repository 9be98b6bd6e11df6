import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { listFiles, modelInfo } from '@huggingface/hub';
import { downloadBlob, hubFile, isOfDisk, type HubFile } from './hub-blob.js';
import { cachedSnapshot, commitPattern, hubModelFolder, type HubModel } from './hub-cache.js';
import { HubConnection } from './hub-connection.js';
import { mayHoldNeededFiles, neededFiles } from './hub-files.js';
import { withFileLock } from './hub-lock.js';

/** How far a download is. */
export interface DownloadProgress {
  readonly model: string;
  /** The file that is being loaded. */
  readonly file: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  /** Where HF_TOKEN, HF_ENDPOINT, HF_HOME, ... are read. Default: the process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told every few seconds, at the begin and at the end. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

const progressMs = 5_000;
/** Most entries of a repository's root and the folders that are looked into. */
const maxEntries = 10_000;

/**
 * Loads a model of the hub into the Hugging Face cache and returns its snapshot folder. Only what it is loaded from, see
 * neededFiles; each file is checked against the hub's hash. Stopped at any point, the next call goes on from there.
 *
 * Throws UNAVAILABLE when the hub cannot be reached, PERMISSION_DENIED when it refuses access, NOT_FOUND when it has no
 * such model or one without config and weights, DATA_LOSS for damaged bytes, RESOURCE_EXHAUSTED when the disk is full,
 * FAILED_PRECONDITION when the cache cannot be written.
 */
export async function downloadModel(model: HubModel, options: DownloadOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const hub = new HubConnection(model, env);
  const folder = hubModelFolder(model.id, env);
  try {
    return await withFileLock(join(folder, 'download.lock'), async () => {
      // Another process may have loaded it while this one waited.
      return cachedSnapshot(model, env) ?? (await download(hub, model, folder, options));
    });
  } catch (error) {
    throw isA2sfError(error) ? error : inContext(model, hub, error);
  }
}

async function download(
  hub: HubConnection,
  model: HubModel,
  folder: string,
  { onProgress = () => undefined }: DownloadOptions,
): Promise<string> {
  const api = { hubUrl: hub.endpoint, fetch: hub.fetch };
  const { sha: commit } = await modelInfo({
    ...api,
    name: model.id,
    revision: model.revision,
    additionalFields: ['sha'],
  });
  if (typeof commit !== 'string' || !commitPattern.test(commit)) throw hub.unreachable(undefined, 'names no commit');
  const files = await filesToLoad(hub, model, commit);
  const snapshot = join(folder, 'snapshots', commit);
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  let told = -Infinity;
  const tell = (file: string, always: boolean) => {
    if (!always && performance.now() - told < progressMs) return;
    told = performance.now();
    onProgress({ model: model.id, file, bytes, totalBytes });
  };
  await mkdir(snapshot, { recursive: true });
  for (const file of files) {
    const blob = join(folder, 'blobs', file.hash);
    tell(file.path, file === files[0]);
    await downloadBlob(hub, model, commit, file, blob, (more) => {
      bytes += more;
      tell(file.path, false);
    });
    await link(blob, join(snapshot, file.path));
  }
  if (model.revision !== commit) {
    const reference = join(folder, 'refs', model.revision);
    await mkdir(dirname(reference), { recursive: true });
    await writeFile(reference, commit);
  }
  tell(files.at(-1)!.path, true);
  return snapshot;
}

async function filesToLoad(hub: HubConnection, { id }: HubModel, commit: string): Promise<HubFile[]> {
  const listed = new Map<string, HubFile | undefined>();
  const api = { repo: id, revision: commit, hubUrl: hub.endpoint, fetch: hub.fetch };
  const folders = [''];
  let entries = 0;
  for (const path of folders) {
    for await (const entry of listFiles(path === '' ? api : { ...api, path })) {
      if (entry.type === 'file') listed.set(entry.path, hubFile(entry));
      else if (path === '' && mayHoldNeededFiles(entry.path)) folders.push(entry.path);
      entries += 1;
      if (entries > maxEntries) throw hub.unreachable(undefined, `lists more than ${maxEntries} files`);
    }
  }
  const needed = neededFiles([...listed.keys()]);
  if (needed === undefined) {
    const message = `--model_name: ${id}: the hub's repository holds no config.json, or no weights (model.safetensors, pytorch_model.bin or their parts)`;
    throw new A2sfError('NOT_FOUND', message, { field: 'model_name', reason: 'model-not-found' });
  }
  return needed.map((path) => {
    const file = listed.get(path);
    if (file === undefined) throw hub.unreachable(undefined, `lists ${path} without size or hash`);
    return file;
  });
}

/** A relative link, as Hugging Face's libraries make them: the cache may be moved. */
async function link(blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(relative(dirname(path), blob), path);
}

function inContext({ id }: HubModel, hub: HubConnection, cause: unknown): A2sfError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (isOfDisk(cause) && (code === 'ENOSPC' || code === 'EDQUOT')) {
    const message = `--model_name: ${id}: the disk of the Hugging Face cache is full; free some or set HF_HOME, then run again`;
    return new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'model_name', reason: 'disk-full', cause });
  }
  if (isOfDisk(cause)) {
    const message = `--model_name: ${id}: the Hugging Face cache (HF_HOME) cannot be written (${code ?? 'unknown'})`;
    return new A2sfError('FAILED_PRECONDITION', message, { field: 'model_name', reason: 'cache-not-writable', cause });
  }
  return hub.unreachable(cause, 'sends an answer that cannot be read');
}
