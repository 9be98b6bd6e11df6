import { cachedSnapshot } from './hub-cache.js';
import type { DownloadOptions } from './hub-download.js';
import { locateModel, notDownloaded, type ModelFolder, type ModelKind } from './model-folder.js';

export interface ObtainOptions extends DownloadOptions {
  /** Branch, tag or commit of a model of the hub; default main. What is in the cache is not looked up again. */
  readonly revision?: string | undefined;
  /** Never ask the hub; HF_HUB_OFFLINE says the same. */
  readonly offline?: boolean;
}

/**
 * The folder that `--model_name` names, as resolveModelFolder finds it; a model of the hub that is not in the Hugging Face
 * cache is loaded into it. Throws as resolveModelFolder and downloadModel.
 */
export async function obtainModelFolder(
  nameOrPath: string | undefined,
  kind: ModelKind,
  options: ObtainOptions = {},
): Promise<ModelFolder> {
  const { env = process.env, offline = false } = options;
  const place = locateModel(nameOrPath, kind, options.revision);
  if ('folder' in place) return place;
  const cached = cachedSnapshot(place.hub, env);
  if (cached !== undefined) return { ...place.called, folder: cached };
  if (offline || /^(1|on|yes|true)$/i.test(env['HF_HUB_OFFLINE'] ?? '')) throw notDownloaded(place.hub, true);
  const { downloadModel } = await import('./hub-download.js'); // the hub's library, which few starts need
  return { ...place.called, folder: await downloadModel(place.hub, options) };
}
