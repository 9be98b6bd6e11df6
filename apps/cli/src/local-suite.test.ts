import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { resolveOptions } from '@a2sf/config';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callUnary, connect, waitUntilServing } from '@a2sf/grpc-runtime';
import { options } from '@a2sf/trainer-app';
import { GrpcPeers, RewardRule } from '@a2sf/training';
import { startLocalSuite } from './local-suite.js';

const never = new AbortController().signal;
const valuesOf = (argv: readonly string[]) => resolveOptions({ name: 't', description: '' }, options, argv, {}).values;

async function isServing(address: string): Promise<boolean> {
  return waitUntilServing(address, { timeoutMs: 300 }).then(
    () => true,
    () => false,
  );
}

test('a local suite serves one generator per entry of --gpus, and nothing of it is left when it is stopped', async () => {
  const suite = await startLocalSuite(valuesOf(['--gpus', '0', '1', '--device', 'cpu', '--threads', '1']), never);
  const { encoder, reward, policy, generators } = suite.addresses;
  const all = [encoder, reward, policy, ...generators];
  assert.equal(generators.length, 2);
  assert.deepEqual(await Promise.all(all.map(isServing)), [true, true, true, true, true]);
  assert.equal(suite.failure(), undefined);
  await Promise.all([suite.stop(), suite.stop()]);
  assert.deepEqual(await Promise.all(all.map(isServing)), [false, false, false, false, false]);
  assert.equal(suite.failure(), undefined);
});

test('a service that cannot start is told in its own words', async () => {
  await assert.rejects(startLocalSuite(valuesOf(['--model_name', 'no-such-model']), never), {
    code: 'FAILED_PRECONDITION',
    message: /^generator: --model_name: "no-such-model" is neither a preset/,
  });
  await assert.rejects(startLocalSuite(valuesOf(['--gpus', '0']), never), { message: /run with --device cpu$/ });
});

test('the flags of the hub reach the services: --offline, and a revision for each of the two models', async () => {
  const refused = (argv: readonly string[], message: RegExp) =>
    assert.rejects(startLocalSuite(valuesOf(argv), new AbortController().signal), {
      code: 'FAILED_PRECONDITION',
      message,
    });
  await refused(['--model_name', 'nobody/absent', '--offline'], /^generator: .*nobody\/absent.*--offline/);
  await refused(
    ['--context_encoder_model', 'nobody/absent', '--offline'],
    /^(encoder|reward): .*nobody\/absent.*--offline/,
  );
  await refused(['--model_name', 'nobody/absent', '--revision', 'v2', '--offline'], /^generator: .*revision v2/);
  const encoder = ['--context_encoder_model', 'nobody/absent', '--context_encoder_revision', 'v3', '--offline'];
  await refused(encoder, /^(encoder|reward): .*revision v3/);
});

test('the reward log_prob is the probability that ScoreContinuation gives the tokens of the full text', async () => {
  const suite = await startLocalSuite(valuesOf(['--threads', '1']), never);
  const peers = new GrpcPeers(suite.addresses);
  const generator = connect(GeneratorServiceClient, suite.addresses.generators[0]!);
  try {
    const text = 'The key of the red box is seven. The key of the blue box is four. '.repeat(8);
    const wrap = 'PROMPT_WRAP_UNSPECIFIED';
    const prompt = { id: '0', dataset: '', text, hash: '', answers: [], allClasses: [], wrap } as const;
    const reward = new RewardRule('log_prob');
    const settings = { budget: 32, recent: 0, maxNewTokens: 8, maxPromptTokens: 0 };
    const actions = [
      { a: 0, b: 1 },
      { a: 10, b: 16 },
    ];
    const scoreFull = reward.needsLogProbs;
    const outcome = await peers.sweep({ text, wrap, actions, includeFull: false, scoreFull, ...settings });
    const request = { prompt: { text }, actions, budget: 32, maxNewTokens: 8, includeFull: true };
    const { full } = await callUnary(generator, 'sweep', request);
    const tasks = [...outcome.texts, outcome.full!].map((swept) => reward.task(prompt, swept, outcome.full!.text));
    const scores = await peers.score(tasks);
    const compressions = [...actions.map((action) => ({ action, budget: 32 })), undefined];
    for (const [i, compression] of compressions.entries()) {
      const continuation = { tokenIds: { ids: full!.tokenIds } };
      const one = { prompt: { text }, continuation, ...(compression && { compression }) };
      const { logProbs } = await callUnary(generator, 'scoreContinuation', one);
      const wanted = Math.exp(logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length);
      // The two calls batch the same float32 sums differently.
      assert.ok(Math.abs(scores[i]! - wanted) < 1e-4, `${scores[i]}, ${wanted}`);
    }
    assert.notEqual(scores[0], scores[2]);
  } finally {
    generator.close();
    peers.close();
    await suite.stop();
  }
});

test('a stop while the services start leaves none of them', async () => {
  const controller = new AbortController();
  const starting = startLocalSuite(valuesOf([]), controller.signal);
  await delay(200);
  controller.abort(new Error('enough'));
  await assert.rejects(starting);
});

test('the services of a process that was killed end by themselves', async () => {
  const script = `
    import { startLocalSuite } from ${JSON.stringify(new URL('./local-suite.js', import.meta.url).href)};
    const options = JSON.parse(process.argv[1]);
    const suite = await startLocalSuite(options, new AbortController().signal);
    console.log(JSON.stringify(suite.addresses));
    setInterval(() => {}, 1000);`;
  const argv = ['--input-type=module', '-e', script, JSON.stringify(valuesOf(['--threads', '1']))];
  const parent = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const { encoder, reward, policy, generators } = JSON.parse(String(line)) as Record<string, string> & {
    readonly generators: string[];
  };
  const all = [encoder!, reward!, policy!, ...generators];
  assert.deepEqual(await Promise.all(all.map(isServing)), [true, true, true, true]);
  parent.kill('SIGKILL');
  await once(parent, 'close');
  // Polled without a bound on the time: the runner has one.
  while ((await Promise.all(all.map(isServing))).includes(true)) await delay(100);
});
