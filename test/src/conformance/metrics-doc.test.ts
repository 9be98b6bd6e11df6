import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { metricSchema, type MetricDefinition } from '@a2sf/observability';
import { root } from './workspace.js';

const file = join(root, 'docs/metrics.md');
const begin = '<!-- metrics: written from the schema by A2SF_UPDATE_DOCS=1 npm test -->';
const end = '<!-- end of metrics -->';

function labelsInWords(labels: MetricDefinition['labels']): string {
  return Object.entries(labels ?? {})
    .map(([name, values]) => `${name}: ${typeof values === 'string' ? 'values of the action space' : values.join(', ')}`)
    .join('; ');
}

function table(): string {
  const rows = Object.entries(metricSchema as Record<string, MetricDefinition>).map(
    ([name, { type, help, labels }]) => `| \`${name}\` | ${type} | ${help} | ${labelsInWords(labels)} |`,
  );
  return ['| metric | type | what | labels |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

test('docs/metrics.md lists exactly the metrics of the schema', () => {
  const text = readFileSync(file, 'utf8');
  const expected = `${text.slice(0, text.indexOf(begin))}${begin}\n\n${table()}\n\n${text.slice(text.indexOf(end))}`;
  if (process.env['A2SF_UPDATE_DOCS'] === '1') writeFileSync(file, expected);
  else assert.equal(text, expected);
});
