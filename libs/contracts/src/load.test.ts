import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  EncoderServiceClient,
  GeneratorServiceClient,
  PolicyServiceClient,
  RewardServiceClient,
  descriptorFile,
} from './load.js';

test('every rpc of the contract is loaded under its name', () => {
  assert.deepEqual(Object.keys(EncoderServiceClient.service), ['Encode', 'GetInfo']);
  assert.deepEqual(Object.keys(GeneratorServiceClient.service), [
    'Generate',
    'Sweep',
    'Inspect',
    'ScoreContinuation',
    'GetInfo',
  ]);
  assert.deepEqual(Object.keys(RewardServiceClient.service), ['Score', 'ListMetrics']);
  assert.deepEqual(Object.keys(PolicyServiceClient.service), [
    'SelectAction',
    'SelectActions',
    'Update',
    'ExportCheckpoint',
    'ImportCheckpoint',
    'PromoteChallenger',
    'WatchPolicy',
    'GetInfo',
  ]);
});

test('64-bit integers beyond 2^53 survive the wire exactly', () => {
  const { responseSerialize, responseDeserialize } = PolicyServiceClient.service.GetInfo;
  const bytes = responseSerialize({ policyVersion: '9007199254740993' });
  assert.equal(responseDeserialize(bytes).policyVersion, '9007199254740993');
});

test('a oneof tells which member was sent, an absent optional field is absent', () => {
  const { requestSerialize, requestDeserialize } = PolicyServiceClient.service.SelectAction;
  const request = requestDeserialize(requestSerialize({ text: 'x', explore: true }));
  assert.equal(request.context, 'text');
  assert.equal(request.beta, undefined);
});

test('the descriptors name all four services', () => {
  const bytes = readFileSync(descriptorFile).toString('latin1');
  for (const name of ['EncoderService', 'GeneratorService', 'RewardService', 'PolicyService'])
    assert.ok(bytes.includes(name));
});
