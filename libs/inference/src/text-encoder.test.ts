import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import fc from 'fast-check';
import { m2Bert, ModelWeights, readModelConfig, resolveModelFolder } from '@a2sf/model-zoo';
import { encodeSafetensors, openSafetensors, parseSafetensors, readTensor, type Tensor } from '@a2sf/tensor-files';
import { int64, OnnxSession } from './onnx-session.js';
import { TableCache } from './text-encoder-tables.js';
import { SentenceEncoder } from './text-encoder.js';

const folder = fileURLToPath(new URL('../../../test/fixtures/m2-bert', import.meta.url));
const expected = openSafetensors(join(folder, 'expected.safetensors'));
const model = openSafetensors(join(folder, 'model.safetensors'));
const array = (name: string): Float32Array => new Float32Array(readTensor(expected, name).buffer);
const exact = (name: string): Float64Array => new Float64Array(readTensor(expected, name).buffer);
const ids = (name: string): number[] => [...new Int32Array(readTensor(expected, name).buffer)];

function largestDifference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - wanted[i]!));
  return worst;
}
const inputs = ['in0', 'in1', 'in2']; // 1, 17 and 256 tokens

/** A copy of the fixture with other tensors. */
function variant(root: string, name: string, change: (tensors: Map<string, Tensor>) => Map<string, Tensor>): string {
  const copy = join(root, name);
  cpSync(folder, copy, { recursive: true });
  const { tensors } = parseSafetensors(readFileSync(join(folder, 'model.safetensors')), 'model.safetensors');
  writeFileSync(join(copy, 'model.safetensors'), encodeSafetensors(change(new Map(tensors))));
  return copy;
}

