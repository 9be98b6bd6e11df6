import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { runA2sf } from '../processes.js';
import { chromium, Tab } from './chromium.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-report-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const run = join(scratch, 'run');
const page = join(run, 'report.html');
const charts = ['learning-curve', 'regret', 'action-map', 'reward-distribution', 'calibration', 'stage-times'] as const;

before(async () => {
  const flags =
    '--budget 64 --reward rouge_l --iterations 4 --episodes_per_update 4 --log_frequency 1 --eval_samples 16 --eval_frequency 2 --http_port 0';
  const { code, stderr } = await runA2sf(['train', '--save_dir', run, ...flags.split(' ')]);
  assert.equal(code, 0, stderr);
});

describe('the report of a run', () => {
  test('is left in the run’s folder with the event file and the texts of the worst prompts', () => {
    assert.deepEqual(
      ['report.html', 'evaluation_texts.jsonl'].filter((name) => !existsSync(join(run, name))),
      [],
    );
    assert.match(readdirSync(join(run, 'tensorboard')).join(), /tfevents/);
    const text = readFileSync(page, 'utf8');
    assert.ok(text.length < 3_000_000);
    for (const id of charts) assert.match(text, new RegExp(`data-chart="${id}"`));
    assert.match(text, /<h4>Compressed cache<\/h4>/);
  });

  test('is made again by a2sf report, the same, wherever it is asked for', async () => {
    const [output, tensorboard] = [join(scratch, 'again.html'), join(scratch, 'events')];
    const { code, stdout, stderr } = await runA2sf(['report', run, '--output', output, '--tensorboard', tensorboard]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim().split('\n').length, 2);
    assert.ok(readFileSync(output).equals(readFileSync(page)));
    const [events] = readdirSync(tensorboard);
    const first = readdirSync(join(run, 'tensorboard'))[0]!;
    assert.ok(readFileSync(join(tensorboard, events!)).equals(readFileSync(join(run, 'tensorboard', first))));
  });

  test('of no folder, of one without a run and of a damaged run is one line that names what is wrong', async () => {
    const damaged = mkdtempSync(join(scratch, 'damaged-'));
    const cases: readonly (readonly [string[], RegExp, number])[] = [
      [[], /--run: name the run folder/, 2],
      [[join(scratch, 'nowhere')], /nowhere: there is no such folder/, 1],
      [[damaged], /holds no run: its config\.json cannot be read/, 1],
    ];
    for (const [argv, message, exitCode] of cases) {
      const { code, stderr } = await runA2sf(['report', ...argv]);
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length, 1);
    }
    writeFileSync(join(damaged, 'config.json'), '{}');
    writeFileSync(join(damaged, 'progress.jsonl'), '{"iteration":1,"avg_reward":"high"}\n');
    const { code, stderr } = await runA2sf(['report', damaged]);
    assert.equal(code, 1);
    assert.match(stderr, /progress\.jsonl: line 1: avg_reward: must be a finite number/);
    assert.equal(existsSync(join(damaged, 'report.html')), false);
  });
});

const without = chromium === undefined ? 'no chromium on this machine' : false;

