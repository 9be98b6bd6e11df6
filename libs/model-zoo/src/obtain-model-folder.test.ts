import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import type { DownloadProgress } from './hub-download.js';
import { commit, HubServer } from './hub-server.fixture.js';
import { obtainModelFolder, type ObtainOptions } from './obtain-model-folder.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-hub-'));
after(() => rmSync(root, { recursive: true }));

const weights = randomBytes(3_000_000);
const files = {
  'config.json': Buffer.from('{}'),
  'tokenizer.json': Buffer.from('{"a": 1}'),
  'chat_template.jinja': Buffer.from('{{ x }}'),
  'model.safetensors': weights,
  'pytorch_model.bin': Buffer.from('not wanted'),
  'modeling_x.py': Buffer.from('not wanted'),
  'setup.sh': Buffer.from('not wanted'),
};
const loaded = ['chat_template.jinja', 'config.json', 'model.safetensors', 'tokenizer.json'];

describe('a model of the hub', () => {
  let hub: HubServer;
  let env: NodeJS.ProcessEnv;
  let cases = 0;

  beforeEach(async () => {
    hub = new HubServer({ ...files });
    await hub.start();
    cases += 1;
    env = { HF_HOME: join(root, String(cases)), HF_ENDPOINT: hub.endpoint };
  });
  afterEach(() => hub.stop());

  const obtain = (options: ObtainOptions = {}) => obtainModelFolder('owner/model', 'llm', { env, ...options });
  const modelFolder = () => join(env['HF_HOME']!, 'hub', 'models--owner--model');
  const fails = (code: string, reason: string, pattern: RegExp, options: ObtainOptions = {}) =>
    assert.rejects(obtain(options), (error) => {
      assert.ok(isA2sfError(error), String(error));
      assert.deepEqual([error.code, error.reason], [code, reason], error.message);
      assert.match(error.message, pattern);
      return true;
    });

  test('that is not in the cache is loaded into it, and only the files that a model is read from', async () => {
    const { folder, name } = await obtain();
    assert.equal(name, 'owner/model');
    assert.equal(folder, join(modelFolder(), 'snapshots', commit));
    assert.deepEqual(readdirSync(folder).toSorted(), loaded);
    for (const file of loaded) assert.deepEqual(readFileSync(join(folder, file)), files[file as keyof typeof files]);
    assert.ok(lstatSync(join(folder, 'config.json')).isSymbolicLink());
    assert.match(readlinkSync(join(folder, 'model.safetensors')), /^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    assert.match(readlinkSync(join(folder, 'config.json')), /^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    assert.equal(readFileSync(join(modelFolder(), 'refs', 'main'), 'utf8'), commit);
    assert.equal(existsSync(join(modelFolder(), 'download.lock')), false);
  });

  test('is not asked for again when it is in the cache', async () => {
    const first = await obtain();
    hub.requests.length = 0;
    assert.deepEqual(await obtain(), first);
    assert.deepEqual(await obtain({ revision: commit, offline: true }), first);
    assert.deepEqual(hub.requests, []);
  });

  test('is loaded once by two that ask at the same time', async () => {
    const [a, b] = await Promise.all([obtain(), obtain()]);
    assert.deepEqual(a, b);
    assert.equal(hub.requests.filter((path) => path.endsWith('/model.safetensors')).length, 1);
    assert.equal(hub.requests.filter((path) => path.endsWith('/revision/main')).length, 1);
  });

  test('is loaded at the commit that is asked for, and main stays unknown', async () => {
    hub.files['config.json'] = Buffer.from('{"b": 2}');
    await fails('NOT_FOUND', 'model-not-found', /no revision "v2"/, { revision: 'v2' });
    await fails('NOT_FOUND', 'model-not-found', /no such model/, { revision: 'a'.repeat(40) });
    assert.equal(existsSync(join(modelFolder(), 'refs')), false);
  });

  test('goes on after a broken connection from where it stopped', async () => {
    hub.cutOff = 'model.safetensors';
    await fails('UNAVAILABLE', 'hub-unreachable', /ended model\.safetensors early; run again to go on/);
    const [partial] = readdirSync(join(modelFolder(), 'blobs')).filter((name) => name.endsWith('.incomplete'));
    const kept = lstatSync(join(modelFolder(), 'blobs', partial!)).size;
    assert.ok(kept > 0 && kept < weights.length);
    assert.equal(existsSync(join(modelFolder(), 'snapshots', commit, 'config.json')), false);
    hub.requests.length = 0;
    const { folder } = await obtain();
    assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
    const whole = `/owner/model/resolve/${commit}/model.safetensors`;
    assert.ok(hub.requests.includes(`${whole} bytes=${kept}-${weights.length - 1}`));
    assert.ok(!hub.requests.includes(whole));
  });

  for (const name of ['model.safetensors', 'tokenizer.json']) {
    test(`whose ${name} is not what the hub lists is DATA_LOSS, and the file is deleted`, async () => {
      hub.corrupt = name;
      await fails('DATA_LOSS', 'download-damaged', new RegExp(`${name} came damaged .*run again`));
      const sizes = readdirSync(join(modelFolder(), 'blobs')).map(
        (n) => lstatSync(join(modelFolder(), 'blobs', n)).size,
      );
      assert.ok(!sizes.includes(files[name as keyof typeof files].length));
      hub.corrupt = undefined;
      const { folder } = await obtain();
      assert.deepEqual(readFileSync(join(folder, name)), files[name as keyof typeof files]);
    });
  }

  test('tells its progress in bytes up to all of them', async () => {
    const told: DownloadProgress[] = [];
    await obtain({ onProgress: (progress) => told.push(progress) });
    const total = loaded.reduce((sum, name) => sum + files[name as keyof typeof files].length, 0);
    assert.deepEqual(told[0], { model: 'owner/model', file: 'chat_template.jinja', bytes: 0, totalBytes: total });
    assert.deepEqual(told.at(-1), { model: 'owner/model', file: 'config.json', bytes: total, totalBytes: total });
  });

  test('is loaded with the token of HF_TOKEN', async () => {
    env['HF_TOKEN'] = 'hf_secret\n';
    await obtain();
    assert.ok(hub.authorizations.every((value) => value === 'Bearer hf_secret'));
    env['HF_TOKEN'] = 'hf secret';
    rmSync(modelFolder(), { recursive: true });
    await fails('INVALID_ARGUMENT', 'bad-hub-token', /^HF_TOKEN: (?!.*secret)/);
  });

  test('does not carry the token to the storage that the hub redirects to', async () => {
    let seen: unknown = 'not asked';
    const storage = createServer((request, response) => {
      seen = request.headers.authorization;
      response.writeHead(403).end();
    });
    storage.listen(0, '127.0.0.1');
    await once(storage, 'listening');
    const target = `http://127.0.0.1:${(storage.address() as { port: number }).port}`;
    const front = createServer((_, response) => response.writeHead(302, { Location: target }).end());
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    env['HF_ENDPOINT'] = `http://127.0.0.1:${(front.address() as { port: number }).port}`;
    env['HF_TOKEN'] = 'hf_secret';
    await fails('PERMISSION_DENIED', 'hub-access-denied', /HF_TOKEN must be a token that may read it/);
    assert.equal(seen, undefined);
    for (const server of [storage, front]) {
      server.closeAllConnections();
      server.close();
    }
  });

  test('does not carry the token to an address elsewhere that the hub names', async () => {
    const elsewhere = new HubServer({});
    await elsewhere.start();
    hub.nextPage = `${elsewhere.endpoint}/api/models/owner/model/tree/${commit}`;
    env['HF_TOKEN'] = 'hf_secret';
    await obtain();
    assert.deepEqual(elsewhere.authorizations, [undefined]);
    await elsewhere.stop();
  });

  test('that the hub does not give is an error by its status', async () => {
    for (const status of [401, 403]) {
      hub.status = status;
      await fails('PERMISSION_DENIED', 'hub-access-denied', /set HF_TOKEN to a token that may read it/);
    }
    hub.status = 404;
    await fails('NOT_FOUND', 'model-not-found', /owner\/model: the hub has no such model/);
    hub.status = 503;
    await fails('UNAVAILABLE', 'hub-unreachable', /status 503; run again to go on, or give a folder/);
  });

  test('is UNAVAILABLE with the remedy when the hub cannot be reached', async () => {
    env['HF_ENDPOINT'] = 'http://127.0.0.1:1';
    await fails('UNAVAILABLE', 'hub-unreachable', /cannot be reached; run again to go on, or give a folder/);
    env['HF_ENDPOINT'] = 'file:///etc';
    await fails('INVALID_ARGUMENT', 'bad-hub-endpoint', /HF_ENDPOINT: must be an http or https address/);
  });

  test('is NOT_FOUND offline, and the hub is not asked', async () => {
    await fails('NOT_FOUND', 'model-not-downloaded', /load it with --offline and HF_HUB_OFFLINE unset/, {
      offline: true,
    });
    env['HF_HUB_OFFLINE'] = '1';
    await fails('NOT_FOUND', 'model-not-downloaded', /HF_HUB_OFFLINE/);
    assert.deepEqual(hub.requests, []);
  });

  test('without weights or config is NOT_FOUND', async () => {
    delete hub.files['config.json'];
    await fails('NOT_FOUND', 'model-not-found', /holds no config\.json, or no weights/);
  });

  test('takes no revision that can be none, nor one behind its name', async () => {
    for (const revision of ['', '../../x', 'a/../b', '/etc', 'a b', 'x'.repeat(201)]) {
      await fails('INVALID_ARGUMENT', 'bad-revision', /^--revision: must be a branch, tag or commit/, { revision });
    }
    await assert.rejects(obtainModelFolder('owner/model@v2', 'llm', { env }), /give the revision by --revision/);
    await assert.rejects(obtainModelFolder(undefined, 'llm', { env, revision: 'v2' }), /--revision: only a model/);
    assert.deepEqual(hub.requests, []);
  });
});
