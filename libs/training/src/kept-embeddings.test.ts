import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CheckpointFolder } from '@a2sf/run-store';
import type { Embedding } from './peers.js';
import { TestPeers, testContext, testPolicy } from './peers.fixture.js';
import { claimFolder, RunFolder, type FolderUse } from './run-folder.js';
import { train, type TrainingStart } from './training.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-kept-'));
after(() => rmSync(root, { recursive: true, force: true }));
const never = new AbortController().signal;

/** An encoder whose every answer differs a little from the one before, as one that batches by load may. */
class WaveringPeers extends TestPeers {
  #calls: number;

  constructor(calls = 0) {
    super();
    this.#calls = calls;
  }

  override async encode(texts: readonly string[]): Promise<Embedding[]> {
    const embeddings = await super.encode(texts);
    const shift = 0.01 * this.#calls++;
    return embeddings.map((one) => ({ ...one, values: one.values.map((value) => Math.fround(value + shift)) }));
  }
}

async function runIn(folder: string, peers: TestPeers, start: TrainingStart, use: FolderUse): Promise<void> {
  const records = await RunFolder.open(await claimFolder(folder, use.kind !== 'new'), use);
  try {
    await train(testContext(peers, records, {}, records.embeddingsOf('encoder-1')), start, never);
  } finally {
    await records.close();
  }
}

test('a resumed run reads the embeddings of its folder and asks the encoder for no prompt again', async () => {
  const begin: TrainingStart = { iteration: 0, checkpoint: testPolicy(), write: true };
  const whole = join(root, 'whole');
  await runIn(whole, new WaveringPeers(), begin, { kind: 'new' });
  for (const [name, to] of [
    ['died', 'died'],
    ['moved', 'elsewhere'],
  ] as const) {
    const folder = join(root, name);
    const dying = new WaveringPeers();
    dying.beforeUpdate = (id) => {
      if (id === 'run/6') throw new Error('gone');
    };
    await assert.rejects(runIn(folder, dying, begin, { kind: 'new' }), /gone/);
    const iteration = (await (await CheckpointFolder.open(folder)).latest())!;
    const checkpoint = readFileSync(join(folder, `policy_${iteration}.safetensors`));
    const there = join(root, to);
    const resumed = new WaveringPeers(1000);
    const start = { iteration, checkpoint, write: there !== folder };
    await runIn(there, resumed, start, { kind: 'resume', iteration, from: folder });
    assert.equal(resumed.encoded, 0);
    for (const file of ['policy_8.safetensors', 'evaluation.jsonl', 'embeddings.bin'])
      assert.deepEqual(readFileSync(join(there, file)), readFileSync(join(whole, file)), file);
  }
});
