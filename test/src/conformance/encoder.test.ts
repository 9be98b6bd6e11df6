import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { EncoderServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { fixtures, startService } from '../processes.js';
import { fixtureArrays, largestDifference } from './arrays.js';

test('the encoder through gRPC gives the CLS of the published m2-bert code', async () => {
  const arrays = fixtureArrays('m2-bert', 'expected.safetensors');
  const service = await startService('encoder', '--model_name', join(fixtures, 'm2-bert'), '--threads', '1');
  const client = connect(EncoderServiceClient, service.address);
  try {
    const inputs = [0, 1, 2].map((i) => ({ tokenIds: { ids: [...arrays.int32(`in${i}.ids`)] } }));
    const { embeddings } = await callUnary(client, 'encode', { inputs: [...inputs, { text: ' \n' }] });
    [0, 1, 2].forEach((i) => assert.ok(largestDifference(embeddings[i]!.values, arrays.float32(`in${i}.cls`)) <= 2e-3));
    assert.deepEqual(
      embeddings.map((embedding) => embedding.tokens),
      [1, 17, 256, 0],
    );
    assert.equal(embeddings[3]!.empty, true);
    assert.ok(embeddings[3]!.values.every((value) => value === 0));
    const info = await callUnary(client, 'getInfo', {});
    assert.deepEqual([info.dimension, info.maxTokens, info.pooling], [48, 256, 'cls']);
    assert.equal(embeddings[0]!.encoderId, info.encoderId);
  } finally {
    client.close();
    await service.stop();
  }
});
