import type { ActionMap } from './charts/action-map.js';
import type { Chart } from './chart.js';
import type { HeadlineRow } from './headline.js';
import { html, type Html } from './html.js';
import { actionText, type Interval, type RunRecord } from './run-record.js';
import type { WorstPrompt } from './worst-prompts.js';

/** The last evaluation as a table. */
export function headlineSection(rows: readonly HeadlineRow[], { evaluations }: RunRecord): Html {
  const last = evaluations.at(-1);
  if (last === undefined) {
    return html`<section aria-labelledby="results">
      <h2 id="results">Results</h2>
      <p>The run holds no evaluation: it has not come to one, or every evaluation prompt fits the budget.</p>
    </section>`;
  }
  const paired = rows.some(({ difference }) => difference !== undefined);
  const top = rows.reduce((most, { interval }) => Math.max(most, interval.high), 1e-9);
  const best = evaluations.reduce((x, y) => (y.policy.mean > x.policy.mean ? y : x));
  const left = last.keptAll === 0 ? '' : ` ${last.keptAll} more fit the budget and are left out.`;
  const beside =
    best === last ? '' : ` The best one is that after iteration ${best.iteration}: ${shown(best.policy.mean)}.`;
  return html`<section aria-labelledby="results">
    <h2 id="results">Results</h2>
    <p>Evaluation after iteration ${last.iteration} on ${last.rewards.length} prompts.${left}${beside}</p>
    <div class="wide" tabindex="0" role="region" aria-labelledby="results">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">method</th>
            <th scope="col">mean reward</th>
            <th scope="col">95 % interval</th>
            ${paired ? html`<th scope="col">policy − method</th>` : undefined}
          </tr>
        </thead>
        <tbody>
          ${rows.map(({ label, interval, difference }, i) => {
            const name = i === 0 ? html`<strong>${label}</strong>` : html`${label}`;
            return html`<tr>
              <th scope="row">${name}</th>
              <td>
                ${shown(interval.mean)}<meter min="0" max="${top}" value="${Math.max(0, interval.mean)}">
                  ${shown(interval.mean)}
                </meter>
              </td>
              <td>${shown(interval.low)} … ${shown(interval.high)}</td>
              ${paired ? html`<td>${differenceCell(difference)}</td>` : undefined}
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
    ${paired ? html`<p class="note">Differences are paired by prompt, with their bootstrap 95 % interval; <b class="up">▲</b> and <b class="down">▼</b> mark those whose interval leaves out 0.</p>` : undefined}
  </section>`;
}

/** A chart and what it says. */
export function chartSection({ id, title, caption, summary, height = 340 }: Chart): Html {
  return html`<section aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <figure>
      <div
        class="chart"
        id="${id}"
        data-chart="${id}"
        data-height="${height}"
        role="img"
        aria-label="${`${title}: ${summary}`}"
      ></div>
      <figcaption>${caption} <span class="summary">${summary}</span></figcaption>
    </figure>
  </section>`;
}

/** The action map with the choice of what it shows. */
export function actionMapSection({ id, title, caption, summary, slices, height = 340 }: ActionMap): Html {
  return html`<section aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <form class="choices" autocomplete="off">
      <label
        >Part
        <select id="${id}-slice">
          ${slices.map(({ label, prompts }, i) => html`<option value="${i}">${label} (${prompts})</option>`)}
        </select></label
      >
      <label
        >Shown
        <select id="${id}-measure">
          <option value="reward">mean reward</option>
          <option value="chosen">choices</option>
        </select></label
      >
    </form>
    <figure>
      <div
        class="chart"
        id="${id}"
        data-chart="${id}"
        data-height="${height}"
        role="img"
        aria-label="${`${title}: ${summary}`}"
      ></div>
      <figcaption>
        <span id="${id}-empty" role="status"></span> ${caption} <span class="summary">${summary}</span>
      </figcaption>
    </figure>
  </section>`;
}

/** The prompts of the largest regret. */
export function worstSection(prompts: readonly WorstPrompt[]): Html | undefined {
  if (prompts.length === 0) return undefined;
  const texts = prompts.some((prompt) => prompt.texts !== undefined);
  return html`<section aria-labelledby="worst">
    <h2 id="worst">Worst prompts</h2>
    <p>
      Where the policy of the last evaluation leaves most to the best action of the
      prompt.${texts ? '' : ' The texts were not recorded: the trainer writes them at the end of a run.'}
    </p>
    ${prompts.map(
      ({ row, taken, best, texts }) =>
        html`<article class="worst">
          <h3><bdi>${row.id}</bdi></h3>
          <p>
            ${row.dataset ? html`<bdi>${row.dataset}</bdi>, ` : undefined}${row.promptTokens} tokens; took
            ${actionText(taken)} and earned <b>${shown(taken.reward)}</b>; ${actionText(best)} earns
            <b>${shown(best.reward)}</b>
          </p>
          ${
            texts === undefined
              ? undefined
              : html`<div class="pair">
                    <div>
                      <h4>Full cache</h4>
                      <pre dir="auto">${texts.full}</pre>
                    </div>
                    <div>
                      <h4>Compressed cache</h4>
                      <pre dir="auto">${texts.compressed}</pre>
                    </div>
                  </div>
                  <details>
                    <summary>Prompt</summary>
                    <pre dir="auto">${texts.prompt}</pre>
                  </details>`
          }
        </article>`,
    )}
  </section>`;
}

/** What the run was begun with: its versions and hashes, and every option. */
export function configurationSection({ config }: RunRecord): Html {
  const {
    options,
    option_sources: sources,
    ...identity
  } = config as Readonly<Record<string, object | null | undefined>>;
  const from = (sources ?? {}) as Readonly<Record<string, unknown>>;
  const known = sources !== undefined && sources !== null;
  return html`<section aria-labelledby="configuration">
    <h2 id="configuration">Configuration</h2>
    <h3>Versions and hashes</h3>
    ${table(
      ['', ''],
      Object.entries(identity).map(([name, value]) => [name, written(value)]),
    )}
    <h3>Options</h3>
    ${table(
      known ? ['option', 'value', 'from'] : ['option', 'value'],
      Object.entries(options ?? {}).map(([name, value]) => [
        name,
        written(value),
        ...(known ? [written(Object.hasOwn(from, name) ? from[name] : '')] : []),
      ]),
    )}
  </section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Html {
  const headed = head.some((cell) => cell !== '');
  return html`<table class="settings">
    ${
      headed
        ? html`<thead>
            <tr>
              ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
            </tr>
          </thead>`
        : undefined
    }
    <tbody>
      ${rows.map(
        ([name, ...cells]) =>
          html`<tr>
            <th scope="row">${name}</th>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function written(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value === '' ? '–' : value;
  return Array.isArray(value) ? value.map(written).join(' ') : JSON.stringify(value);
}

function differenceCell(difference: Interval | undefined): Html {
  if (difference === undefined) return html`–`;
  const { mean, low, high } = difference;
  const mark = low > 0 ? html`<b class="up">▲</b>` : high < 0 ? html`<b class="down">▼</b>` : undefined;
  return html`${signed(mean)} <small>(${signed(low)} … ${signed(high)})</small> ${mark}`;
}

const shown = (value: number): string => value.toFixed(3);
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