describe('the report in Chromium', { skip: without }, () => {
  let tab: Tab;
  before(async () => void (tab = await Tab.open(chromium!)));
  after(() => tab.close());

  const looks = [
    { name: 'desktop', width: 1280, height: 900, scheme: 'light' },
    { name: 'phone', width: 390, height: 844, scheme: 'light' },
    { name: 'phone-dark', width: 390, height: 844, scheme: 'dark' },
  ] as const;

  for (const { name, width, height, scheme } of looks) {
    test(`${name}: every chart is drawn, nothing is fetched, logged or wider than the screen`, async () => {
      await tab.send('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: width < 500,
      });
      await tab.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      const url = pathToFileURL(page).href;
      await tab.load(url);
      const drawn = (await tab.evaluate(
        `Object.fromEntries([...document.querySelectorAll('[data-chart]')].map((chart) =>
          [chart.id, [...chart.querySelectorAll('svg path')].filter((path) => path.getBBox().width + path.getBBox().height > 0).length]))`,
      )) as Record<string, number>;
      assert.deepEqual(Object.keys(drawn).sort(), [...charts].sort());
      for (const [id, paths] of Object.entries(drawn)) assert.ok(paths >= 8, `${id}: ${paths} shapes`);
      assert.deepEqual(tab.events('Runtime.exceptionThrown'), []);
      assert.deepEqual(tab.events('Runtime.consoleAPICalled'), []);
      assert.deepEqual(tab.events('Log.entryAdded'), []);
      const requests = tab
        .events('Network.requestWillBeSent')
        .map((event) => (event['request'] as { url: string }).url);
      assert.deepEqual(requests, [url]);
      assert.ok(((await tab.evaluate('document.documentElement.scrollWidth')) as number) <= width);
      const background = await tab.evaluate('getComputedStyle(document.body).backgroundColor');
      assert.equal(background === 'rgb(255, 255, 255)', scheme === 'light');
      const image = await tab.screenshot();
      assert.ok(image.byteLength > 20_000);
      const folder = process.env['A2SF_SCREENSHOTS'];
      if (folder !== undefined) writeFileSync(join(folder, `report-${name}.png`), image);
    });
  }

  test('the action map shows the part and the measure that are chosen', async () => {
    await tab.load(pathToFileURL(page).href);
    const cells = () => tab.evaluate(`document.querySelector('#action-map svg').innerHTML`);
    const choose = (id: string, value: string) =>
      tab.evaluate(`{ const select = document.getElementById('action-map-${id}'); select.value = '${value}';
        select.dispatchEvent(new Event('change', { bubbles: true })); }`);
    const all = await cells();
    await choose('measure', 'chosen');
    const chosen = await cells();
    assert.ok(chosen !== all);
    const labels = (await tab.evaluate(
      `[...document.querySelectorAll('#action-map-slice option')].map((option) => option.textContent)`,
    )) as string[];
    assert.ok(labels.some((label) => label.startsWith('dataset ')) && labels.some((label) => label.includes('tokens')));
    await choose('slice', String(labels.length - 1));
    assert.ok((await cells()) !== chosen);
    await choose('measure', 'reward');
    assert.match((await tab.evaluate(`document.getElementById('action-map-empty').textContent`)) as string, /not hold/);
  });

  test('changing to dark while it is open draws the charts anew', async () => {
    const scheme = (value: string) =>
      tab.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
    await scheme('light');
    await tab.load(pathToFileURL(page).href);
    const inks = () => tab.evaluate(`document.querySelector('#regret svg text').getAttribute('fill')`);
    const light = await inks();
    await scheme('dark');
    // The page hears of it with its next frame.
    for (let tries = 0; tries < 100 && (await inks()) === light; tries++) await sleep(20);
    assert.notEqual(await inks(), light);
  });

  test('texts that would be markup are text, also in tooltips', async () => {
    const hostile = join(scratch, 'hostile');
    cpSync(run, hostile, { recursive: true, filter: (path) => !path.endsWith('.safetensors') });
    const markup = `</script><img src="x" onerror="console.log('run')"><b class="evil">`;
    const quoted = JSON.stringify(markup).slice(1, -1);
    const change = (name: string, from: RegExp, to: string) => {
      const path = join(hostile, name);
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replaceAll(from, () => to),
      );
    };
    change('evaluation_rewards.jsonl', /"(id|dataset)":"[^"]*/g, `"dataset":"${quoted}","id":"${quoted}`);
    change('evaluation.jsonl', /"random":/g, `"${quoted}":`);
    change('progress.jsonl', /"encode":/g, `"${quoted}":`);
    change('evaluation_texts.jsonl', /"prompt":"/g, `"prompt":"${quoted}`);
    const { code, stderr } = await runA2sf(['report', hostile]);
    assert.equal(code, 0, stderr);
    await tab.send('Emulation.setDeviceMetricsOverride', {
      width: 1280,
      height: 900,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await tab.load(pathToFileURL(join(hostile, 'report.html')).href);
    for (const id of ['learning-curve', 'action-map', 'stage-times']) {
      const [x, y] = (await tab.evaluate(`(() => {
        const chart = document.getElementById('${id}');
        chart.scrollIntoView({ block: 'center' });
        const { left, top, width, height } = chart.getBoundingClientRect();
        return [left + width / 2, top + height / 2];
      })()`)) as [number, number];
      for (const step of [0, 5]) await tab.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: x + step, y });
      const tooltip = `[...document.getElementById('${id}').children].at(-1).textContent`;
      for (let tries = 0; tries < 100 && !/\d/.test(String(await tab.evaluate(tooltip))); tries++) await sleep(20);
      assert.match(String(await tab.evaluate(tooltip)), id === 'action-map' ? /a = .*b = / : /<img src="x"/);
    }
    assert.equal(await tab.evaluate(`document.querySelectorAll('img, .evil').length`), 0);
    for (const kind of ['Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Log.entryAdded']) {
      assert.deepEqual(tab.events(kind), []);
    }
    assert.equal(tab.events('Network.requestWillBeSent').length, 1);
  });
});
