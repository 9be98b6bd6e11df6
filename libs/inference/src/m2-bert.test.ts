import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Random } from '@a2sf/random';
import { M2BertTwin } from './m2-bert-twin.fixture.js';
import { SentenceEncoder } from './text-encoder.js';

function largestDifference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  assert.equal(actual.length, wanted.length);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - wanted[i]!));
  return worst;
}

describe('m2-bert equals its naive twin', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'a2sf-m2-twin-'));
  after(() => rmSync(folder, { recursive: true }));
  const random = new Random(7);
  const twin = new M2BertTwin(2304, () => random.uniform());
  twin.write(folder);
  const load = (options: { tableBytes?: number; output?: 'hidden_states' }) =>
    SentenceEncoder.load({ folder, name: 'twin', threads: 2, ...options });
  const forms = [await load({}), await load({ tableBytes: 0 })];
  const whole = await load({ output: 'hidden_states' });
  const wholeWithout = await load({ output: 'hidden_states', tableBytes: 0 });
  after(() => Promise.all([...forms, whole, wholeWithout].map((each) => each.dispose())));

  // Around one block of rows, two that are one row longer than the text, five, and the longest text with its three stages.
  for (const length of [3, 512, 513, 700, 2099, 2304]) {
    test(`in every row of ${length} tokens, and in its first alone`, async () => {
      const ids = twin.ids(length);
      const states = twin.hiddenStates(ids);
      const made = await whole.hiddenStates(ids);
      assert.ok(largestDifference(made, states) <= 2e-4);
      assert.deepEqual(await wholeWithout.hiddenStates(ids), made);
      for (const form of forms) {
        const { values } = await form.encode({ ids });
        assert.ok(largestDifference(values, states.slice(0, values.length)) <= 2e-4);
      }
    });
  }
});
