import { html, type Html } from './html.js';
import { methods } from './methods.js';
import type { QualityRecord, QualityRow, RunRecord } from './run-record.js';

/** The last evaluation of each checkpoint, metric and budget, one table each; undefined where there is none of this run. */
export function qualitySection({ quality, config }: RunRecord): Html | undefined {
  const own = quality.filter(({ runId }) => runId === config['run_id']);
  const last = new Map(own.map((record) => [`${record.checkpoint} ${record.budget} ${record.metric}`, record]));
  if (last.size === 0) return undefined;
  return html`<section aria-labelledby="quality">
    <h2 id="quality">Quality of the texts</h2>
    <p>Mean scores from 0 to 100 on held-out prompts, as a2sf evaluate found them.</p>
    ${[...last.values()].map((record, i) => qualityTable(record, `quality-${i}`))}
  </section>`;
}

function qualityTable({ checkpoint, metric, budget, all, datasets }: QualityRecord, id: string): Html {
  const columns = methods(all.scores.keys());
  const against = metric === 'dataset' ? 'the metric of each dataset, against the answers' : metric;
  const rows: [string, QualityRow][] = [...datasets].sort(([x], [y]) => (x < y ? -1 : 1));
  return html`<h3 id="${id}"><bdi>${checkpoint}</bdi>, budget ${budget}: <bdi>${against}</bdi></h3>
    <div class="wide" tabindex="0" role="region" aria-labelledby="${id}">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">dataset</th>
            <th scope="col">prompts</th>
            ${columns.map(({ label }) => html`<th scope="col">${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${[...rows, ['all', all] as const].map(
            ([name, { prompts, scores }]) =>
              html`<tr>
                <th scope="row"><bdi>${name === '' ? '–' : name}</bdi></th>
                <td>${prompts}</td>
                ${columns.map((column) => html`<td>${shown(scores.get(column.name))}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

const shown = (mean: number | undefined): string => (mean === undefined ? '–' : (100 * mean).toFixed(1));
