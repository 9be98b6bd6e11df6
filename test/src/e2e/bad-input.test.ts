import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fixtures, runA2sf, startService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-bad-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const never = join(scratch, 'never');

/** One clear line, the exit code, no stack trace, nothing half-written. */
async function refused(args: string[], code: 1 | 2, message: RegExp): Promise<void> {
  const result = await runA2sf(args);
  const errors = result.stderr.trim().split('\n');
  assert.match(result.stderr, message);
  assert.equal(result.code, code, result.stderr);
  assert.equal(errors.length, 1, result.stderr);
  assert.doesNotMatch(result.stderr, /\n\s+at /);
  assert.equal(existsSync(never), false, 'nothing was written');
}

function modelWith(name: string, change: (folder: string) => void): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const file of ['config.json', 'model.safetensors']) cpSync(join(fixtures, 'lm-llama', file), join(folder, file));
  change(folder);
  return folder;
}
const train = (...flags: string[]): string[] => ['train', '--save_dir', never, '--http_port', '0', ...flags];
const serve = (name: string, ...flags: string[]): string[] => [
  'serve',
  name,
  '--port',
  '0',
  '--http_port',
  '0',
  '--log_level',
  'silent',
  ...flags,
];

describe('bad input to the command line', () => {
  test('an unknown command', () => refused(['trian'], 2, /trian: unknown command/));
  test('an unknown flag names the nearest known one', () =>
    refused(train('--iteration', '5'), 2, /--iteration\b.*--iterations/));
  test('a value out of range names the flag and the limit', () =>
    refused(train('--episodes_per_update', '0'), 2, /--episodes_per_update.*at least 1|--episodes_per_update.*from 1/));
  test('an unknown model folder', () =>
    refused(
      serve('generator', '--model_name', '/no/such/folder'),
      1,
      /model_name.*no such folder|model_name.*does not exist|model_name.*there is no/i,
    ));
  test('a model name that could leave the folder', () =>
    refused(serve('generator', '--model_name', '../x'), 1, /model_name/));
  test('an unknown model of a run leaves no run folder', () =>
    refused(train('--model_name', '/no/such/folder'), 1, /model_name/));
  test('an unsupported architecture', () => {
    const folder = modelWith('gpt2', (path) =>
      writeFileSync(join(path, 'config.json'), '{"architectures": ["GPT2LMHeadModel"]}'),
    );
    return refused(serve('generator', '--model_name', folder), 1, /architectures: "GPT2LMHeadModel" is not supported/);
  });
  test('a corrupt weight file', () => {
    const folder = modelWith('cut', (path) => truncateSync(join(path, 'model.safetensors'), 100_000));
    return refused(serve('generator', '--model_name', folder), 1, /model\.safetensors/);
  });
  test('a missing tensor', () => {
    const folder = modelWith('missing', (path) => {
      const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as object;
      writeFileSync(join(path, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 4 }));
    });
    return refused(serve('generator', '--model_name', folder), 1, /tensor model\.layers\.3.* is missing/);
  });
  test('a port in use names the flag', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await refused(
      ['serve', 'reward', '--port', String(port), '--http_port', '0', '--log_level', 'silent'],
      1,
      /--port.*in use|port.*in use/,
    );
    server.close();
  });
  test('a peer that is not there', async () => {
    const nobody = '127.0.0.1:1';
    const addresses = ['--encoder', nobody, '--generators', nobody, '--reward_service', nobody, '--policy', nobody];
    await refused(train(...addresses), 1, /127\.0\.0\.1:1/);
  });
  test('a checkpoint of another action space', async () => {
    const policy = await startService('policy', '--checkpoint', join(fixtures, 'neural-ucb', 'init.safetensors'));
    await policy.stop();
    const run = join(scratch, 'run');
    const first = await runA2sf([
      'train',
      '--save_dir',
      run,
      '--http_port',
      '0',
      '--iterations',
      '1',
      '--episodes_per_update',
      '1',
      '--eval_samples',
      '1',
      '--budget',
      '64',
      '--reward',
      'rouge_l',
    ]);
    assert.equal(first.code, 0, first.stderr);
    await refused(
      ['train', '--resume', run, '--iterations', '2', '--a_values', '0', '1', '--http_port', '0'],
      1,
      /action space|a_values/,
    );
  });
  test('a damaged checkpoint', () => {
    const file = join(scratch, 'policy_1.safetensors');
    cpSync(join(scratch, 'run', 'policy_1.safetensors'), file);
    truncateSync(file, 10_000);
    return refused(serve('policy', '--checkpoint', file), 1, /policy_1\.safetensors/);
  });
  test('data that is not JSON names file and line', () => {
    const file = join(scratch, 'rows.jsonl');
    writeFileSync(file, '{"input": "x"\n');
    return refused(train('--data', file), 1, /rows\.jsonl.*(line 1|:1)/);
  });
});
