import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitionHash, requireSameIdentities, runIdOf, type RunDefinition } from './run-definition.js';

const definition: RunDefinition = {
  seed: 42,
  agent: 'neural-ucb',
  hyperParameters: { lr: 3e-4, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 },
  episodesPerUpdate: 16,
  reward: 'rouge_l',
  generation: { budget: 64, recent: 0, maxNewTokens: 16, maxPromptTokens: 0 },
  aValues: [0, 10],
  bValues: [1, 16],
  identities: { modelId: 'm', encoderId: 'e', trainHash: 't', evaluationHash: 'v' },
};

test('a run is named by its definition: the same again, another for another', () => {
  const reordered = Object.fromEntries(Object.entries(definition).reverse()) as unknown as RunDefinition;
  assert.equal(runIdOf(reordered), runIdOf(definition));
  assert.match(runIdOf(definition), /^[0-9a-f]{16}-42$/);
  const hyperParameters = { ...definition.hyperParameters, lr: 1e-3 };
  for (const change of [{ seed: 43 }, { hyperParameters }, { bValues: [1, 17] }]) {
    assert.notEqual(definitionHash({ ...definition, ...change }), definitionHash(definition));
  }
});

test('a resumed run that meets another model, encoder or data is refused, and both are named', () => {
  requireSameIdentities(definition.identities, { ...definition.identities });
  for (const [key, field] of Object.entries({
    modelId: 'model_id',
    encoderId: 'encoder_id',
    trainHash: 'train_hash',
    evaluationHash: 'evaluation_hash',
  })) {
    assert.throws(() => requireSameIdentities(definition.identities, { ...definition.identities, [key]: 'another' }), {
      code: 'FAILED_PRECONDITION',
      field,
      message: /began with [metv], now it is another/,
    });
  }
});
