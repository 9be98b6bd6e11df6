import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { serviceRuntime } from '@a2sf/cli';
import { root } from '../conformance/workspace.js';
import { lacks } from './manifests.js';

/**
 * Another user without any rights, no network but loopback, and nothing of the tree writable: what a container gives.
 * Needs root for the user and for the network of its own.
 */
const confined = ['unshare', '--net', 'setpriv', '--reuid=65532', '--regid=65532', '--clear-groups', '--no-new-privs'];
const cannotConfine = process.getuid?.() === 0 ? lacks(confined[0]!, ...confined.slice(1), 'true') : 'not root';

const apps = ['encoder', 'generator', 'reward', 'policy', 'trainer'];

for (const app of apps) {
  describe(`the files of the image of ${app}`, () => {
    const parent = mkdtempSync(join(tmpdir(), 'a2sf-image-'));
    chmodSync(parent, 0o755);
    after(() => {
      spawnSync('chmod', ['-R', 'u+w', parent]);
      rmSync(parent, { recursive: true });
    });
    const folder = join(parent, 'app');
    const make = () =>
      spawnSync(process.execPath, [join(root, 'tools/image-files.mjs'), app, folder], { encoding: 'utf8' });

    test('hold its packages, no tests, no other platform, and a bill of materials that names each package', () => {
      const made = make();
      assert.equal(made.status, 0, made.stderr);
      const files = readdirSync(folder, { recursive: true }).map(String);
      assert.deepEqual(
        files.filter((name) => /\.test\.js$|\.fixture\.js$|\.d\.ts$|\.map$/.test(name)),
        [],
      );
      assert.deepEqual(
        files.filter((name) => /node_modules\/(typescript|nx|oxlint|prettier|@bufbuild|fast-check)\b/.test(name)),
        [],
      );
      const natives = files.filter((name) => /onnxruntime.*\.(node|so\S*|dylib|dll)$/.test(name));
      for (const name of natives) assert.ok(name.includes(`/${process.platform}/${process.arch}/`), name);
      const bill = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as {
        bomFormat: string;
        components: { 'bom-ref': string; version: string }[];
      };
      assert.equal(bill.bomFormat, 'CycloneDX');
      const named = new Set(bill.components.map((component) => component['bom-ref']));
      const manifests = files.filter((name) => /(^|\/)node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(name));
      for (const name of manifests.filter((path) => !path.startsWith('node_modules/@a2sf/'))) {
        assert.ok(named.has(name.replace('/package.json', '')), name);
      }
    });

    test('are enough to run it: another user, a read-only tree, no network', { skip: cannotConfine }, async () => {
      if (!existsSync(folder)) assert.equal(make().status, 0);
      spawnSync('chmod', ['-R', 'a-w,a+rX', folder]);
      const main = app === 'trainer' ? ['--help'] : ['--port', '0', '--http_port', '0'];
      const [command, ...args] = [...confined, process.execPath, `apps/${app}/dist/main.js`, ...main];
      // A network namespace has its loopback down: listening on every address needs none.
      const env = {
        PATH: process.env['PATH'] ?? '',
        HOME: '/nonexistent',
        NODE_ENV: 'production',
        A2SF_HOST: '0.0.0.0',
        A2SF_INSECURE: 'true',
      };
      const child = spawn(command!, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
      const exit = once(child, 'exit');
      const first = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exit]);
      if (app === 'trainer') {
        assert.match(String(first[0]), /a2sf-trainer/, errors);
      } else {
        assert.match(String(first[0]), new RegExp(`^\\{"service":"${app}"`), errors);
        child.kill('SIGTERM');
      }
      assert.deepEqual(await exit, [0, null], errors);
    });
  });
}

test('hadolint has nothing to say of the Dockerfile', { skip: lacks('hadolint', '--version') }, () => {
  const run = spawnSync('hadolint', [join(root, 'Dockerfile')], { encoding: 'utf8' });
  assert.equal(run.stdout + run.stderr, '');
  assert.equal(run.status, 0);
});

test('every base image of the Dockerfile is pinned by digest', () => {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const bases = [...text.matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map((match) => match[1]!);
  assert.equal(bases.length, 3);
  for (const base of bases) assert.match(base, /:[\w.-]+@sha256:[0-9a-f]{64}$/);
  const stages = new Set([...text.matchAll(/ AS ([\w-]+)$/gm)].map((match) => match[1]!));
  for (const [, from] of text.matchAll(/^FROM (\S+)/gm)) {
    assert.ok(from!.startsWith('${') || stages.has(from!), from);
  }
  for (const target of [...apps, 'generator-cuda']) assert.ok(stages.has(target), target);
});

test('an image starts its service as `a2sf` starts it as a child', () => {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const stages = text.split(/^FROM /m).map((stage) => {
    const name = / AS ([\w-]+)$/m.exec(stage)?.[1] ?? '';
    const command = /^CMD (.*)$/m.exec(stage)?.[1] ?? '[]';
    const variables = /^ENV (MALLOC_.*)$/m.exec(stage)?.[1] ?? '';
    return { name, flags: (JSON.parse(command) as string[]).slice(0, -1), variables };
  });
  for (const [service, { nodeFlags, environment }] of Object.entries(serviceRuntime)) {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const own = stages.filter(({ name }) => name === service || name === `${service}-cuda`);
    assert.equal(own.length, service === 'generator' ? 2 : 1);
    for (const stage of own) {
      assert.deepEqual(stage.flags, nodeFlags, stage.name);
      assert.equal(stage.variables, variables.join(' '), stage.name);
    }
  }
});
