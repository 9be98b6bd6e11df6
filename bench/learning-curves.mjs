// Does the policy learn more than one action for all, or one for each dataset? Trains from stored rewards with several seeds and
// both feedbacks, evaluates on prompts that nothing was chosen on, and writes a section of docs/learning.md.
//
//   npm run build && node bench/learning-curves.mjs [--store DIR] [--split DIR] [--seeds 1,2,3,4,5] [--write]
//
// Without --store the embedded prompts are split by `a2sf dataset split` and their store is built (in --work, kept there if
// given). --store takes any other one; its rows are split by their hashes, 60 : 15 : 25 in each dataset, or as a --split folder
// says. --grid FILE chooses the flags of training: a JSON list of objects of flags of `a2sf train`, each tried with all
// seeds, trained on `train` and judged on `validation`; the test prompts are looked at with the winner alone.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { baselines, everyIndex, readStoredPrompts } from '@a2sf/training';
import { curvesSvg } from './learning/curves-svg.mjs';
import { overSeeds, pairedTest } from './learning/paired-test.mjs';
import { splitStore } from './learning/split-store.mjs';
import { writeBlock } from './write-block.mjs';

const { values: flags } = parseArgs({
  options: {
    store: { type: 'string' },
    split: { type: 'string' },
    work: { type: 'string' },
    name: { type: 'string', default: 'embedded' },
    title: { type: 'string', default: 'The embedded model' },
    reward: { type: 'string', default: 'rouge_l' },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    iterations: { type: 'string', default: '120' },
    episodes: { type: 'string', default: '16' },
    evaluations: { type: 'string', default: '12' },
    lr: { type: 'string', default: '3e-4' },
    ucb_beta: { type: 'string', default: '0.02' },
    grid: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const data = fileURLToPath(new URL('../models/tiny-a2sf/data', import.meta.url));
const work = flags.work ?? mkdtempSync(join(tmpdir(), 'a2sf-learning-'));
mkdirSync(work, { recursive: true });
const seeds = flags.seeds.split(',').map(Number);
const feedbacks = ['bandit', 'full'];

function command(...args) {
  const { status } = spawnSync(process.execPath, [a2sf, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`a2sf ${args.join(' ')}: exit code ${status}`);
}

function stores() {
  if (flags.store !== undefined) return { store: flags.store, split: flags.split };
  const [store, split] = [join(work, 'store'), join(work, 'split')];
  command('dataset', 'split', data, '--output', split, '--train', '0.65', '--validation', '0.15', '--overwrite');
  command('dataset', 'build', data, '--output', store, '--budget', '64', '--rewards', 'rouge_l', 'cosine');
  return { store, split };
}

const { store, split } = stores();
const shares = { train: 0.6, validation: 0.15 };
const parts = join(work, `parts-${flags.name}`);
const { counts, provenance } = await splitStore(store, parts, { split, shares });
const side = (name) => join(parts, name);
const common = {
  iterations: flags.iterations,
  episodes_per_update: flags.episodes,
  lr: flags.lr,
  ucb_beta: flags.ucb_beta,
};

/** Seconds by stage of the iterations that were logged. */
const stageTimes = Object.fromEntries(feedbacks.map((feedback) => [feedback, []]));
const medianMs = (feedback, stage) => {
  const all = stageTimes[feedback].map((own) => own[stage] ?? 0).sort((x, y) => x - y);
  return (1000 * all[all.length >> 1]).toFixed(0);
};
/** The model has done its part when the store was built: what is left is to choose and to learn. */
const stagesTold = (feedback) =>
  `an iteration takes ${medianMs(feedback, 'select')} ms to choose and ${medianMs(feedback, 'update')} ms to learn`;

/** The lines of evaluation.jsonl of one run. */
function run(feedback, seed, settings, train, evaluation) {
  const folder = join(work, 'run');
  rmSync(folder, { recursive: true, force: true });
  const every = Math.max(1, Math.round(Number(settings.iterations) / Number(flags.evaluations)));
  const told = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  command(
    ...[
      ['train', '--from_store', side(train), '--eval_store', side(evaluation), '--eval_samples', '0'],
      ['--reward', flags.reward, '--feedback', feedback, '--seed', String(seed), ...told],
      ['--eval_frequency', String(every), '--checkpoint_frequency', String(settings.iterations)],
      ['--save_dir', folder, '--http_port', '0', '--log_level', 'error'],
    ].flat(),
  );
  const linesOf = (name) =>
    readFileSync(join(folder, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  stageTimes[feedback].push(...linesOf('progress.jsonl').map(({ seconds: own }) => own));
  const lines = linesOf('evaluation.jsonl');
  rmSync(folder, { recursive: true });
  return lines;
}

/** Of each feedback, the settings with the highest mean reward on the validation prompts. */
function choose() {
  const grid = flags.grid === undefined ? [{}] : JSON.parse(readFileSync(flags.grid, 'utf8'));
  if (grid.length === 1) return Object.fromEntries(feedbacks.map((feedback) => [feedback, { ...common, ...grid[0] }]));
  const chosen = {};
  for (const feedback of feedbacks) {
    let best = -1;
    for (const entry of grid) {
      const settings = { ...common, ...entry };
      const ends = seeds.map((seed) => run(feedback, seed, settings, 'train', 'validation').at(-1).eval_avg_reward);
      const { mean } = overSeeds(ends);
      console.log(`${feedback} ${JSON.stringify(entry)}: validation ${mean.toFixed(4)}`);
      if (mean > best) [best, chosen[feedback]] = [mean, settings];
    }
  }
  return chosen;
}

const settings = choose();
const runs = Object.fromEntries(
  feedbacks.map((feedback) => [
    feedback,
    seeds.map((seed) => {
      const lines = run(feedback, seed, settings[feedback], 'both', 'test');
      console.log(`${feedback} seed ${seed}: ${lines.at(-1).eval_avg_reward.toFixed(4)}`);
      return lines;
    }),
  ]),
);

const sets = await readStoredPrompts({
  train: side('both'),
  evaluation: side('test'),
  reward: flags.reward,
  datasets: [],
  evalSamples: 0,
});
const rowsOf = (prompts) => prompts.rows(everyIndex(prompts));
const found = baselines(await rowsOf(sets.evaluation), sets.space, await rowsOf(sets.train));
const count = sets.evaluation.size;

const compared = [
  ['best_fixed_train', 'best fixed action of training'],
  ['best_fixed', 'best fixed action in hindsight'],
  ['task_table', 'task table of training'],
  ['snapkv_16', 'SnapKV, b = 16'],
  ['random', 'random action'],
  ['oracle', 'oracle'],
].filter(([key]) => found.has(key));
const signed = (value) => `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const seconds = (p) => (p < 0.001 ? '< 0.001' : p.toFixed(3));

const ends = Object.fromEntries(
  feedbacks.map((feedback) => {
    const last = runs[feedback].map((lines) => lines.at(-1));
    const perPrompt = Array.from({ length: count }, (_, i) => meanOf(last.map(({ eval_rewards: own }) => own[i])));
    return [feedback, { seeds: last.map(({ eval_avg_reward: mean }) => mean), perPrompt }];
  }),
);
const tests = Object.fromEntries(
  feedbacks.map((feedback) => [
    feedback,
    new Map(
      compared.map(([key]) => {
        const other = found.get(key).rewards;
        return [key, pairedTest(ends[feedback].perPrompt.map((value, i) => value - other[i]))];
      }),
    ),
  ]),
);

const interval = ({ mean, half }) => `${mean.toFixed(3)} ± ${half.toFixed(3)}`;
const cell = ({ mean, low, high, p }) => `${signed(mean)} (${signed(low)} .. ${signed(high)}), p ${seconds(p)}`;
const table = [
  `| on ${count} held-out prompts | reward | policy, bandit, minus it | policy, full, minus it |`,
  '| --- | --- | --- | --- |',
  ...feedbacks.map((f) => `| **policy, ${f}** | **${interval(overSeeds(ends[f].seeds))}** | | |`),
  ...compared.map(([key, label]) => {
    const own = meanOf(found.get(key).rewards).toFixed(3);
    return `| ${label} | ${own} | ${cell(tests.bandit.get(key))} | ${cell(tests.full.get(key))} |`;
  }),
];

/** What the numbers say, whether one likes it or not. */
function verdict(feedback) {
  const told = (key, label) => {
    const { mean, p } = tests[feedback].get(key);
    if (p >= 0.05) return `cannot be told from ${label} (${signed(mean)}, p ${seconds(p)})`;
    return mean > 0 ? `beats ${label}` : `is **worse** than ${label} (${signed(mean)}, p ${seconds(p)})`;
  };
  const oracle = meanOf(found.get('oracle').rewards);
  const fixed = meanOf(found.get('best_fixed_train').rewards);
  const share = (meanOf(ends[feedback].seeds) - fixed) / (oracle - fixed);
  return (
    `With ${feedback} feedback the policy ${told('best_fixed_train', 'the best fixed action')} and ` +
    `${told('task_table', 'the task table')}; of the way from the best fixed action to the oracle it goes ${(100 * share).toFixed(0)} %.`
  );
}

const episodes = (feedback) => Number(settings[feedback].iterations) * Number(settings[feedback].episodes_per_update);
const described = (feedback) =>
  Object.entries(settings[feedback])
    .map(([key, value]) => `--${key} ${value}`)
    .join(' ');
const picture = `learning-${flags.name}.svg`;
const block = [
  `${provenance.model_id}, encoder ${provenance.encoder_id}, budget ${provenance.budget}, reward ${flags.reward}; ${counts.both} training prompts ` +
    `(${flags.grid === undefined ? 'the flags were given, none was searched for' : `the flags were chosen on ${counts.validation} of them`}), ` +
    `${count} held out; ${seeds.length} seeds ` +
    `(Node ${process.versions.node}, ${availableParallelism()} cores).`,
  '',
  `![Held-out reward over episodes, mean of ${seeds.length} seeds](${picture})`,
  '',
  ...table,
  '',
  ...feedbacks.flatMap((feedback) => [verdict(feedback), '']),
  ...feedbacks.map(
    (feedback) => `- ${feedback}: ${episodes(feedback)} episodes, \`${described(feedback)}\`; ${stagesTold(feedback)}`,
  ),
].join('\n');
console.log(block);
if (flags.write) {
  const curves = feedbacks.map((name) => ({
    name,
    points: runs[name][0].map(({ iteration }, i) => ({
      x: iteration * Number(settings[name].episodes_per_update),
      ...overSeeds(runs[name].map((lines) => lines[i].eval_avg_reward)),
    })),
  }));
  const lines = [
    ['oracle', 'oracle'],
    ['task_table', 'task table'],
    ['best_fixed_train', 'best fixed (train)'],
    ['random', 'random'],
  ].flatMap(([key, name]) => (found.has(key) ? [{ name, y: meanOf(found.get(key).rewards) }] : []));
  writeFileSync(
    join(docs, picture),
    curvesSvg({ curves, lines, xTitle: 'episodes', yTitle: `held-out reward (${flags.reward})` }),
  );
  const file = join(docs, 'learning.md');
  const text = readFileSync(file, 'utf8');
  const script = 'bench/learning-curves.mjs';
  if (!text.includes(`<!-- ${flags.name}: `)) {
    const marks = `<!-- ${flags.name}: written by ${script} -->\n<!-- end of ${flags.name} -->`;
    writeFileSync(file, `${text.trimEnd()}\n\n## ${flags.title}\n\n${marks}\n`);
  }
  writeBlock('docs/learning.md', flags.name, script, block);
}
if (flags.work === undefined) rmSync(work, { recursive: true });
else if (!existsSync(work)) throw new Error(`${work} is gone`);
