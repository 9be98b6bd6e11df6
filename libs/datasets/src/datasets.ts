import { A2sfError } from '@a2sf/errors';
import type { Dataset } from './dataset.js';
import { embeddedDatasets } from './embedded-datasets.js';
import { longBenchDatasets } from './longbench-datasets.js';

/** RULER's rows hold whole prompts; 128 new tokens is its limit for the needle tasks. */
const ruler: Dataset = { name: 'ruler', template: '{input}', maxNewTokens: 128 };

const registry: ReadonlyMap<string, Dataset> = new Map(
  [...longBenchDatasets, ruler, ...embeddedDatasets].map((dataset) => [dataset.name, dataset]),
);

/** Names of the known datasets, sorted. */
export const datasetNames: readonly string[] = [...registry.keys()].sort();

/** The dataset of a name, undefined when there is none. */
export function findDataset(name: string): Dataset | undefined {
  return registry.get(name);
}

/** The dataset of a name. Throws INVALID_ARGUMENT naming `field` and the known datasets. */
export function datasetNamed(name: string, field = 'dataset'): Dataset {
  const dataset = registry.get(name);
  if (!dataset) {
    throw A2sfError.invalid(
      field,
      `unknown dataset ${JSON.stringify(name.slice(0, 60))}, known are ${datasetNames.join(', ')}`,
      'unknown-dataset',
    );
  }
  return dataset;
}
