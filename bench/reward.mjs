// How many items a second does the reward service score? Every metric but those that need embeddings, 256 items a call, texts of
// the length that training compares (16 new tokens) and of an answer's length; through gRPC, calls of all metrics interleaved.
//
//   npm run build && node bench/reward.mjs [--items 256] [--runs 9] [--write]
//
// --write puts the table into docs/benchmarks.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RewardServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { writeBlock } from './write-block.mjs';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '256' },
    runs: { type: 'string', default: '9' },
    write: { type: 'boolean', default: false },
  },
});
const [count, runs] = [values.items, values.runs].map(Number);
const median = (numbers) => numbers.toSorted((x, y) => x - y)[numbers.length >> 1];

const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const flags = ['--port', '0', '--http_port', '0', '--log_level', 'error'];
const child = spawn(process.execPath, [a2sf, 'serve', 'reward', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = await once(createInterface({ input: child.stdout }), 'line');
const client = connect(RewardServiceClient, `127.0.0.1:${JSON.parse(line).port}`);

const english =
  'the council said on Monday that three new bridges over the river would open in spring after years of delay'.split(
    ' ',
  );
const chinese = '市政府周一表示三座跨河新桥将在多年延误之后于明年春天开放市民可以步行或骑车通过'.split('');
/** A text of so many words, another one for each i. */
const textOf = (words, glue, length, i) =>
  Array.from({ length }, (_, k) => words[(k * 7 + i * (k % 3) + i) % words.length]).join(glue);
const classes = ['bridge', 'river', 'council', 'spring', 'delay'];
function itemOf(metric, length, i) {
  const [words, glue] = metric.endsWith('_zh') ? [chinese, ''] : [english, ' '];
  const text = (j) => textOf(words, glue, length, j);
  return {
    metric,
    prediction: text(i),
    references: [text(i + 1)],
    allClasses: metric === 'classification' ? classes : [],
    logProbs: metric === 'log_prob' ? Array.from({ length: 16 }, (_, k) => -0.1 * ((k + i) % 9)) : [],
  };
}

const { metrics } = await callUnary(client, 'listMetrics', {});
const measured = [...metrics.filter((metric) => metric !== 'cosine'), 'mix:rouge_l=0.5,qa_f1=0.5'];
const lengths = [12, 60];
const times = new Map();
for (let run = 0; run <= runs; run++) {
  for (const metric of measured) {
    for (const length of lengths) {
      const items = Array.from({ length: count }, (_, i) => itemOf(metric, length, i + run));
      const start = performance.now();
      await callUnary(client, 'score', { items }, { timeoutMs: 60_000 });
      const key = `${metric} ${length}`;
      if (run > 0) times.set(key, [...(times.get(key) ?? []), performance.now() - start]);
    }
  }
}
client.close();
child.kill('SIGTERM');
await once(child, 'exit');

const rate = (metric, length) => (1000 * count) / median(times.get(`${metric} ${length}`));
const rows = measured.map((metric) => [metric, ...lengths.map((length) => rate(metric, length).toFixed(0))]);
const machine = `${cpus().length} cores (${cpus()[0].model}), Node ${process.versions.node}`;
const table = [
  `Items a second, ${count} a call, medians of ${runs} interleaved runs; ${machine}:`,
  '',
  `| metric | texts of ${lengths.join(' words | texts of ')} words |`,
  '| --- | --- | --- |',
  ...rows.map((row) => `| \`${row[0]}\` | ${row.slice(1).join(' | ')} |`),
].join('\n');
console.log(table);

if (values.write) {
  writeBlock('docs/benchmarks.md', 'reward', 'bench/reward.mjs', table);
}
