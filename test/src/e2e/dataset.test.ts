import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../conformance/workspace.js';
import { a2sf, runA2sf, startService, type RunningService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-dataset-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const embedded = join(root, 'models/tiny-a2sf/data/eval.jsonl');
const embeddedRows = readFileSync(embedded, 'utf8').split('\n').slice(0, -1);
const rowsIn = (folder: string): number =>
  existsSync(join(folder, 'rows.jsonl')) ? readFileSync(join(folder, 'rows.jsonl'), 'utf8').split('\n').length - 1 : 0;
const bytesOf = (folder: string, name: string): Buffer => readFileSync(join(folder, name));

async function succeeds(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runA2sf(['dataset', ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function fails(...args: string[]): Promise<string> {
  const { code, stderr } = await runA2sf(['dataset', ...args]);
  assert.notEqual(code, 0);
  return stderr;
}

describe('a2sf dataset: prompts', () => {
  test('a needle set is the same bytes again, and no file is replaced unasked', async () => {
    const file = join(scratch, 'needle.jsonl');
    const grid = ['--lengths', '1024,2048', '--depths', '0,0.5,1', '--per_cell', '2', '--seed', '1'];
    assert.match(await succeeds('needle', ...grid, '--output', file), /12 prompts of 2 lengths x 3 depths/);
    const first = readFileSync(file);
    assert.match(await fails('needle', ...grid, '--output', file), /output: .* --overwrite/);
    await succeeds('needle', ...grid, '--output', file, '--overwrite');
    assert.ok(readFileSync(file).equals(first));
    for (const line of first.toString().split('\n').slice(0, -1)) {
      const { prompt, answers, length } = JSON.parse(line) as { prompt: string; answers: string[]; length: number };
      assert.ok(prompt.length <= length && prompt.includes(`is: ${answers[0]!}.`));
    }
    const book = join(scratch, 'book.txt');
    writeFileSync(book, 'Call me a book. It has two sentences.');
    const own = join(scratch, 'own.jsonl');
    await succeeds('needle', '--haystack', book, '--lengths', '1024', '--output', own);
    assert.match(readFileSync(own, 'utf8'), /Call me a book\. It has two sentences\. Call me/);
  });

  test('a split has the files of the trainer, whatever the order of the rows', async () => {
    const [one, two] = [join(scratch, 'split-one'), join(scratch, 'split-two')];
    const shuffled = join(scratch, 'eval.jsonl');
    writeFileSync(shuffled, `${embeddedRows.toReversed().join('\n')}\n`);
    const shares = ['--train', '0.7', '--validation', '0.1'];
    const table = await succeeds('split', embedded, ...shares, '--output', one);
    assert.match(table, /^all +147 +21 +42$/m);
    await succeeds('split', shuffled, ...shares, '--output', two);
    for (const name of ['train.jsonl', 'validation.jsonl', 'eval.jsonl'])
      assert.ok(bytesOf(one, name).equals(bytesOf(two, name)), name);
    const { sides } = JSON.parse(bytesOf(one, 'manifest.json').toString()) as {
      sides: Record<string, { rows: number; prompts: number; datasets: Record<string, number> }>;
    };
    assert.deepEqual(
      Object.values(sides).map(({ rows }) => rows),
      [147, 21, 42],
    );
    assert.match(await fails('split', embedded, '--output', one), /output: .* holds train\.jsonl already/);
    assert.match(await fails('split', embedded, '--train', '0.9', '--validation', '0.2', '--output', two), /over 1/);
  });

  test('all that is wrong with the data is told with file and line, and nothing is started', async () => {
    const bad = join(scratch, 'bad.jsonl');
    const good = embeddedRows[0]!;
    writeFileSync(bad, [good, '{', '{"id": 1, "dataset": "d"}', '{"prompt": 5, "dataset": "d"}', good].join('\n'));
    const output = join(scratch, 'never');
    for (const command of ['build', 'split']) {
      const stderr = await fails(command, bad, '--output', output);
      for (const problem of [
        /bad\.jsonl:2: is not JSON/,
        /bad\.jsonl:3: prompt: is missing/,
        /bad\.jsonl:4: prompt: must be a string/,
        /bad\.jsonl:5: id: ".*" was used on line 1/,
      ])
        assert.match(stderr, problem);
    }
    assert.equal(existsSync(output), false);
    assert.match(await fails('bulid'), /did you mean build/);
    assert.match(await fails('build', embedded), /--output: name the folder/);
  });
});

describe('a2sf dataset: stores of the embedded models', () => {
  const data = join(scratch, 'prompts.jsonl');
  const whole = join(scratch, 'whole');
  const rewards = ['rouge_l', 'cosine', 'log_prob'];
  let services: RunningService[] = [];
  let addresses: string[] = [];
  const flags = (folder: string, names: readonly string[], generators = 2): string[] => {
    const [first, second] = addresses.slice(2) as [string, string];
    const used = generators === 1 ? [first] : [first, second];
    const where = ['--encoder', addresses[0]!, '--reward_service', addresses[1]!, '--generators', ...used];
    return [data, '--budget', '64', '--output', folder, '--rewards', names.join(','), ...where];
  };

  /** Asserts that a store is the one of `whole`. */
  const assertSameStore = (folder: string): void => {
    assert.ok(bytesOf(folder, 'manifest.json').equals(bytesOf(whole, 'manifest.json')));
    const [rows, wanted] = [folder, whole].map((each) => bytesOf(each, 'rows.jsonl').toString());
    // The last bits of float32 probabilities are the generator's: here they count as equal to five digits.
    const rounded = (text: string) =>
      text.replace(/"log_prob":(\[[^\]]*\]|[\d.e-]+)/g, (part) =>
        part.replace(/[\d.]+(?:e-?\d+)?/g, (number) => Number(number).toFixed(4)),
      );
    assert.equal(rounded(rows!), rounded(wanted!));
  };

  before(async () => {
    const short = { id: 'short', dataset: 'tiny_qa_single', prompt: 'Who has the key?', answers: ['Ann'] };
    const rows = [...embeddedRows.slice(0, 5), JSON.stringify(short), embeddedRows[5]!];
    writeFileSync(data, rows.join('\n'));
    const names = ['encoder', 'reward', 'generator', 'generator'];
    services = await Promise.all(names.map((name) => startService(name, '--threads', '1')));
    addresses = services.map(({ address }) => address);
  });
  after(() => Promise.all(services.map((service) => service.stop())));

  test('a store has every reward of every action, prompts that fit the budget are counted and left out', async () => {
    const stdout = await succeeds('build', ...flags(whole, rewards));
    assert.match(stdout, /6 prompts with rouge_l, cosine, log_prob; 1 fit the budget and were left out/);
    assert.match(stdout, /^time: encode \d+\.\d s, generate \d+\.\d s, score \d+\.\d s$/m);
    const manifest = JSON.parse(bytesOf(whole, 'manifest.json').toString()) as {
      provenance: Record<string, unknown>;
      counts: object;
    };
    assert.deepEqual(manifest.counts, { rows: 6, kept_all: 1 });
    assert.match(String(manifest.provenance['model_id']), /^tiny-a2sf-llm@/);
    assert.match(String(manifest.provenance['encoder_id']), /^tiny-a2sf-encoder@/);
    const lines = bytesOf(whole, 'rows.jsonl').toString().split('\n').slice(0, -1);
    assert.equal(lines.length, 7);
    for (const line of lines) {
      const row = JSON.parse(line) as { id: string; kept_all: boolean; rewards: Record<string, number[]> };
      assert.equal(row.kept_all, row.id === 'short');
      if (row.kept_all) continue;
      for (const name of rewards) assert.equal(row.rewards[name]?.length, 60);
    }
  });

  test('killed after any row and begun again, with one generator or two, it ends as the same bytes', async () => {
    const killed = join(scratch, 'killed');
    for (let kills = 0; ; kills++) {
      const generators = 1 + (kills % 2);
      const child = spawn(process.execPath, [a2sf, 'dataset', 'build', ...flags(killed, rewards, generators)], {
        stdio: 'ignore',
      });
      const exit = once(child, 'exit');
      const had = rowsIn(killed);
      while (rowsIn(killed) <= had && child.exitCode === null) await sleep(2);
      child.kill('SIGKILL');
      const [code] = (await exit) as [number | null];
      if (code !== null) {
        assert.equal(code, 0);
        assert.ok(kills >= 2, `it was killed ${kills} times`);
        break;
      }
    }
    assertSameStore(killed);
  });

  test('a generator that is killed and started again is waited for, and the store ends as the same bytes', async () => {
    const folder = join(scratch, 'waited');
    const child = spawn(process.execPath, [a2sf, 'dataset', 'build', ...flags(folder, rewards, 1)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exit = once(child, 'exit');
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds() && child.exitCode === null) await sleep(2);
    };
    await until(() => rowsIn(folder) > 0);
    const generator = services[2]!;
    generator.process.kill('SIGKILL');
    await until(() => stderr.includes('a service is away and is waited for, up to 300 s'));
    const port = generator.address.split(':')[1]!;
    services[2] = await startService('generator', '--threads', '1', '--port', port);
    const [code] = (await exit) as [number | null];
    assert.equal(code, 0, stderr);
    assert.match(stderr, /is waited for/);
    assertSameStore(folder);
  });

  test('rewards that are scored later are those that are scored at once', async () => {
    const [once, later] = [join(scratch, 'once'), join(scratch, 'later')];
    const more = ['qa_f1', 'cosine'];
    await succeeds('build', ...flags(once, ['rouge_l', ...more]));
    await succeeds('build', ...flags(later, ['rouge_l']));
    await succeeds('score', later, '--rewards', ...more, '--reward_service', addresses[1]!);
    for (const name of ['rows.jsonl', 'manifest.json'])
      assert.ok(bytesOf(later, name).equals(bytesOf(once, name)), name);
    assert.match(await fails('score', later, '--rewards', 'qa_f1', '--reward_service', addresses[1]!), /holds qa_f1/);
    assert.match(
      await fails('score', later, '--rewards', 'log_prob', '--reward_service', addresses[1]!),
      /log_prob looks at probabilities/,
    );
  });

  test('a store is not gone on with under other settings, and what differs is told', async () => {
    const stderr = await fails('build', ...flags(whole, rewards), '--max_new_tokens', '8');
    assert.match(stderr, /output: the store was built from other things: max_new_tokens: 16, now 8/);
    assert.equal(stderr.trim().split('\n').at(-1)!.includes('max_new_tokens'), true);
    assert.match(await fails('build', data, '--output', whole, '--encoder', addresses[0]!), /--generators, --reward_s/);
  });

  test('without addresses it starts the services itself', async () => {
    const folder = join(scratch, 'local');
    const few = join(scratch, 'few.jsonl');
    writeFileSync(few, embeddedRows.slice(0, 1).join('\n'));
    await succeeds('build', few, '--budget', '64', '--threads', '1', '--output', folder);
    const store = ['--store', folder, '--rewards', 'exact_prefix', 'dataset'];
    assert.match(await succeeds('score', ...store), /rouge_l, exact_prefix, dataset/);
    assert.equal(rowsIn(folder), 1);
  });
});