describe('m2-bert equals the published code', async () => {
  const encoder = await SentenceEncoder.load({ folder, name: 'm2-bert', threads: 1 });
  const whole = await SentenceEncoder.load({ folder, name: 'm2-bert', threads: 1, output: 'hidden_states' });
  after(() => Promise.all([encoder.dispose(), whole.dispose()]));

  for (const input of inputs) {
    // 2e-3 is what float32 of the published code leaves; against float64 this engine stays below 2e-5.
    test(`in the CLS vector of ${input}`, async () => {
      for (const form of [encoder, whole]) {
        const { values, tokens, truncated, empty } = await form.encode({ ids: ids(`${input}.ids`) });
        assert.ok(largestDifference(values, array(`${input}.cls`)) <= 2e-3);
        assert.ok(largestDifference(values, exact(`${input}.cls_f64`)) <= 2e-5);
        assert.deepEqual([values.length, tokens, truncated, empty], [48, ids(`${input}.ids`).length, false, false]);
      }
    });

    test(`in every hidden state of ${input}`, async () => {
      const states = await whole.hiddenStates(ids(`${input}.ids`));
      assert.equal(states.length, array(`${input}.last_hidden_state`).length);
      assert.ok(largestDifference(states, array(`${input}.last_hidden_state`)) <= 2e-3);
      assert.ok(largestDifference(states, exact(`${input}.last_hidden_state_f64`)) <= 2e-5);
    });
  }

  test('in a row that a batch would have padded: it is read alone', async () => {
    const row = ids('batch.ids').slice(0, 17);
    assert.ok(largestDifference((await encoder.encode({ ids: row })).values, array('batch.row0_alone.cls')) <= 2e-3);
    assert.ok(largestDifference((await encoder.encode({ ids: row })).values, array('batch.cls').subarray(0, 48)) > 1);
  });

  test('in row 0 at every border of a size class, whatever came before', async () => {
    for (const length of [256, 2, 31, 32, 33, 128, 129, 255, 33]) {
      const text = ids('in2.ids').slice(0, length);
      const states = await whole.hiddenStates(text);
      assert.equal(states.length, 48 * length);
      assert.ok(largestDifference((await encoder.encode({ ids: text })).values, states.slice(0, 48)) <= 2e-5);
    }
  });

  test('in its filters to 1e-4: their spectra are those of the published taps, D part of the first', async () => {
    const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
    const { tables } = m2Bert.buildGraph(readModelConfig(folder), weights, 'hidden_states');
    const cache = new TableCache(tables!, { threads: 1, weightFolder: weights.folder });
    const feeds = await cache.feeds(256);
    const { picked_positions: picked } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
      picked_positions: number[];
    };
    for (const layer of [0, 1]) {
      for (const which of ['filter_fn', 'filter_fn2']) {
        const part = (name: string) => feeds[`spectrum.${layer}.${which}.${name}`]!;
        const [groups, groupRows, r, d] = part('real').dims as [number, number, number, number];
        const rows = groups * groupRows;
        const m = rows / r - 1;
        const N = 2 * m * r * r;
        const [real, imaginary] = [part('real').data as Float32Array, part('imaginary').data as Float32Array];
        /** Tap n of all channels: the inverse transform of spectra that are already times its weights. */
        const taps = (n: number): number[] => {
          const sums = Array.from({ length: d }, () => 0);
          for (let row = 0; row < rows * r; row++) {
            const [k1, ka, kb] = [Math.floor(row / (r * r)), Math.floor(row / r) % r, row % r];
            const k = k1 + 2 * m * (ka + r * kb);
            const angle = (2 * Math.PI * ((k * n) % N)) / N;
            const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
            for (let c = 0; c < d; c++) sums[c]! += real[row * d + c]! * cos - imaginary[row * d + c]! * sin;
          }
          return sums;
        };
        const positions = layer === 0 ? [...Array(256).keys()] : picked;
        const [forward, reverse] = ['fwd', 'rev'].map((short) =>
          array(`filter.${layer}.${which}.${short}${layer === 0 ? '' : '.picked'}`),
        );
        const own = new Float32Array(readTensor(model, `bert.encoder.layer.${layer}.attention.${which}.bias`).buffer);
        own.forEach((value, c) => (forward![positions.indexOf(0) * d + c]! += value));
        assert.ok(largestDifference(positions.flatMap(taps), forward!) <= 1e-4);
        const behind = positions.flatMap((position) => taps(N - 1 - position));
        assert.ok(largestDifference(behind, reverse!) <= 1e-4);
      }
    }
    cache.dispose();
  });

  test('bit by bit, whether spectra are given or made of the features in the run', async () => {
    const weights = new ModelWeights(folder, m2Bert.weightPrefixes);
    const options = { threads: 1, weightFolder: weights.folder };
    const { graph, tables } = m2Bert.buildGraph(readModelConfig(folder), weights, 'hidden_states');
    const session = await OnnxSession.create(graph, options);
    for (const length of [1, 2, 33, 256]) {
      const text = ids('in2.ids').slice(0, length);
      const states = await whole.hiddenStates(text);
      // Room for everything, for nothing, and for two of the four spectra.
      const parts = tables!.partsOf(length);
      const bytes = parts.reduce((sum, part) => sum + (part.instead ?? part).bytes, 0);
      const more = parts.at(-1)!.bytes - parts.at(-1)!.instead!.bytes;
      for (const [room, given] of [
        [1e9, 4],
        [0, 0],
        [bytes + 2.5 * more, 2],
      ] as const) {
        if (room > 0 && more < 0) continue; // so short a text has spectra smaller than its features
        const cache = new TableCache(tables!, options, room);
        const feeds = { ...(await cache.feeds(length)), ids: int64(text, [length]) };
        assert.equal([...cache.keys].filter((key) => key.startsWith('spectrum')).length, given);
        const { hidden_states: made } = await session.run(feeds, ['hidden_states']);
        assert.deepEqual(made!.data, states);
      }
    }
    await session.dispose();
  });

  test('to 1e-5 in any order, in any number at once, on one thread or two', async () => {
    const threaded = await SentenceEncoder.load({ folder, name: 'm2-bert', threads: 2 });
    const all = ids('in2.ids');
    const text = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 56 })).map(([from, n]) => all.slice(from, from + n));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 6 }), fc.nat(), async (texts, turn) => {
        const alone: Float32Array[] = [];
        for (const each of texts) alone.push((await encoder.encode({ ids: each })).values);
        const order = texts.map((_, i) => (i + turn) % texts.length);
        for (const form of [encoder, threaded]) {
          const together = await form.encodeAll(order.map((i) => ({ ids: texts[i]! })));
          together.forEach(({ values }, at) => assert.ok(largestDifference(values, alone[order[at]!]!) <= 1e-5));
        }
      }),
      { numRuns: 20 },
    );
    await threaded.dispose();
  });

  test('when loaded with more threads', async () => {
    const threaded = await SentenceEncoder.load({ folder, name: 'm2-bert', threads: 2 });
    assert.ok(largestDifference((await threaded.encode({ ids: ids('in2.ids') })).values, array('in2.cls')) <= 2e-3);
    await threaded.dispose();
    await threaded.dispose();
  });

  test('hidden states are refused where they are not computed', async () => {
    await assert.rejects(
      encoder.hiddenStates([1]),
      (error) => isA2sfError(error) && error.code === 'FAILED_PRECONDITION',
    );
  });
});

