import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodePolicyCheckpoint, type HyperParameters, type PolicyCheckpoint } from '@a2sf/run-store';
import { DurableLearner } from './durable-learner.js';
import { Learner } from './learner.js';
import { testBytes, testContext, testEncoderId } from './policy.fixture.js';
import type { UpdateInput } from './update-ledger.js';

// Files as the program wrote them once: test/fixtures/formats, a folder for each set of format versions. Whoever counts one
// up adds a folder, written by running this file with A2SF_WRITE_FORMATS=<name>.
const kept = fileURLToPath(new URL('../../../test/fixtures/formats', import.meta.url));
const all: Readonly<Record<string, Partial<HyperParameters>>> = {
  'checkpoint-1-record-2': {},
  'checkpoint-3-record-3': { stepsPerUpdate: 3 },
};
const scratch = mkdtempSync(join(tmpdir(), 'a2sf-formats-'));
after(() => rmSync(scratch, { recursive: true }));

function updateOf(n: number): UpdateInput {
  const experience = { encoderId: testEncoderId, actionIndex: n % 4, reward: (n % 10) / 10 };
  const experiences = [0, 1].map((k) => ({
    ...experience,
    field: `experiences[${k}]`,
    id: `e${2 * n + k}`,
    context: testContext(2 * n + k),
    ...(n === 3 ? { key: 'qa', rewards: Float32Array.of(0.5, 0, 1, 0.25) } : {}),
  }));
  return { updateId: `u${n}`, experiences };
}

async function open(folder: string, learner: Learner): Promise<DurableLearner> {
  const options = { folder, snapshotUpdates: 4, snapshotLogBytes: 1 << 30 };
  return (await DurableLearner.open(learner, options, () => undefined)).durable;
}

const wanted = process.env['A2SF_WRITE_FORMATS'];
if (wanted !== undefined) {
  const folder = join(kept, wanted);
  mkdirSync(join(folder, 'state'), { recursive: true });
  const durable = await open(join(folder, 'state'), new Learner(all[wanted] ?? {}));
  await durable.importCheckpoint(testBytes(), 'x');
  for (let n = 1; n <= 6; n++) await durable.update(updateOf(n));
  await durable.close();
  writeFileSync(join(folder, 'policy_6.safetensors'), durable.exportCheckpoint());
}

/** Largest distance between the numbers of two checkpoints, 1 at least where one is another in kind. */
function distance(one: PolicyCheckpoint, other: PolicyCheckpoint): number {
  assert.deepEqual([...one.state.tensors.keys()], [...other.state.tensors.keys()]);
  return Math.max(
    ...[...one.state.tensors].flatMap(([name, { shape, data }]) => {
      const same = other.state.tensors.get(name)!;
      assert.deepEqual(shape, same.shape, name);
      return [...data].map((value, i) => Math.abs(Number(value) - Number(same.data[i])));
    }),
  );
}

for (const [formats, given] of Object.entries(all)) {
  test(`files of ${formats} are read: a checkpoint, and a state folder of snapshot and log`, async () => {
    const file = join(kept, formats, 'policy_6.safetensors');
    const { checkpoint, warnings } = decodePolicyCheckpoint(readFileSync(file));
    assert.deepEqual(warnings, []);
    const { policyVersion, encoderId, hyperParameters } = checkpoint;
    assert.deepEqual([policyVersion, encoderId, hyperParameters.ucbBeta], [7, testEncoderId, 0.5]);
    assert.equal(hyperParameters.stepsPerUpdate, given.stepsPerUpdate);
    // Opening cuts and adds files: the kept ones stay as they are.
    const state = join(scratch, formats);
    cpSync(join(kept, formats, 'state'), state, { recursive: true });
    const learner = new Learner({});
    const durable = await open(state, learner);
    const recovered = decodePolicyCheckpoint(durable.exportCheckpoint()).checkpoint;
    assert.equal(recovered.policyVersion, policyVersion);
    // The replay computes; another machine may round otherwise.
    assert.ok(distance(checkpoint, recovered) < 1e-5);
    assert.equal((await durable.update(updateOf(6))).replayed, true, 'its ledger knows the last update');
    await durable.close();
  });
}
