import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { dashboards, foreign } from './dashboards.js';
import { lacks } from './manifests.js';

/** Units of Grafana that are used here. */
const units = new Set(['short', 's', 'bytes', 'decmbytes', 'percent', 'percentunit', 'reqps']);
const columns = 24;

for (const { name, dashboard } of dashboards) {
  const { panels } = dashboard;

  describe(`dashboard ${name}`, () => {
    test('panels have numbers, titles and descriptions of their own, and a known unit', () => {
      for (const key of ['id', 'title', 'description'] as const) {
        const values = panels.map((panel) => panel[key]).filter((value) => value !== undefined && value !== '');
        if (key !== 'description') assert.equal(new Set(values).size, panels.length, key);
        assert.equal(values.length, panels.length, key);
      }
      for (const { title, fieldConfig } of panels)
        assert.ok(units.has(fieldConfig.defaults.unit ?? ''), `${title}: ${fieldConfig.defaults.unit}`);
    });

    test('panels lie within the grid, and none on another', () => {
      const taken = new Map<string, string>();
      for (const { title, gridPos } of panels) {
        assert.ok(gridPos.x >= 0 && gridPos.w > 0 && gridPos.h > 0 && gridPos.x + gridPos.w <= columns, title);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies on ${taken.get(`${x},${y}`)}`);
            taken.set(`${x},${y}`, title);
          }
        }
      }
      // No row has a gap either.
      const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
      assert.equal(taken.size, columns * height);
    });

    test('every panel asks the data source that the reader chooses, each of its queries under a letter and a name', () => {
      const [variable, ...others] = dashboard.templating.list;
      assert.deepEqual([variable?.name, variable?.type, variable?.query], ['datasource', 'datasource', 'prometheus']);
      assert.deepEqual(others, []);
      for (const { title, datasource, targets } of panels) {
        assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' }, title);
        assert.ok(targets.length > 0, title);
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
        for (const { legendFormat } of targets) assert.ok(legendFormat !== '', title);
      }
    });

    test('a rate is one over the window that fits the scrapes', () => {
      for (const { title, targets } of panels) {
        for (const { expr } of targets) {
          for (const [, window] of expr.matchAll(/\brate\([^)]*\[([^\]]+)\]/g))
            assert.equal(window, '$__rate_interval', title);
        }
      }
    });
  });
}

test('dashboards have names and titles of their own', () => {
  for (const key of ['uid', 'title'] as const)
    assert.equal(new Set(dashboards.map(({ dashboard }) => dashboard[key])).size, dashboards.length);
});

test('what only others tell is on a dashboard and says so', () => {
  for (const [metric, teller] of foreign) {
    const panel = dashboards
      .flatMap(({ dashboard }) => dashboard.panels)
      .find(({ targets }) => targets.some(({ expr }) => expr.includes(metric)));
    assert.match(panel?.description ?? '', /dcgm-exporter/, `${metric}: ${teller}`);
  }
});

test('labels of legends are labels of their queries', () => {
  for (const { dashboard } of dashboards) {
    for (const { title, targets } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const by = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ');
        if (by === undefined) continue; // all labels are there
        for (const [, label] of legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g))
          assert.ok(by.includes(label!), `${title}: ${label}`);
      }
    }
  }
});

test('promtool understands every query', { skip: lacks('promtool', '--version') }, () => {
  const exprs = dashboards.flatMap(({ dashboard }) =>
    dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m'))),
  );
  // JSON is YAML.
  const rules = exprs.map((expr, i) => ({ record: `query_${i}`, expr }));
  const folder = mkdtempSync(join(tmpdir(), 'a2sf-dashboards-'));
  try {
    const file = join(folder, 'rules.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
    const check = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    assert.equal(check.status, 0, check.stdout + check.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