describe('checkpoints of the same model packed otherwise', () => {
  const root = mkdtempSync(join(tmpdir(), 'a2sf-m2-'));
  after(() => rmSync(root, { recursive: true }));
  const renamed = (prefix: string) => (tensors: Map<string, Tensor>) =>
    new Map([...tensors].map(([name, tensor]) => [name.replace(/^bert\./, prefix), tensor]));
  const without = (pattern: RegExp) => (tensors: Map<string, Tensor>) =>
    new Map([...tensors].filter(([name]) => !pattern.test(name)));

  for (const [title, change] of [
    ['saved by a trainer: model. and bert. in front', renamed('model.bert.')],
    ['saved from several GPUs: module. in front', renamed('module.')],
    ['saved without any prefix', renamed('')],
    ['without t, pooler and position ids', without(/pos_emb\.t$|pooler|position_ids/)],
    ['with the shared frequencies stored once', without(/(implicit_filter\.[35]|implicit_filter_rev\.[135])\.freq$/)],
  ] as const) {
    test(`${title}, give the same vector`, async () => {
      const encoder = await SentenceEncoder.load({ folder: variant(root, title, change), name: 'm2', threads: 1 });
      for (const input of inputs) {
        const { values } = await encoder.encode({ ids: ids(`${input}.ids`) });
        assert.ok(largestDifference(values, array(`${input}.cls`)) <= 2e-3);
      }
      await encoder.dispose();
    });
  }

  test('that lack a needed tensor are DATA_LOSS and name it', async () => {
    const damaged = variant(root, 'damaged', without(/layer\.1\.attention\.filter_fn2\.pos_emb\.z$/));
    await assert.rejects(
      SentenceEncoder.load({ folder: damaged, name: 'm2', threads: 1 }),
      (error) =>
        isA2sfError(error) && error.code === 'DATA_LOSS' && /filter_fn2\.pos_emb\.z is missing/.test(error.message),
    );
  });

  test('with NaN among the weights are DATA_LOSS at the first vector, never NaN', async () => {
    const poisoned = variant(root, 'poisoned', (tensors) => {
      const name = 'bert.encoder.layer.1.mlp.wo.bias';
      const data = new Uint8Array(new Float32Array(48).fill(NaN).buffer);
      return new Map(tensors).set(name, { ...tensors.get(name)!, data });
    });
    const encoder = await SentenceEncoder.load({ folder: poisoned, name: 'm2', threads: 1 });
    await assert.rejects(encoder.encode({ ids: [1, 2] }), (error) => isA2sfError(error) && error.code === 'DATA_LOSS');
    await encoder.dispose();
  });
});

