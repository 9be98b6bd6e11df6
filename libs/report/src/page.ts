import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { actionMap, type ActionMap } from './charts/action-map.js';
import { calibration } from './charts/calibration.js';
import { learningCurve } from './charts/learning-curve.js';
import { regretChart } from './charts/regret.js';
import { rewardDistribution } from './charts/reward-distribution.js';
import { stageTimes } from './charts/stage-times.js';
import type { Chart } from './chart.js';
import { headline } from './headline.js';
import { Html, html, scriptJson } from './html.js';
import type { RunRecord } from './run-record.js';
import { qualitySection } from './quality-section.js';
import { actionMapSection, chartSection, configurationSection, headlineSection, worstSection } from './sections.js';
import { worstPrompts } from './worst-prompts.js';

/** Prompts of the largest regret that are shown. */
export const worstCount = 10;

/**
 * The page of a run: one file that asks nothing of a network. Its policy allows the two scripts that stand in it, by their
 * hashes, and nothing else; every text of the run is escaped.
 */
export function renderPage(run: RunRecord): string {
  const before = present([learningCurve(run), regretChart(run)]);
  const map = actionMap(run);
  const after = present([rewardDistribution(run), calibration(run), stageTimes(run)]);
  const scripts = [
    readFileSync(createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js'), 'utf8'),
    asset('page.js'),
  ];
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${contentPolicy(scripts)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${run.name} · A2SF run</title>
        <style>
          ${new Html(asset('page.css'))}
        </style>
      </head>
      <body>
        <header>
          <h1>${run.name}</h1>
          <p>${subtitle(run)}</p>
        </header>
        <main>
          <noscript><p class="note">The charts need JavaScript; the tables do not.</p></noscript>
          ${headlineSection(headline(run), run)} ${before.map(chartSection)}
          ${map === undefined ? undefined : actionMapSection(map)} ${after.map(chartSection)} ${qualitySection(run)}
          ${worstSection(worstPrompts(run, worstCount))} ${configurationSection(run)}
        </main>
        <script type="application/json" id="charts">
          ${scriptJson(chartData([...before, ...after], map))}
        </script>
        ${scripts.map((text) => new Html(`<script>${text}</script>`))}
      </body>
    </html>`;
  return `${page.text}\n`;
}

function chartData(charts: readonly Chart[], map: ActionMap | undefined): unknown {
  const all = map === undefined ? charts : [...charts, map];
  return { charts: Object.fromEntries(all.map(({ id, options }) => [id, options])), slices: map?.slices ?? [] };
}

function present(charts: readonly (Chart | undefined)[]): Chart[] {
  return charts.filter((chart) => chart !== undefined);
}

function subtitle({ config, progress, evaluations }: RunRecord): string {
  const iteration = Math.max(progress.at(-1)?.iteration ?? 0, evaluations.at(-1)?.iteration ?? 0);
  const named = (key: string, label: string) =>
    typeof config[key] === 'string' && config[key] !== '' ? [`${label} ${config[key]}`] : [];
  return [
    `A2SF training run, ${iteration} iterations`,
    ...named('model_id', 'model'),
    ...named('encoder_id', 'encoder'),
    ...named('agent', 'agent'),
  ].join(' · ');
}

/** Styles are not restricted: tooltips set theirs as they appear, and a style can fetch nothing under this policy. */
function contentPolicy(scripts: readonly string[]): string {
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  return `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
}

function asset(name: string): string {
  return readFileSync(new URL(`../assets/${name}`, import.meta.url), 'utf8');
}
