import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PolicyServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { parseSafetensors, toFloat32 } from '@a2sf/tensor-files';
import { fixtures, startService, type RunningService } from '../processes.js';
import { fixtureArrays, largestDifference } from './arrays.js';

const dimension = 16;
const rows = (flat: Float32Array): Float32Array[] =>
  Array.from({ length: flat.length / dimension }, (_, i) => flat.subarray(i * dimension, (i + 1) * dimension));

describe('the policy through gRPC equals torch', () => {
  const folder = 'neural-ucb';
  const expected = JSON.parse(readFileSync(join(fixtures, folder, 'expected.json'), 'utf8')) as {
    act: Record<string, { argmax: number[] }>;
    updates: { chosen: { loss32: number; grad_norm32: number }[] };
  };
  const inputs = fixtureArrays(folder, 'inputs.safetensors');
  const float32 = fixtureArrays(folder, 'expected_f32.safetensors');
  let service: RunningService;
  let client: InstanceType<typeof PolicyServiceClient>;
  before(async () => {
    service = await startService('policy', '--checkpoint', join(fixtures, folder, 'init.safetensors'));
    client = connect(PolicyServiceClient, service.address);
  });
  after(async () => {
    client.close();
    await service.stop();
  });

  test('SelectActions chooses the same actions at every beta', async () => {
    const states = rows(inputs.float32('query.states'));
    for (const [beta, { argmax }] of Object.entries(expected.act)) {
      const requests = states.map((state) => ({
        embedding: { values: [...state] },
        explore: true,
        beta: Number(beta),
      }));
      const { responses } = await callUnary(client, 'selectActions', { requests });
      assert.deepEqual(
        responses.map((response) => response.actionIndex),
        argmax,
        `beta ${beta}`,
      );
    }
  });

  test('SelectAction without exploration is the batch at beta 0', async () => {
    const [state] = rows(inputs.float32('query.states'));
    const choice = await callUnary(client, 'selectAction', { embedding: { values: [...state!] } });
    assert.equal(choice.actionIndex, expected.act['0.0']!.argmax[0]);
    assert.ok(Math.abs(choice.predictedReward - float32.float32('pred')[choice.actionIndex]!) <= 1e-6);
    assert.equal(choice.ucb, choice.predictedReward);
  });

  test('five updates have the same losses and end in the same policy', async () => {
    for (let batch = 0; batch < 5; batch++) {
      const actions = inputs.int64(`batch${batch}.actions`);
      const rewards = inputs.float32(`batch${batch}.rewards`);
      const experiences = rows(inputs.float32(`batch${batch}.states`)).map((state, i) => ({
        id: `${batch}/${i}`,
        embedding: { values: [...state] },
        actionIndex: actions[i]!,
        reward: rewards[i]!,
      }));
      const request = { updateId: `batch-${batch}`, experiences };
      const answer = await callUnary(client, 'update', request);
      assert.ok(Math.abs(answer.predictionLoss - expected.updates.chosen[batch]!.loss32) <= 1e-6);
      assert.deepEqual(
        await callUnary(client, 'update', request),
        answer,
        'the same update again is answered the same',
      );
    }
    const chunks: Buffer[] = [];
    for await (const { data } of callServerStream(client, 'exportCheckpoint', {})) chunks.push(data);
    const { tensors } = parseSafetensors(Buffer.concat(chunks));
    const exported = (name: string): Float32Array => toFloat32(tensors.get(name)!.data, 'F32');
    for (const name of [
      'backbone.0.weight',
      'backbone.0.bias',
      'backbone.2.weight',
      'backbone.2.bias',
      'reward_head.weight',
    ]) {
      assert.ok(largestDifference(exported(name), float32.float32(`chosen.after5.${name}`)) <= 1e-6, name);
    }
    assert.ok(largestDifference(exported('inverse_lambdas'), float32.float32('chosen.after5.inverse_lambdas')) <= 1e-4);
  });
});
