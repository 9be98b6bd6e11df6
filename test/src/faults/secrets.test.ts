import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  EncoderServiceClient,
  GeneratorServiceClient,
  PolicyServiceClient,
  RewardServiceClient,
} from '@a2sf/contracts';
import { isA2sfError } from '@a2sf/errors';
import { callServerStream, callUnary, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import { startServiceIn, type RunningService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-secrets-'));
const word = 'zanzibar-marimba';
const tokens = {
  right: 'r1ght-t0ken-0123456789abcdef',
  wrong: 'wr0ng-t0ken-0123456789abcdef',
  hub: 'hf_h1dden0123456789',
};
const noTls = {
  tlsCert: undefined,
  tlsKey: undefined,
  tlsCa: undefined,
  tlsReloadSeconds: 60,
  tlsServerName: undefined,
};
const secrets = [word, ...Object.values(tokens)];
const running = new Map<string, { readonly service: RunningService; log: string }>();

before(async () => {
  for (const name of ['right', 'wrong'] as const) writeFileSync(join(scratch, name), `${tokens[name]}\n`);
  const names = ['encoder', 'generator', 'reward'];
  const start = async (name: string, ...flags: string[]): Promise<void> => {
    const own = ['--log_level', 'info', '--auth_token_file', join(scratch, 'right'), ...flags];
    const service = await startServiceIn({ env: { HF_TOKEN: tokens.hub } }, name, ...own);
    const entry = { service, log: '' };
    running.set(name, entry);
    service.process.stderr!.on('data', (text: string) => (entry.log += text));
  };
  await Promise.all(names.map((name) => start(name)));
  await start('policy', '--encoder', running.get('encoder')!.service.address, '--token_file', join(scratch, 'right'));
});
after(async () => {
  await Promise.all([...running.values()].map(({ service }) => service.stop()));
  rmSync(scratch, { recursive: true });
});

test('prompts, texts and tokens are in no error, log line or metric of any service at the default level', async () => {
  const told: string[] = [];
  const attempt = async (call: Promise<unknown>): Promise<void> => {
    await call.catch((error: unknown) => {
      assert.ok(isA2sfError(error), String(error));
      told.push(`${error.code} ${error.message} ${error.field ?? ''}`);
    });
  };
  const drained = async (stream: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of stream);
  };
  const addressOf = (name: string): string => running.get(name)!.service.address;
  for (const name of ['right', 'wrong'] as const) {
    const security = ClientSecurity.of({ ...noTls, tokenFile: join(scratch, name) });
    const encoder = connect(EncoderServiceClient, addressOf('encoder'), { security });
    const generator = connect(GeneratorServiceClient, addressOf('generator'), { security });
    const reward = connect(RewardServiceClient, addressOf('reward'), { security });
    const policy = connect(PolicyServiceClient, addressOf('policy'), { security });
    const prompt = { text: `${word} `.repeat(3) };
    const item = { prediction: word, references: [word] };
    const calls = [
      callUnary(encoder, 'encode', { inputs: [prompt] }),
      callUnary(encoder, 'encode', { inputs: [prompt, {}] }),
      callUnary(encoder, 'encode', { inputs: [{ text: word.repeat(300_000) }] }),
      drained(callServerStream(generator, 'generate', { prompt, maxNewTokens: 2, stop: [word] })),
      drained(callServerStream(generator, 'generate', { prompt, maxNewTokens: 2, stop: [word.repeat(1000)] })),
      drained(callServerStream(generator, 'generate', { prompt: { text: word.repeat(70_000) }, maxNewTokens: 2 })),
      callUnary(generator, 'sweep', { prompt, budget: 1_000_000_000, maxNewTokens: 2 }),
      callUnary(generator, 'scoreContinuation', { prompt, continuation: {} }),
      callUnary(reward, 'score', { items: [{ ...item, metric: 'rouge_l' }] }),
      callUnary(reward, 'score', { items: [{ ...item, metric: 'classification', allClasses: [] }] }),
      callUnary(reward, 'score', { items: [{ ...item, metric: 'rouge_l', references: [] }] }),
      callUnary(policy, 'selectAction', { text: prompt.text, key: word }),
      callUnary(policy, 'update', { updateId: word, experiences: [{ id: word, key: word }] }),
    ];
    await Promise.all(calls.map(attempt));
    for (const client of [encoder, generator, reward, policy]) client.close();
    security.close();
  }
  assert.ok(told.length >= 20, `${told.length} calls failed`);
  for (const [name, { service }] of running) {
    const metrics = await fetch(`${service.http}/metrics`, { headers: { authorization: `Bearer ${tokens.right}` } });
    told.push(`${name} metrics\n${await metrics.text()}`);
    await service.stop();
    told.push(`${name} log\n${running.get(name)!.log}`);
  }
  for (const text of told) for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 500));
});
