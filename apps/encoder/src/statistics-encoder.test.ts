import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeEncoder, textsOf } from './fake-encoder.fixture.js';
import { promptStatistics } from './prompt-statistics.js';
import { StatisticsEncoder } from './statistics-encoder.js';

const model = new FakeEncoder();
const encoder = new StatisticsEncoder(model);

test('the statistics follow the embedding, which has another identity and dimension', async () => {
  const [encoded] = await encoder.encode(textsOf('Why?'));
  assert.deepEqual([...encoded!.values], [...model.vector('Why?').values, ...promptStatistics('Why?')]);
  assert.deepEqual([encoder.info.encoderId, encoder.info.dimension], ['fake@0+statistics-1', 10]);
});

test('what is empty stays the zero vector', async () => {
  for (const { values } of await encoder.encode([{ text: ' \n' }, { ids: [] }])) {
    assert.deepEqual(values, new Float32Array(10));
  }
});

test('token ids are refused: they have no text', async () => {
  await assert.rejects(encoder.encode([{ text: 'a' }, { ids: [1] }]), {
    code: 'FAILED_PRECONDITION',
    reason: 'needs-text',
    field: 'inputs[1].token_ids',
  });
});
