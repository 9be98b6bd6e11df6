import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import type * as Ort from 'onnxruntime-node';
import { ConfigReader } from '../config-reader.js';
import { ModelWeights } from '../model-weights.js';
import type { TablePart } from '../text-encoder.js';
import { textEncoderFamilyOf } from '../text-encoder-families.js';
import { m2Bert } from './m2-bert.js';

const folder = fileURLToPath(new URL('../../../../test/fixtures/m2-bert/', import.meta.url));
const fields = JSON.parse(readFileSync(`${folder}config.json`, 'utf8')) as Record<string, unknown>;
const config = (changes: Record<string, unknown> = {}): ConfigReader => new ConfigReader({ ...fields, ...changes });
const refusal = (code: string, pattern: RegExp) => (error: unknown) =>
  isA2sfError(error) && error.code === code && pattern.test(error.message);

describe('m2-bert', () => {
  test('is recognised by its Monarch mixer, with or without architectures', () => {
    assert.equal(textEncoderFamilyOf(config()), m2Bert);
    assert.equal(textEncoderFamilyOf(config({ architectures: ['BertForMaskedLM'] })), m2Bert);
  });

  test('is not taken for a plain BERT: the error names what is known', () => {
    const plain = config({ architectures: ['BertForMaskedLM'], monarch_mixer_sequence_mixing: false });
    assert.throws(() => textEncoderFamilyOf(plain), refusal('FAILED_PRECONDITION', /BertForMaskedLM.*known: m2-bert/));
    assert.throws(
      () => textEncoderFamilyOf(new ConfigReader({})),
      refusal('FAILED_PRECONDITION', /null.*known: m2-bert/),
    );
  });

  test('reads its sizes from config.json', () => {
    assert.deepEqual(m2Bert.readShape(config()), { dimension: 48, maxTokens: 256, vocab: 128 });
  });

  test('refuses variants that it does not compute, naming the field', () => {
    for (const [name, value] of [
      ['bidirectional', false],
      ['residual_long_conv', false],
      ['use_glu_mlp', false],
      ['use_monarch_mlp', false],
      ['use_positional_encodings', false],
      ['hyena_training_additions', true],
      ['pool_all', true],
      ['hidden_act', 'relu'],
      ['monarch_mlp_nblocks', 3],
      ['hidden_size', 50],
      ['intermediate_size', 98],
      ['long_conv_l_max', 128],
    ] as const) {
      assert.throws(
        () => m2Bert.readShape(config({ [name]: value })),
        refusal('FAILED_PRECONDITION', new RegExp(name)),
      );
    }
  });

  test('builds graphs of some thirty kilobytes a layer: no weight is copied', () => {
    const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
    for (const output of ['cls', 'hidden_states'] as const) {
      const { graph, tables } = m2Bert.buildGraph(config(), weights, output);
      assert.ok(graph.byteLength < 72_000);
      for (const step of tables!.partsOf(256).flatMap((part) => [...part.steps()])) {
        assert.ok(step.graph.byteLength < 20_000);
      }
    }
  });

  test('names a tensor whose shape differs from config.json', () => {
    const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
    const build = (): unknown => m2Bert.buildGraph(config({ hyena_filter_order: 32 }), weights, 'cls');
    assert.throws(build, refusal('DATA_LOSS', /implicit_filter.*shape .*16\].*asks for .*32\]/));
  });

  test('needs no spectra per length, only per size class, and features of few lengths', () => {
    const { tables } = m2Bert.buildGraph(config(), new ModelWeights(folder, m2Bert.weightPrefixes), 'cls');
    const parts = Array.from({ length: 256 }, (_, i) => tables!.partsOf(i + 1)).flat();
    const keys = (of: readonly { key: string }[]): string[] => [...new Set(of.map(({ key }) => key))].toSorted();
    const sizes = ['4 x 1^2', '4 x 2^2', '8 x 2^2', ...[4, 8, 12, 16].map((half) => `${half} x 4^2`)];
    const nets = ['filter_fn', 'filter_fn2'];
    const rowZero = nets.map((net) => `features 1.${net} 256`);
    const spectra = nets.flatMap((net) => sizes.map((size) => `spectrum 0.${net} ${size}`));
    assert.deepEqual(keys(parts), [...sizes.map((size) => `fourier ${size}`), ...rowZero, ...spectra].toSorted());
    assert.deepEqual(
      keys(parts.flatMap(({ instead }) => instead ?? [])),
      nets.map((net) => `features 0.${net} 256`),
    );
  });

  test('says how many bytes a part has, and the same inputs come from what does instead', async () => {
    const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
    const { tables } = m2Bert.buildGraph(config(), weights, 'hidden_states');
    for (const length of [1, 100, 256]) {
      for (const part of tables!.partsOf(length)) {
        const [inputs, bytes] = await made(part, weights.folder);
        assert.equal(part.bytes, bytes);
        if (part.instead === undefined) continue;
        const [others, otherBytes] = await made(part.instead, weights.folder);
        assert.equal(part.instead.bytes, otherBytes);
        assert.deepEqual(inputs.toSorted(), others.toSorted());
      }
    }
  });
});

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;

/** Names of a part's inputs, and the bytes of what takes room: of its matrices, and of what its steps compute. */
async function made(part: TablePart, weightFolder: string): Promise<[string[], number]> {
  const direct = Object.entries(part.direct());
  const names = direct.map(([name]) => name);
  let bytes = 0;
  for (const [name, { data }] of direct) if (name.startsWith('fourier')) bytes += 4 * data.length;
  for (const { graph, inputs, outputs } of part.steps()) {
    const extra = { session: { model_external_initializers_file_folder_path: weightFolder } };
    const session = await ort.InferenceSession.create(graph, { logSeverityLevel: 3, extra });
    const feeds = Object.entries(inputs).map(([name, { type, data, shape }]) => {
      assert.equal(type, 'float32');
      return [name, new ort.Tensor('float32', data, shape)] as const;
    });
    const results = await session.run(Object.fromEntries(feeds), outputs);
    for (const output of outputs) bytes += 4 * results[output]!.size;
    names.push(...outputs);
    await session.release();
  }
  return [names, bytes];
}
