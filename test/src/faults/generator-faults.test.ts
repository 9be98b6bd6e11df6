import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { startService, type RunningService } from '../processes.js';

const prompt = {
  text: 'The office of Mara Copper is in the north, and the garden is behind the old house. '.repeat(40),
};
const long = { prompt, maxNewTokens: 512, ignoreEos: true };

describe('a generator whose callers give up', () => {
  let service: RunningService;
  let client: InstanceType<typeof GeneratorServiceClient>;
  before(async () => {
    service = await startService('generator', '--threads', '1', '--max_queue', '4');
    client = connect(GeneratorServiceClient, service.address);
  });
  after(async () => {
    client.close();
    await service.stop();
  });

  /** Seconds of processor time the service has used. */
  const cpuSeconds = (): number => {
    const fields = readFileSync(`/proc/${service.process.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  /** Waits until the service computes nothing any more; fails by the runner's time limit when it never does. */
  const idle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3;) {
      const before = cpuSeconds();
      await sleep(100);
      quiet = cpuSeconds() - before <= 0.03 ? quiet + 1 : 0;
    }
  };
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${service.http}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const served = async (): Promise<void> => {
    const { results } = await callUnary(client, 'sweep', {
      prompt,
      budget: 64,
      maxNewTokens: 2,
      actions: [{ a: 10, b: 16 }],
    });
    assert.equal(results.length, 1);
  };

  test('a deadline shorter than the work ends the call and the work', async () => {
    const call = async (): Promise<void> => {
      for await (const _ of callServerStream(client, 'generate', long, { timeoutMs: 150 }));
    };
    await assert.rejects(call(), { code: 'DEADLINE_EXCEEDED' });
    await idle();
    assert.equal(await metric('grpc_server_in_flight_calls'), 0);
    await served();
  });

  test('a client that leaves in the middle of a stream frees the model', async () => {
    let received = 0;
    for await (const { tokenIds } of callServerStream(client, 'generate', long)) {
      received += tokenIds.length;
      if (received > 3) break;
    }
    await idle();
    assert.equal(await metric('grpc_server_in_flight_calls'), 0);
    assert.ok(received < 512);
    await served();
  });

  test('a client that is killed in the middle of its stream leaves no slot in use', async () => {
    const cli = fileURLToPath(new URL('../../../apps/cli/bin/a2sf.js', import.meta.url));
    const flags = ['--address', service.address, '--prompt', prompt.text, '--max_new_tokens', '512', '--ignore_eos'];
    const caller = spawn(process.execPath, [cli, 'generate', ...flags, '--action', '10,16', '--budget', '64']);
    await once(caller.stdout, 'data');
    assert.equal(await metric('a2sf_generator_slots_in_use'), 1);
    const gone = once(caller, 'exit');
    caller.kill('SIGKILL');
    await gone;
    await idle();
    assert.equal(await metric('a2sf_generator_slots_in_use'), 0);
    assert.equal(await metric('a2sf_generator_queue_depth'), 0);
    await served();
  });

  test('a cancelled call that still waits in the queue is never run', async () => {
    const controller = new AbortController();
    const running = callUnary(client, 'sweep', { prompt, budget: 64, maxNewTokens: 64, ignoreEos: true });
    const waiting = callUnary(
      client,
      'sweep',
      { prompt, budget: 64, maxNewTokens: 500 },
      { signal: controller.signal },
    );
    controller.abort();
    await assert.rejects(waiting, { code: 'CANCELLED' });
    await running;
    await served();
  });

  test('calls beyond the queue are refused at once, the others are served', async () => {
    const calls = Array.from({ length: 12 }, () =>
      callUnary(client, 'sweep', { prompt, budget: 64, maxNewTokens: 32, ignoreEos: true }),
    );
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.ok(refused.length > 0 && refused.length <= 8, `${refused.length} refused`);
    for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'RESOURCE_EXHAUSTED');
    await served();
  });

  test('a reader that pauses delays nobody else', async () => {
    const stream = callServerStream(client, 'generate', { ...long, maxNewTokens: 64 })[Symbol.asyncIterator]();
    await stream.next();
    await served();
    let tokens = 1;
    for (let next = await stream.next(); next.done !== true; next = await stream.next())
      tokens += next.value.tokenIds.length;
    assert.equal(tokens, 64);
  });

  test('SIGTERM ends the process with code 0 after the calls in work', async () => {
    const other = await startService('generator', '--threads', '1');
    const otherClient = connect(GeneratorServiceClient, other.address);
    const exit = once(other.process, 'exit');
    const tokens: number[] = [];
    for await (const { tokenIds } of callServerStream(otherClient, 'generate', { ...long, maxNewTokens: 32 })) {
      if (tokens.length === 0) other.process.kill('SIGTERM');
      tokens.push(...tokenIds);
    }
    assert.equal(tokens.length, 32);
    otherClient.close();
    assert.deepEqual(await exit, [0, null]);
  });

  test('prompts never reach the log or the metrics', async () => {
    const loud = await startService('generator', '--threads', '1', '--log_level', 'debug');
    let log = '';
    loud.process.stderr!.setEncoding('utf8').on('data', (text: string) => (log += text));
    const loudClient = connect(GeneratorServiceClient, loud.address);
    const secret = 'xylophone-heliotrope';
    for await (const _ of callServerStream(loudClient, 'generate', { prompt: { text: secret }, maxNewTokens: 4 }));
    const bad = { prompt: { text: secret }, maxNewTokens: 9999 };
    await assert.rejects(async () => {
      for await (const _ of callServerStream(loudClient, 'generate', bad));
    });
    const metrics = await (await fetch(`${loud.http}/metrics`)).text();
    loudClient.close();
    await loud.stop();
    assert.ok(!log.includes(secret) && !metrics.includes(secret));
  });
});
