import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CheckpointFolder, EmbeddingFile, JsonlLog } from '@a2sf/run-store';
import { TestPeers, testContext, testPolicy, testSettings } from './peers.fixture.js';
import { claimFolder, RunFolder } from './run-folder.js';
import { train, type TrainingStart } from './training.js';
import { waitForRoom } from './wait-for-room.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-full-disk-'));
const disk = join(root, 'disk');
mkdirSync(disk);
/** A real filesystem of one mebibyte; only some may mount one. */
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0;
after(() => {
  if (mounted) spawnSync('umount', ['-l', disk]);
  rmSync(root, { recursive: true, force: true });
});

const begin: TrainingStart = { iteration: 0, checkpoint: testPolicy(), write: true };

/** Leaves no more than some bytes of the disk free. */
function fill(name: string, leave: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, name), Buffer.alloc(Math.max(0, bavail * bsize - leave)));
}

/** Every file of a run as it stands, the seconds apart. */
function leftIn(folder: string) {
  const names = readdirSync(folder).filter((name) => name !== 'run.lock');
  return names.sort().map((name) => {
    const bytes = readFileSync(join(folder, name));
    return [name, name === 'progress.jsonl' ? bytes.toString().replaceAll(/"seconds":\{.*?\}/g, '') : bytes] as const;
  });
}

test(
  'a run whose disk is full pauses, reads nothing half-written, and goes on when there is room, to the same bytes',
  { skip: mounted ? false : 'no filesystem can be mounted here' },
  async () => {
    const never = new AbortController().signal;
    const inside = join(disk, 'run');
    const outside = join(root, 'run');
    const waits: string[] = [];
    let wentOn = 0;
    for (const folder of [outside, inside]) {
      let ballast = '';
      const write = waitForRoom({
        signal: never,
        everyMs: 1,
        onWait: ({ field }) => {
          waits.push(field ?? '');
          // While it waits, what another process reads of the folder is whole.
          for (const line of readFileSync(join(folder, 'progress.jsonl'), 'utf8').split('\n').slice(0, -1))
            JSON.parse(line);
          setTimeout(() => rmSync(join(disk, ballast)), 20);
        },
        onGoOn: () => wentOn++,
      });
      const records = await RunFolder.open(await claimFolder(folder, false), { kind: 'new' }, write);
      const peers = new TestPeers();
      // The disk is full from some moment of an iteration on: at different places of it, by how little is left.
      peers.beforeUpdate = (id) => {
        const iteration = Number(id.split('/')[1]);
        if (folder !== inside || ![2, 4, 5, 7].includes(iteration)) return;
        ballast = `ballast-${iteration}`;
        fill(ballast, iteration === 4 ? 4096 : 0);
      };
      const context = testContext(peers, records, testSettings, records.embeddingsOf('encoder-1'));
      await records.writeConfig({ options: {} });
      const outcome = await train(context, begin, never);
      await records.close();
      assert.equal(outcome.iteration, 8);
    }
    assert.ok(waits.length >= 2, waits.join());
    assert.equal(wentOn, waits.length);
    assert.deepEqual(leftIn(inside), leftIn(outside));
  },
);

test(
  'a run that is stopped while it waits leaves its last good checkpoint, and resumes',
  { skip: mounted ? false : 'no filesystem can be mounted here' },
  async () => {
    const folder = join(disk, 'stopped');
    const controller = new AbortController();
    let givenUp = 0;
    const write = waitForRoom({
      signal: controller.signal,
      everyMs: 3_600_000,
      onWait: () => controller.abort(new Error('stop')),
      onGiveUp: () => givenUp++,
    });
    const records = await RunFolder.open(await claimFolder(folder, false), { kind: 'new' }, write);
    const peers = new TestPeers();
    peers.beforeUpdate = (id) => {
      if (id === 'run/5') fill('ballast', 0);
    };
    await assert.rejects(train(testContext(peers, records), begin, controller.signal), { reason: 'disk-full' });
    await records.close();
    assert.ok(givenUp > 0);
    rmSync(join(disk, 'ballast'));
    const checkpoints = await CheckpointFolder.open(folder);
    const last = (await checkpoints.latest())!;
    assert.equal((await checkpoints.read(last)).checkpoint.iteration, last);
    const use = { kind: 'resume', iteration: last, from: folder } as const;
    const again = await RunFolder.open(await claimFolder(folder, true), use);
    const checkpoint = readFileSync(join(folder, `policy_${last}.safetensors`));
    const start = { iteration: last, checkpoint, write: false };
    const outcome = await train(testContext(new TestPeers(), again), start, new AbortController().signal);
    await again.close();
    assert.equal(outcome.iteration, 8);
    assert.deepEqual(
      readFileSync(join(folder, 'policy_8.safetensors')),
      readFileSync(join(root, 'run', 'policy_8.safetensors')),
    );
  },
);

test(
  'a write that the disk takes half of leaves the file as it was, and succeeds when there is room',
  { skip: mounted ? false : 'no filesystem can be mounted here' },
  async () => {
    const values = Array.from({ length: 20_000 }, (_, i) => i);
    const embedding = { values, tokens: 1, truncated: false, empty: false, encoderId: 'e' };
    const path = join(disk, 'embeddings.bin');
    const file = await EmbeddingFile.open(path);
    const log = await JsonlLog.open(join(disk, 'log.jsonl'));
    fill('ballast', 8192);
    await assert.rejects(file.add([{ hash: 'a', embedding }]), { reason: 'disk-full' });
    await assert.rejects(log.append({ values }), { reason: 'disk-full' });
    rmSync(join(disk, 'ballast'));
    await file.add([{ hash: 'b', embedding }]);
    await log.append({ x: 1 });
    await Promise.all([file.close(), log.close()]);
    const again = await EmbeddingFile.open(path);
    assert.deepEqual([again.size, await again.get('e', 'b')], [1, embedding]);
    await again.close();
    assert.equal(readFileSync(join(disk, 'log.jsonl'), 'utf8'), '{"x":1}\n');
  },
);
