import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EncoderServiceClient, GeneratorServiceClient, PolicyServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { root } from '../conformance/workspace.js';
import { runA2sf, startService } from '../processes.js';
import { OtlpCollector, type Span } from './otlp-collector.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-traces-'));
const flags = (folder: string): string[] =>
  [
    `--save_dir ${folder} --budget 64 --reward rouge_l --seed 7 --http_port 0 --iterations 1 --episodes_per_update 1`,
    '--eval_samples 1 --eval_frequency 1 --log_frequency 1 --checkpoint_frequency 1',
  ].flatMap((line) => line.split(' '));

let collector: OtlpCollector;

before(async () => {
  collector = await OtlpCollector.start();
});
after(() => {
  collector.close();
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  rmSync(scratch, { recursive: true, force: true });
});

/** The services and names from a span up to the root of its trace. */
function lineage(span: Span): string[] {
  const parent = collector.spans.find(({ id }) => id === span.parent);
  const line = `${span.service.replace('a2sf-', '')}: ${span.name.replace(/^a2sf\.\w+\.v1\./, '')}`;
  return parent === undefined ? [line] : [line, ...lineage(parent)];
}

describe('traces of real processes', () => {
  test('all that one episode caused is one tree, from the trainer to the decoding in the generator', async () => {
    const run = join(scratch, 'run');
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
    const { code, stderr } = await runA2sf(['train', ...flags(run)], env);
    assert.equal(code, 0, stderr);

    const iteration = collector.spans.find(({ name }) => name === 'iteration')!;
    assert.equal(iteration.parent, undefined);
    const tree = collector.spans.filter(({ trace }) => trace === iteration.trace);
    const ids = new Set(tree.map(({ id }) => id));
    for (const span of tree) {
      assert.ok(span === iteration || ids.has(span.parent!), `${span.name} hangs on nothing`);
      assert.ok(span.start <= span.end, span.name);
    }
    const services = [...new Set(tree.map(({ service }) => service))].sort();
    assert.deepEqual(services, ['a2sf-encoder', 'a2sf-generator', 'a2sf-policy', 'a2sf-reward', 'a2sf-trainer']);
    const told = tree.map((span) => lineage(span).join(' < '));
    const expected = (...path: string[]) =>
      assert.ok(told.includes(path.join(' < ')), `${path[0]}\n${told.join('\n')}`);
    const top = 'trainer: iteration';
    const call = (service: string, method: string): string[] => [`${service}: ${method}`, `trainer: ${method}`];
    expected(...call('encoder', 'EncoderService/Encode'), 'trainer: encode', top);
    expected(...call('policy', 'PolicyService/SelectActions'), 'trainer: select', top);
    expected(...call('policy', 'PolicyService/Update'), 'trainer: update', top);
    const sweep = [...call('generator', 'GeneratorService/Sweep'), 'trainer: episode', 'trainer: generate', top];
    for (const stage of ['prefill', 'selection', 'decode']) expected(`generator: ${stage}`, ...sweep);
    const score = told.find((path) => path.startsWith('reward: RewardService/Score < trainer: RewardService/Score < '));
    assert.ok(score?.endsWith(top), score);

    const stages = ['prefill', 'selection', 'decode'].map((name) => tree.find((span) => span.name === name)!);
    const served = tree.find(({ id }) => id === stages[0]!.parent)!;
    const slack = 5_000_000n; // the worker tells milliseconds before its answer, which takes a moment to arrive
    for (const [i, stage] of stages.entries()) {
      assert.ok(stage.start >= served.start - slack && stage.end <= served.end + slack, `${stage.name} in its call`);
      assert.ok(i === 0 || stage.start >= stages[i - 1]!.end - slack, `${stage.name} after the stage before it`);
    }
    assert.equal(served.attributes['rpc.system'], 'grpc');
    assert.equal(Number(served.attributes['rpc.grpc.status_code']), 0);
  });

  test('no trace holds a sentence of a prompt', () => {
    const files = ['train.jsonl', 'eval.jsonl'].map((name) => join(root, 'models/tiny-a2sf/data', name));
    const sentences = files.flatMap((file) => readFileSync(file, 'utf8').split(/[.\n]/));
    const told = sentences.filter((sentence) => sentence.length > 20 && collector.received.includes(sentence.trim()));
    assert.ok(sentences.length > 100);
    assert.deepEqual(told, []);
  });

  test('a generated text has its stages too', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.endpoint;
    const generator = await startService('generator');
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    const client = connect(GeneratorServiceClient, generator.address);
    const request = {
      prompt: { text: 'Once upon a time there was a valley. '.repeat(20) },
      compression: { budget: 32, action: { a: 1, b: 1024 } },
      maxNewTokens: 8,
      ignoreEos: true,
    };
    for await (const _ of callServerStream(client, 'generate', request));
    client.close();
    await generator.stop();
    const told = collector.spans.map((span) => lineage(span).join(' < '));
    const selection = collector.spans.findLast(({ name }) => name === 'selection')!;
    assert.equal(Number(selection.attributes['a2sf.kept_tokens']), 32);
    for (const stage of ['prefill', 'selection', 'decode']) {
      assert.ok(told.includes(`generator: ${stage} < generator: GeneratorService/Generate`), stage);
    }
  });

  test('a text that the policy is asked about is followed to its encoder', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.endpoint;
    const encoder = await startService('encoder');
    const checkpoint = join(scratch, 'run', 'policy_1.safetensors');
    const policy = await startService('policy', '--encoder', encoder.address, '--checkpoint', checkpoint);
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    const client = connect(PolicyServiceClient, policy.address);
    await callUnary(client, 'selectAction', { text: 'a word that no trace may hold: xylophone' });
    await assert.rejects(callUnary(client, 'selectAction', {}));
    client.close();
    const direct = connect(EncoderServiceClient, encoder.address);
    await assert.rejects(callUnary(direct, 'encode', { inputs: [] }));
    direct.close();
    await Promise.all([policy.stop(), encoder.stop()]);

    const encodes = collector.spans.filter(
      ({ service, name }) => service === 'a2sf-encoder' && name.endsWith('/Encode'),
    );
    const paths = encodes.map((span) => lineage(span).join(' < '));
    const asked = 'encoder: EncoderService/Encode < policy: EncoderService/Encode < policy: PolicyService/SelectAction';
    assert.ok(paths.includes(asked), paths.join('\n'));
    const refused = encodes.find(({ parent }) => parent === undefined)!;
    assert.equal(refused.attributes['error.type'], 'INVALID_ARGUMENT');
    assert.ok(!collector.received.includes('xylophone'));
  });
});
