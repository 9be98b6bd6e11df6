import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Metrics } from '@a2sf/observability';
import { root } from '../conformance/workspace.js';
import { dashboards, foreign, rules } from './dashboards.js';
import { lacks } from './manifests.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const alerts = [...rules.matchAll(/- alert: (\w+)$/gm)].map((match) => match[1]!);
const unitTests = read('test/k8s/alerts/alerts.test.yaml');

describe('alerts', () => {
  test('each has a test in which it fires and one in which it stays quiet, and a paragraph in docs/operations.md', () => {
    const operations = read('docs/operations.md');
    assert.ok(alerts.length >= 10);
    for (const alert of alerts) {
      for (const title of [`${alert} fires`, `${alert} stays quiet`])
        assert.ok(unitTests.includes(`- name: ${title}\n`), title);
      assert.ok(rules.includes(`runbook_url: docs/operations.md#${alert.toLowerCase()}`), alert);
      assert.match(operations, new RegExp(`^### ${alert}\n\n\\S.{40}`, 'm'));
    }
    const paragraphs = [...operations.matchAll(/^### (A2sf\w+)$/gm)].map((match) => match[1]!);
    assert.deepEqual(paragraphs.toSorted(), alerts.toSorted());
  });

  test('promtool accepts the rules, and they fire when they should', { skip: lacks('promtool', '--version') }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'a2sf-rules-'));
    try {
      writeFileSync(join(folder, 'rules.yaml'), rules);
      writeFileSync(join(folder, 'alerts.test.yaml'), unitTests);
      for (const args of [
        ['check', 'rules', 'rules.yaml'],
        ['test', 'rules', 'alerts.test.yaml'],
      ]) {
        const run = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
        assert.equal(run.status, 0, run.stdout + run.stderr);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('dashboards and alerts ask for metrics that exist', async () => {
  const documented = [...read('docs/metrics.md').matchAll(/`((?:a2sf|grpc_server)_\w+)`/g)].map((match) => match[1]!);
  const ofProcess = [...(await new Metrics().registry.metrics()).matchAll(/^# TYPE (\w+) /gm)].map(
    (match) => match[1]!,
  );
  // The runtime's gauge is not in the document's prose.
  const known = new Set([...documented, ...ofProcess, 'grpc_server_in_flight_calls', 'up', ...foreign.keys()]);
  const exists = (name: string): boolean => known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, ''));
  const queries = dashboards.flatMap(({ name, dashboard }) =>
    dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `${name}: ${title}`, expr }))),
  );
  queries.push(
    ...rules
      .split(/- alert: /)
      .slice(1)
      .map((text) => ({ where: text.split('\n')[0]!, expr: text.split(/\bfor: /)[0]!.split('expr:')[1]! })),
  );
  assert.ok(queries.length > 40);
  for (const { where, expr } of queries) {
    const bare = expr.replaceAll(/"[^"]*"|'$/g, '').replaceAll(/\b(by|on|ignoring|group_left) \([^)]*\)/g, '');
    const names = bare.match(/\b(?:a2sf|grpc|nodejs|process|DCGM)_\w+(?!\w*\s*[=!])|\bup\b/g) ?? [];
    const metrics = names.filter((name) => !/^grpc_(service|method|code|type)$/.test(name));
    assert.ok(metrics.length > 0, `${where}: ${expr}`);
    for (const metric of metrics) assert.ok(exists(metric), `${where}: ${metric} does not exist`);
  }
});
