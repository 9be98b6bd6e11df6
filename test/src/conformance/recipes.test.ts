import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { datasetNames } from '@a2sf/datasets';
import { options as encoder } from '@a2sf/encoder-app';
import { isA2sfError } from '@a2sf/errors';
import { options as generator } from '@a2sf/generator-app';
import { metricSchema } from '@a2sf/observability';
import { options as policy } from '@a2sf/policy-app';
import { options as reward } from '@a2sf/reward-app';
import { datasetMetrics, metricNames, metricOfDataset, type Metric } from '@a2sf/rewards';
import { options as trainer } from '@a2sf/trainer-app';
import { codeIn, documentAt } from './documents.js';
import { rpcs } from './rpcs.js';
import { projects, root, sources } from './workspace.js';

const all = projects().filter(({ folder }) => folder !== 'test');
const programs = all
  .flatMap((project) => sources(project))
  .filter(({ isTest }) => !isTest)
  .map(({ path }) => ({ path, text: readFileSync(path, 'utf8') }));

/** The files that a path stands for, `<name>` for any name. */
function filesOf(path: string): string[] {
  let found = [root];
  for (const part of path.split('/').filter((step) => step !== '')) {
    const pattern = new RegExp(`^${part.replaceAll('.', '\\.').replaceAll(/<\w+>/g, '[\\w-]+')}$`);
    found = found.flatMap((folder) =>
      existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => pattern.test(name))
            .map((name) => join(folder, name))
        : [],
    );
  }
  return found;
}

test('every project has tests', () => {
  const without = all.filter((project) => !sources(project).some(({ path }) => path.endsWith('.test.ts')));
  assert.deepEqual(
    without.map(({ folder }) => folder),
    [],
  );
});

test('every file that CONTRIBUTING.md names exists', () => {
  const paths = codeIn(documentAt('CONTRIBUTING.md')).filter((code) =>
    /^(libs|apps|protos|test|tools|docs|\.ci)\/\S*$/.test(code),
  );
  assert.ok(paths.length > 20);
  assert.deepEqual(
    paths.filter((path) => filesOf(path).length === 0),
    [],
  );
});

describe('add a reward metric', () => {
  test('every metric that a file of libs/rewards exports is in the registry, and nothing else is', async () => {
    const folder = join(root, 'libs/rewards/dist');
    const files = readdirSync(folder).filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'));
    const names = new Set<string>();
    for (const file of files) {
      const exported: unknown[] = Object.values((await import(pathToFileURL(join(folder, file)).href)) as object);
      for (const one of exported) if (isMetric(one)) names.add(one.name);
    }
    assert.deepEqual([...names].sort(), metricNames);
  });

  test('every metric is a value of its Prometheus label', () => {
    const values: readonly string[] = metricSchema.a2sf_reward_score_seconds.labels.metric;
    assert.deepEqual(
      metricNames.filter((name) => !values.includes(name)),
      [],
    );
  });
});

function isMetric(value: unknown): value is Metric {
  return typeof value === 'object' && value !== null && 'needsEmbeddings' in value && 'score' in value;
}

test('every file of families exports a family that stands in one of the registries', () => {
  const zoo = join(root, 'libs/model-zoo/src');
  const registries = ['load-language-model.ts', 'text-encoder-families.ts'].map((name) =>
    readFileSync(join(zoo, name), 'utf8'),
  );
  const families = readdirSync(join(zoo, 'families')).filter((name) => !name.endsWith('.test.ts'));
  const registered = families.map((file) => {
    const text = readFileSync(join(zoo, 'families', file), 'utf8');
    const name = /^export const (\w+): (?:LanguageModel|TextEncoder)Family\b/m.exec(text)?.[1];
    const lists = registries.flatMap(
      (registry) => /Family\[\] = \[([^\]]*)\]/.exec(registry)?.[1]?.split(/[\s,]+/) ?? [],
    );
    return [file, name !== undefined && lists.includes(name)];
  });
  assert.deepEqual(
    registered.filter(([, known]) => known !== true),
    [],
  );
  assert.ok(registered.length > 1);
});

test('every dataset has its own metric, and every such entry is a dataset', () => {
  const unknown = datasetNames.filter((name) => {
    try {
      return metricOfDataset(name) === undefined;
    } catch (error) {
      // A metric that this release lacks is told as such.
      return !isA2sfError(error) || error.reason !== 'unknown-metric';
    }
  });
  assert.deepEqual(unknown, []);
  assert.deepEqual(
    datasetMetrics.map(({ dataset }) => dataset).filter((name) => !datasetNames.includes(name)),
    [],
  );
});

test('every rpc has a handler in its app', () => {
  const lacking = rpcs.filter(({ app, name }) => {
    const text = readFileSync(join(root, 'apps', app, 'src/service.ts'), 'utf8');
    return !new RegExp(`\\b${name}: `).test(text);
  });
  assert.deepEqual(lacking, []);
});

test('every message of the contract is exported by libs/contracts', () => {
  const messages = readFileSync(join(root, 'libs/contracts/src/messages.ts'), 'utf8');
  const generated = filesOf('libs/contracts/src/gen/a2sf/<name>/v1').flatMap((folder) =>
    readdirSync(folder).map((file) => `${basename(dirname(folder))}/v1/${file.replace('.ts', '.js')}`),
  );
  assert.deepEqual(
    generated.filter((path) => !messages.includes(`./gen/a2sf/${path}`)),
    [],
  );
});

test('every metric of the schema is observed somewhere', () => {
  const others = programs.filter(({ path }) => !path.endsWith('metric-schema.ts'));
  const idle = Object.keys(metricSchema).filter((name) => !others.some(({ text }) => text.includes(`'${name}'`)));
  assert.deepEqual(idle, []);
});

test('every option is read somewhere beside its declaration', () => {
  const readers = programs.filter(({ path }) => !path.endsWith('options.ts') && !path.includes('/libs/config/'));
  const idle = Object.entries({ encoder, generator, reward, policy, trainer }).flatMap(([app, options]) => {
    const rooms = app === 'trainer' ? ['trainer', 'cli'] : [app];
    const own = readers.filter(
      ({ path }) => path.includes('/libs/grpc-runtime/') || rooms.some((room) => path.includes(`/apps/${room}/`)),
    );
    return Object.keys(options)
      .filter((key) => !own.some(({ text }) => new RegExp(`\\b${key}\\b`).test(text)))
      .map((key) => `${app}: ${key}`);
  });
  assert.deepEqual(idle, []);
});
