import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LanguageModel } from './language-model.js';
import { testedDevices } from './tested-devices.fixture.js';

const folder = fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url));

for (const { device, skip, skipLong } of testedDevices) {
  // A chunk is 256 queries: these prompts end in a chunk of one, of two, and in a whole one.
  describe(`prompts cut into chunks, on ${device}`, { skip }, () => {
    let model: LanguageModel;
    before(async () => {
      model = await LanguageModel.load({ folder, name: 'tiny', threads: 1, device });
    });
    after(() => model.dispose());
    const prompt = (n: number): number[] => Array.from({ length: n }, (_, i) => 5 + ((i * 37) % 90));

    for (const n of [1, 2, 256, 257, 258, 513]) {
      const long = n > 2 && skipLong;
      test(`${n} tokens: every query gives the keys it sees a weight of 1 in all`, { skip: long }, async () => {
        const { layers, kvHeads } = model.info;
        // The first window is all ones: sum over keys = queries * query heads of the KV head.
        const scores = await model.scores(prompt(n), [
          { a: 0, b: 1 },
          { a: 10, b: 1 },
        ]);
        const totals = scores.flatMap((layer) =>
          Array.from({ length: kvHeads }, (_, head) => {
            const from = head * 2 * n;
            return layer.subarray(from, from + n).reduce((sum, score) => sum + score, 0);
          }),
        );
        assert.equal(totals.length, layers * kvHeads);
        const heads = Math.round(totals[0]! / n); // query heads of a KV head
        assert.ok(heads >= 1);
        for (const total of totals) assert.ok(Math.abs(total / n - heads) < 1e-3, `${total / n} is not ${heads}`);
      });

      test(`${n} tokens: what follows does not change the logits of the last`, { skip: long }, async () => {
        const [short] = await model.logits(prompt(n), [n - 1]);
        const [long] = await model.logits(prompt(n + 3), [n - 1]);
        const worst = short!.reduce((most, logit, i) => Math.max(most, Math.abs(logit - long![i]!)), 0);
        assert.ok(worst < 1e-4, `${worst}`);
      });
    }
  });
}
