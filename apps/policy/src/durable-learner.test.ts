import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { HyperParameters } from '@a2sf/run-store';
import { DurableLearner, type DurableEvent, type Recovery } from './durable-learner.js';
import { Learner } from './learner.js';
import { testBytes, testContext, testEncoderId } from './policy.fixture.js';
import type { UpdateInput } from './update-ledger.js';
import { decodeUpdate, encodeUpdate } from './update-record.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-durable-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const folderOf = (): string => mkdtempSync(join(root, `${folders++}-`));

/** Update n; every third repeats an experience of the one before. */
function updateOf(n: number): UpdateInput {
  const ids = n % 3 === 0 ? [`e${n - 1}`, `e${n}`] : [`e${n}`];
  const experiences = ids.map((id, i) => ({
    field: `experiences[${i}]`,
    id,
    context: testContext(Number(id.slice(1))),
    encoderId: testEncoderId,
    actionIndex: n % 4,
    reward: (n % 10) / 10,
    ...(n % 4 === 1 ? { key: `group ${n}` } : {}),
    ...(n % 5 === 4 ? { rewards: Float32Array.of(0.5, (n % 7) / 7, 0, 1) } : {}),
  }));
  return { updateId: `u${n}`, experiences };
}

interface Opened {
  readonly durable: DurableLearner;
  readonly recovery: Recovery;
  readonly events: DurableEvent[];
}

async function open(folder: string, snapshotUpdates = 4, given: Partial<HyperParameters> = {}): Promise<Opened> {
  const events: DurableEvent[] = [];
  const options = { folder, snapshotUpdates, snapshotLogBytes: 1 << 30 };
  const opened = await DurableLearner.open(new Learner(given), options, (event) => void events.push(event));
  return { ...opened, events };
}

/** The bytes that a learner comes to which was never stopped. */
function undisturbed(count: number): Buffer {
  const learner = new Learner({});
  learner.importCheckpoint(testBytes(), 'x');
  for (let n = 1; n <= count; n++) learner.update(updateOf(n));
  return Buffer.from(learner.exportCheckpoint());
}

async function filled(count: number, snapshotUpdates = 4): Promise<string> {
  const folder = folderOf();
  const { durable } = await open(folder, snapshotUpdates);
  await durable.importCheckpoint(testBytes(), 'x');
  for (let n = 1; n <= count; n++) await durable.update(updateOf(n));
  await durable.close();
  return folder;
}

const snapshotsOf = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('snapshot-'));
const logsOf = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('log-'));

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}

test('a record of the log holds an update exactly', () => {
  const hyperParameters = { lr: 0.1 + 0.2, ucbBeta: 1e-300, uncertaintyCoef: 0.1, maxGradNorm: 5 };
  const update = { ...updateOf(3), updateId: 'ü\u{1f600}\n' };
  const bytes = encodeUpdate({ update, hyperParameters });
  assert.deepEqual(decodeUpdate(bytes), { update, hyperParameters });
  const [first] = update.experiences;
  const rewards = Float32Array.of(0, 0.25, 1, 0.5);
  const full = {
    ...update,
    experiences: [
      { ...first!, key: 'qa', rewards },
      { ...first!, field: 'experiences[1]', id: 'y', rewards },
    ],
  };
  assert.deepEqual(decodeUpdate(encodeUpdate({ update: full, hyperParameters })), { update: full, hyperParameters });
  const stepped = { ...hyperParameters, stepsPerUpdate: 3 };
  assert.deepEqual(decodeUpdate(encodeUpdate({ update, hyperParameters: stepped })), {
    update,
    hyperParameters: stepped,
  });
  assert.throws(() => decodeUpdate(bytes.subarray(0, -1)));
  assert.throws(() => decodeUpdate(Buffer.concat([bytes, Buffer.alloc(4)])));
});

test('a record of version 1 is read, one of a newer version refused', () => {
  const hyperParameters = { lr: 0.1, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 5 };
  const update = updateOf(3);
  const experiences = update.experiences.map((e) => [e.id, e.encoderId, e.actionIndex, e.reward, e.context.length]);
  const recordOf = (head: object): Buffer => {
    const json = Buffer.from(JSON.stringify(head));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    return Buffer.concat([length, json, ...update.experiences.map(({ context }) => Buffer.from(context.buffer))]);
  };
  const first = recordOf({ updateId: update.updateId, hyperParameters, experiences });
  assert.deepEqual(decodeUpdate(first), { update, hyperParameters });
  const newer = recordOf({ version: 4, updateId: update.updateId, hyperParameters, observations: [] });
  assert.throws(() => decodeUpdate(newer), { code: 'FAILED_PRECONDITION', reason: 'newer-format' });
});

test('a restarted learner is the one that was stopped, byte for byte, and answers a repeated update as before', async () => {
  for (const count of [0, 1, 4, 5, 9, 23]) {
    const folder = await filled(count);
    const { durable, recovery } = await open(folder);
    // A snapshot is due every four updates; it is written beside them, so that some more may come before it is there.
    assert.ok(recovery.replayed <= count && (count < 23 || recovery.replayed < count), String(recovery.replayed));
    assert.ok(undisturbed(count).equals(durable.exportCheckpoint()), `${count} updates`);
    if (count > 0) {
      const { replayed, answer } = await durable.update(updateOf(count));
      assert.equal(replayed, true);
      assert.equal(answer.policyVersion, 1 + count);
      await assert.rejects(durable.update({ ...updateOf(count + 1), updateId: `u${count}` }), {
        reason: 'update-id-reused',
      });
    }
    await durable.update(updateOf(count + 1));
    assert.ok(undisturbed(count + 1).equals(durable.exportCheckpoint()));
    await durable.close();
  }
});

