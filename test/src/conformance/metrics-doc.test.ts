import { test } from 'node:test';
import { metricSchema, type MetricDefinition } from '@a2sf/observability';
import { checkGenerated, markdownTable } from './generated-docs.fixture.js';

function labelsInWords(labels: MetricDefinition['labels']): string {
  return Object.entries(labels ?? {})
    .map(
      ([name, values]) => `${name}: ${typeof values === 'string' ? 'values of the action space' : values.join(', ')}`,
    )
    .join('; ');
}

test('docs/metrics.md lists exactly the metrics of the schema', async () => {
  const rows = Object.entries(metricSchema as Record<string, MetricDefinition>).map(
    ([name, { type, help, labels }]) => [`\`${name}\``, type, help, labelsInWords(labels)],
  );
  await checkGenerated('docs/metrics.md', { metrics: markdownTable(['metric', 'type', 'what', 'labels'], rows) });
});
