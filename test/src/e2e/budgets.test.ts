import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PolicyServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { decodePolicyCheckpoint } from '@a2sf/run-store';
import { runA2sf, startService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-budgets-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const whole = join(scratch, 'whole');
const fileIn = (folder: string, name: string): Buffer => readFileSync(join(folder, name));
const linesIn = (folder: string, name: string): Record<string, unknown>[] =>
  fileIn(folder, name)
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => ({ ...(JSON.parse(line) as object), seconds: undefined }));

test('a run over two budgets, net of a price, of a narrow network and two steps per update, is resumed bit for bit and serves the cheapest safe action', async () => {
  const flags = [
    '--budgets 16 64 --a_values 0 10 --b_values 8 --key_price 0.2 --reward rouge_l --feedback full --seed 7 --http_port 0',
    '--hidden 24 --steps_per_update 2 --iterations 2 --episodes_per_update 2 --log_frequency 1 --eval_samples 4 --eval_frequency 1',
  ].flatMap((line) => line.split(' '));
  const first = await runA2sf(['train', ...flags, '--save_dir', whole]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /budgets 16, 64/);
  const [row] = linesIn(whole, 'evaluation_rewards.jsonl') as { gross_rewards?: number[]; rewards: number[] }[];
  assert.deepEqual([row!.rewards.length, row!.gross_rewards!.length], [4, 4]);

  const { checkpoint } = decodePolicyCheckpoint(fileIn(whole, 'policy_2.safetensors'));
  assert.deepEqual(checkpoint.state.tensors.get('backbone.2.weight')!.shape, [24, 24]);
  assert.deepEqual([checkpoint.hyperParameters.stepsPerUpdate, checkpoint.state.optimizerStep], [2, 4]);
  for (const line of linesIn(whole, 'evaluation.jsonl')) {
    for (const name of ['eval_calibration_error', 'eval_bound_violations']) {
      const share = Number(line[name]);
      assert.ok(share >= 0 && share <= 1, `${name}: ${share}`);
    }
  }

  const resumed = join(scratch, 'resumed');
  const from = join(whole, 'policy_1.safetensors');
  const second = await runA2sf(['train', '--resume', from, '--save_dir', resumed, '--http_port', '0']);
  assert.equal(second.code, 0, second.stderr);
  assert.ok(fileIn(resumed, 'policy_2.safetensors').equals(fileIn(whole, 'policy_2.safetensors')));
  for (const name of ['progress.jsonl', 'evaluation.jsonl'])
    assert.deepEqual(linesIn(resumed, name), linesIn(whole, name));

  const serve = ['--checkpoint', join(whole, 'policy_2.safetensors'), '--bound_beta', '0', '--quality_floor', '0'];
  const service = await startService('policy', ...serve);
  const client = connect(PolicyServiceClient, service.address);
  try {
    const embedding = { values: Array.from({ length: 128 }, (_, i) => Math.sin(i)) };
    const { action, useFullCache } = await callUnary(client, 'selectAction', { embedding });
    assert.deepEqual([action!.budget, useFullCache], [16, false]);
    assert.deepEqual((await callUnary(client, 'getInfo', {})).budgets, [16, 64]);
  } finally {
    client.close();
    await service.stop();
  }
});

test('budgets that cannot be are refused before anything is started', async () => {
  const cases: [string, RegExp][] = [
    ['--budgets 64 16', /--budgets: must ascend, got 16 behind 64/],
    ['--budgets 16 16', /--budgets: must ascend, got 16 behind 16/],
    ['--budgets 0 16', /--budgets\[0\]: must be a whole number from 1 to 1048576/],
    ['--budgets 16 2000000', /--budgets\[1\]: must be a whole number from 1 to 1048576/],
    ['--budgets 16 32 64 128 256', /--budgets: 5 x 12 x 5 values make 300 actions, a sweep tries at most 256/],
    ['--budgets 16 64 --recent 20', /--recent: must be at most 16, the smallest of the budgets, got 20/],
    ['--budgets 16 64 --budget 64', /--budget: not with --budgets/],
    ['--key_price 2', /--key_price: .* 1/],
  ];
  await Promise.all(
    cases.map(async ([flags, message]) => {
      const argv = ['train', ...flags.split(' '), '--save_dir', join(scratch, 'none'), '--http_port', '0'];
      const { code, stderr } = await runA2sf(argv);
      assert.notEqual(code, 0, flags);
      assert.match(stderr, message);
    }),
  );
});