test('two snapshots and the log behind the older one are all that is kept', async () => {
  const folder = await filled(40);
  assert.equal(snapshotsOf(folder).length, 2);
  assert.equal(logsOf(folder).length, 2);
  assert.equal(readdirSync(folder).length, 4);
});

test('a damaged snapshot is passed over with a warning, and the longer log leads to the same bytes', async () => {
  const folder = await filled(22);
  const newest = snapshotsOf(folder).at(-1)!;
  flipBit(join(folder, newest), 5000);
  const { durable, recovery, events } = await open(folder);
  assert.match(recovery.warnings.join(), new RegExp(`^${newest}: does not match its SHA-256`));
  assert.ok(undisturbed(22).equals(durable.exportCheckpoint()));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['snapshot'],
  );
  assert.equal(snapshotsOf(folder).length, 2);
  assert.ok(!snapshotsOf(folder).includes(newest));
  await durable.close();
});

test('without a whole snapshot the start is refused', async () => {
  const folder = await filled(22);
  for (const name of snapshotsOf(folder)) flipBit(join(folder, name), 5000);
  await assert.rejects(open(folder), { code: 'DATA_LOSS', reason: 'damaged-snapshot' });
});

test('an import counts as history: it is a snapshot before it is answered, and no older one is replayed across it', async () => {
  const folder = await filled(2);
  const { durable } = await open(folder);
  const other = testBytes({ iteration: 70, policyVersion: 50 });
  await durable.importCheckpoint(other, 'x');
  const imported = Buffer.from(durable.exportCheckpoint());
  await durable.close();
  const again = await open(folder);
  assert.equal(again.recovery.replayed, 0);
  assert.ok(imported.equals(again.durable.exportCheckpoint()));
  assert.equal((await again.durable.update(updateOf(1))).replayed, false); // the ledger was forgotten with the policy
  await again.durable.close();
  flipBit(join(folder, snapshotsOf(folder).at(-1)!), 5000);
  await assert.rejects(open(folder), { code: 'DATA_LOSS', message: /the records from \d+ to \d+ are missing/ });
});

test('an update that was made with other numbers is replayed with those, and numbers given later are in force at once', async () => {
  const folder = await filled(2, 100);
  const faster = await open(folder, 100, { lr: 0.01 });
  await faster.durable.update(updateOf(3));
  const expected = Buffer.from(faster.durable.exportCheckpoint());
  await faster.durable.close();
  const again = await open(folder, 100);
  assert.ok(expected.equals(again.durable.exportCheckpoint()));
  assert.equal(again.durable.describe()!.hyperParameters.lr, 0.01);
  await again.durable.close();
  flipBit(join(folder, snapshotsOf(folder).at(-1)!), 5000); // made when the number changed; the log knows it too
  const older = await open(folder, 100);
  assert.equal(older.recovery.replayed, 3);
  assert.ok(expected.equals(older.durable.exportCheckpoint()));
  await older.durable.close();
});

test('a refused update leaves no record', async () => {
  const folder = await filled(2);
  const before = readFileSync(join(folder, logsOf(folder).at(-1)!));
  const { durable } = await open(folder);
  const bad = updateOf(3);
  const short = { ...bad, experiences: [{ ...bad.experiences[0]!, context: new Float32Array(2) }] };
  await assert.rejects(durable.update(short), { reason: 'wrong-dimension' });
  await assert.rejects(durable.importCheckpoint(testBytes().subarray(0, 4096), 'x'), { code: 'DATA_LOSS' });
  await durable.close();
  assert.ok(before.equals(readFileSync(join(folder, logsOf(folder).at(-1)!))));
});

test('an update whose application fails is taken back from the log, and the next one is applied', async () => {
  const folder = await filled(1);
  const { durable } = await open(folder);
  const bad = updateOf(2);
  const outside = { ...bad, experiences: [{ ...bad.experiences[0]!, reward: 7 }] }; // refused by the agent alone
  await assert.rejects(durable.update(outside), { code: 'INVALID_ARGUMENT' });
  await durable.update(bad);
  await durable.close();
  const again = await open(folder);
  assert.ok(undisturbed(2).equals(again.durable.exportCheckpoint()));
  await again.durable.close();
});

test('updates that are sent at once are applied in order, and actions are chosen meanwhile', async () => {
  const folder = folderOf();
  const { durable } = await open(folder, 3);
  await durable.importCheckpoint(testBytes(), 'x');
  const answers = Array.from({ length: 20 }, (_, i) => durable.update(updateOf(i + 1)));
  const order = { field: 'x', context: testContext(1), encoderId: '', empty: false, explore: false, beta: undefined };
  assert.equal(durable.select([order])[0]!.policyVersion, 1);
  assert.deepEqual(
    (await Promise.all(answers)).map(({ answer }) => answer.policyVersion),
    Array.from({ length: 20 }, (_, i) => i + 2),
  );
  assert.ok(undisturbed(20).equals(durable.exportCheckpoint()));
  await durable.close();
});
