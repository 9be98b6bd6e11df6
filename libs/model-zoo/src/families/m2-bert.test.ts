import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import { ConfigReader } from '../config-reader.js';
import { ModelWeights } from '../model-weights.js';
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

  test('builds graphs of a few kilobytes a layer: no weight is copied', () => {
    const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
    for (const output of ['cls', 'hidden_states'] as const) {
      const { graph, tables } = m2Bert.buildGraph(config(), weights, output);
      assert.ok(graph.byteLength < 60_000);
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
    const parts = (spectrumBytes: number) => {
      const { tables } = m2Bert.buildGraph(
        config(),
        new ModelWeights(folder, m2Bert.weightPrefixes),
        'cls',
        spectrumBytes,
      );
      return [...new Set(Array.from({ length: 256 }, (_, i) => tables!.partsOf(i + 1).map(({ key }) => key)).flat())];
    };
    const sizes = ['4 x 1^2', '4 x 2^2', '8 x 2^2', ...[4, 8, 12, 16].map((half) => `${half} x 4^2`)];
    const fourier = sizes.map((size) => `fourier ${size}`);
    const spectra = sizes.map((size) => `spectra ${size}`);
    assert.deepEqual(parts(1e6).toSorted(), [...fourier, 'row zero 256', ...spectra].toSorted());
    assert.deepEqual(parts(0).toSorted(), [...fourier, 'row zero 256', 'features 256'].toSorted());
    // 2 filters of 2 x 5 x 16 x 48 numbers are the first that are too many.
    assert.deepEqual(
      parts(61_439).filter((key) => key.startsWith('spectra')),
      spectra.slice(0, 3),
    );
  });

  test('says how many bytes a part has', () => {
    for (const spectrumBytes of [0, 1e6]) {
      const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
      const { tables } = m2Bert.buildGraph(config(), weights, 'hidden_states', spectrumBytes);
      const [fourier] = tables!.partsOf(100);
      const inputs = Object.values(fourier!.direct());
      assert.equal(
        fourier!.bytes,
        inputs.reduce((sum, { data }) => sum + 4 * data.length, 0),
      );
    }
  });
});
