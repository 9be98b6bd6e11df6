// Runs the demo for several seeds and rewards and writes the README's table: node bench/demo.mjs [--seeds 1 2 3] [--dry_run]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeBlock } from './write-block.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '1' }, dry_run: { type: 'boolean', default: false } },
});
const seeds = [values.seeds, ...positionals];
const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'a2sf-demo-'));
const rows = [
  '| reward | seed | **policy** | best fixed action | SnapKV (b = 16) | H2O | random | oracle | seconds |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];
for (const reward of ['rouge_l', 'cosine']) {
  for (const seed of seeds) {
    const folder = join(scratch, `${reward}-${seed}`);
    const started = performance.now();
    const flags = ['demo', '--seed', seed, '--reward', reward, '--save_dir', folder, '--http_port', '0'];
    const run = spawnSync(process.execPath, [a2sf, ...flags], { stdio: ['ignore', 'inherit', 'inherit'] });
    if (run.status !== 0) process.exit(1);
    const seconds = Math.round((performance.now() - started) / 1000);
    const last = JSON.parse(readFileSync(join(folder, 'evaluation.jsonl'), 'utf8').trim().split('\n').at(-1));
    const { best_fixed: fixed, snapkv_16: snapkv, h2o, random, oracle } = last.baselines;
    const means = [fixed, snapkv, h2o, random, oracle].map(({ mean }) => mean.toFixed(3));
    rows.push(`| ${reward} | ${seed} | **${last.eval_avg_reward.toFixed(3)}** | ${means.join(' | ')} | ${seconds} |`);
    rmSync(folder, { recursive: true });
  }
}
rmSync(scratch, { recursive: true });
const note = `Node ${process.versions.node}, ${availableParallelism()} cores; seconds with start, evaluation and checkpoints.`;
const block = `${rows.join('\n')}\n\n${note}`;
console.log(block);
if (!values.dry_run) {
  writeBlock('README.md', 'demo', 'bench/demo.mjs', block);
}