describe('the embedded encoder', async () => {
  const { folder, name } = resolveModelFolder(undefined, 'encoder');
  const encoder = await SentenceEncoder.load({ folder, name, threads: 1 });
  after(() => encoder.dispose());
  const cosine = (x: Float32Array, y: Float32Array): number => {
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  };
  const encode = async (text: string): Promise<Float32Array> => (await encoder.encode({ text })).values;

  // The model card's table, rounded there to two digits; its texts begin with a blank.
  for (const [x, y, card] of [
    [' Mara Copper', ' Mara Copper', 1],
    [' Mara Copper', ' Mara Stone', 0.56],
    [' Mara Copper Tobin Lake Nora Field', ' Mara Copper Tobin Lake Nora Hill', 0.72],
    [' Mara Copper Tobin Lake Nora Field', ' Mara Copper Tobin Hill Elsa Frost', 0.36],
    [' Mara Copper Tobin Lake Nora Field', ' otter 12', 0.11],
    ['The president met the press on Monday.', 'The president met the press on Friday.', 0.82],
    ['The president met the press on Monday.', 'Officials said the storm left two people dead.', 0.13],
  ] as const) {
    test(`finds ${JSON.stringify(x)} and ${JSON.stringify(y)} ${card} alike, as its card says`, async () => {
      assert.ok(Math.abs(cosine(await encode(x), await encode(y)) - card) <= 0.006);
    });
  }

  test('finds a text and an input of [CLS] and [SEP] alone 0.24 alike, as its card says of the empty text', async () => {
    const { values } = await encoder.encode({ ids: [4, 5] });
    assert.ok(Math.abs(cosine(await encode(' one budget two harbor'), values) - 0.24) <= 0.006);
  });

  test('gives the same bytes for the same text', async () => {
    assert.deepEqual(await encode(' Mara Copper'), await encode(' Mara Copper'));
  });

  test('cuts a long text as Hugging Face does: 2048 tokens, [SEP] last', async () => {
    const text = ' Mara Copper'.repeat(2000);
    const cut = await encoder.encode({ text });
    assert.deepEqual([cut.tokens, cut.truncated, cut.empty], [2048, true, false]);
    const ids = (await import('./tokenizer.js')).Tokenizer.load(folder)!.encode(text);
    assert.ok(ids.length > 2048);
    const same = await encoder.encode({ ids: [...ids.slice(0, 2047), 5] });
    assert.deepEqual(same.values, cut.values);
    assert.equal(same.truncated, false);
  });

  test('cuts token ids to the first 2048, adding nothing', async () => {
    const ids = Array.from({ length: 2100 }, (_, i) => i % 2048);
    const cut = await encoder.encode({ ids });
    assert.deepEqual([cut.tokens, cut.truncated], [2048, true]);
    assert.deepEqual(cut.values, (await encoder.encode({ ids: ids.slice(0, 2048) })).values);
  });

  test('answers a blank text, or no ids, with zeros', async () => {
    for (const input of [{ text: '' }, { text: ' \n\t\u3000' }, { ids: [] }]) {
      assert.deepEqual(await encoder.encode(input), {
        values: new Float32Array(128),
        tokens: 0,
        truncated: false,
        empty: true,
      });
    }
  });

  test('reads special tokens in a text as such, surrogates and NULs as they come', async () => {
    for (const text of ['[SEP]', 'a\0b', '\ud800 lone', '😀'.repeat(50), '\ufffd']) {
      const { values, empty } = await encoder.encode({ text });
      assert.ok(!empty && values.every(Number.isFinite));
    }
  });

  test('names the id that is outside its vocabulary, before anything is computed', async () => {
    for (const bad of [2048, -1, 1.5, NaN]) {
      await assert.rejects(
        encoder.encodeAll([{ ids: [1] }, { ids: [1, 2, bad] }]),
        (error) =>
          isA2sfError(error) &&
          error.code === 'INVALID_ARGUMENT' &&
          error.field === 'inputs[1].token_ids.ids[2]' &&
          error.message.includes('2048'),
      );
    }
  });
});
