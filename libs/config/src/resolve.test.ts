import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { A2sfError } from '@a2sf/errors';
import * as fc from 'fast-check';
import { resolutionLines } from './describe.js';
import { option } from './option.js';
import { resolveOptions } from './resolve.js';
import { boolean, integer, listOf, number, oneOf, port, text } from './schemas.js';

const options = {
  port: option({ schema: port, description: 'port', default: 50_051 }),
  modelName: option({ schema: text(), description: 'model' }),
  lr: option({ schema: number({ min: 0, max: 1 }), description: 'learning rate', default: 3e-4 }),
  gpus: option({ schema: listOf(integer({ min: 0 })), description: 'devices', list: true, default: [] }),
  reflection: option({ schema: boolean, description: 'reflection', default: true }),
  role: option({ schema: oneOf(['learner', 'replica']), description: 'role', default: 'learner' }),
} as const;

const command = { name: 'demo', description: 'A demo.' };
const folder = mkdtempSync(join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));

function file(content: string, extension = 'json'): string {
  const path = join(folder, `${Math.random()}.${extension}`);
  writeFileSync(path, content);
  return path;
}

function resolve(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return resolveOptions(command, options, argv, env);
}

function problems(argv: readonly string[], env: NodeJS.ProcessEnv = {}): string[] {
  try {
    resolve(argv, env);
  } catch (error) {
    assert.ok(error instanceof A2sfError);
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.equal(error.reason, 'usage');
    return error.message.split('\n');
  }
  return [];
}

describe('resolveOptions', () => {
  test('a flag wins over the environment, the environment over the file, the file over the default', () => {
    const config = file('{"port": 1, "role": "replica", "lr": 0.5}');
    const env = { A2SF_PORT: '2', A2SF_LR: '0.25', A2SF_CONFIG: config };
    const { values, sources } = resolve(['--port', '3'], env);
    assert.equal(values.port, 3);
    assert.equal(values.lr, 0.25);
    assert.equal(values.role, 'replica');
    assert.equal(values.reflection, true);
    assert.deepEqual(
      { ...sources },
      { port: 'flag', modelName: 'default', lr: 'environment', gpus: 'default', reflection: 'default', role: 'file' },
    );
  });

  test('an optional value that nobody gives is undefined, and so is an empty environment variable', () => {
    const { values } = resolve([], { A2SF_MODEL_NAME: '' });
    const model: string | undefined = values.modelName;
    const port: number = values.port;
    assert.equal(model, undefined);
    assert.equal(port, 50_051);
  });

  test('kebab-case, snake_case and = are the same flag', () => {
    for (const argv of [['--model_name', 'x'], ['--model-name', 'x'], ['--model_name=x'], ['--model-name=x']]) {
      assert.equal(resolve(argv).values.modelName, 'x');
    }
  });

  test('a boolean is set by --x, --no-x, --x=false, --x false, the environment and the file', () => {
    assert.equal(resolve(['--reflection']).values.reflection, true);
    for (const argv of [['--no-reflection'], ['--no_reflection'], ['--reflection=false'], ['--reflection', 'false']]) {
      assert.equal(resolve(argv).values.reflection, false, argv.join(' '));
    }
    assert.equal(resolve([], { A2SF_REFLECTION: '0' }).values.reflection, false);
    assert.equal(resolve(['--config', file('{"reflection": false}')]).values.reflection, false);
    assert.deepEqual(problems(['--reflection=maybe']), ['--reflection: must be true or false, not "maybe"']);
  });

  test('a list takes several values, from a flag, the environment and the file', () => {
    assert.deepEqual(resolve(['--gpus', '0', '1', '2', '--port', '5']).values.gpus, [0, 1, 2]);
    assert.deepEqual(resolve(['--gpus', '0', '--gpus', '3']).values.gpus, [0, 3]);
    assert.deepEqual(resolve(['--gpus=0']).values.gpus, [0]);
    for (const value of ['0,1', '0 1', '[0, 1]'])
      assert.deepEqual(resolve([], { A2SF_GPUS: value }).values.gpus, [0, 1]);
    assert.deepEqual(resolve(['--config', file('{"gpus": [0, 1]}')]).values.gpus, [0, 1]);
    assert.deepEqual(problems(['--gpus', '0', 'x']), ['--gpus[1]: must be a whole number of at least 0, not "x"']);
  });

  test('a value may begin with a minus', () => {
    assert.deepEqual(problems(['--lr', '-1']), ['--lr: must be a number from 0 to 1, not "-1"']);
    assert.deepEqual(problems(['--lr=-1']), ['--lr: must be a number from 0 to 1, not "-1"']);
  });

  test('all violations are told at once, each with the flag, variable or key that carries it', () => {
    const config = file('{"role": "boss", "roles": 1}');
    const found = problems(['--port', '70000', '--modle_name', 'x', 'stray', '--lr', '--config', config], {
      A2SF_GPUS: 'a',
    });
    assert.deepEqual(found, [
      '--modle_name: unknown flag, did you mean --model_name?',
      '--lr: a value is missing',
      `--config ${config}: unknown key roles, did you mean role?`,
      '--port: must be a whole number from 0 to 65535, not "70000"',
      'A2SF_GPUS[0]: must be a whole number of at least 0, not "a"',
      `${config}: role: must be one of learner, replica, not "boss"`,
    ]);
  });

  test('a stray argument is refused', () => {
    assert.deepEqual(problems(['train']), ['"train": not expected here, every option is given as --name value']);
    assert.equal(problems(['--port', '1', 'x', '-q']).length, 2);
  });

  test('an unknown flag far from every known one is refused without advice', () => {
    assert.deepEqual(problems(['--zzzzzzzzzz=1']), ['--zzzzzzzzzz: unknown flag']);
  });

  test('a file that cannot be read, is no JSON or no object is refused with its name', () => {
    for (const [path, problem] of [
      [join(folder, 'absent.json'), /cannot be read as JSON/],
      [folder, /not a regular file/],
      [file('{'), /cannot be read as JSON/],
      [file('[1]'), /must hold one JSON object/],
      [file(`{"model_name": "${'x'.repeat(1 << 20)}"}`), /the limit is 1048576/],
      [file('{"__proto__": {"port": 1}}'), /unknown key __proto__/],
    ] as const) {
      const [line, ...more] = problems(['--config', path]);
      assert.deepEqual(more, []);
      assert.ok(line !== undefined && line.startsWith(`--config ${path}: `));
      assert.match(line, problem);
    }
  });

  test('a file that is named .yaml or .yml is read as YAML, with the same keys, limits and errors', () => {
    for (const extension of ['yaml', 'yml', 'YAML']) {
      const { values, sources } = resolve(['--config', file('port: 7 # mine\ngpus: [0, 1]\nlr: 1e-3\n', extension)]);
      assert.deepEqual([values.port, values.gpus, values.lr, sources.gpus], [7, [0, 1], 1e-3, 'file']);
    }
    for (const [content, problem] of [
      ['port: 1\nprot: 2', /unknown key prot, did you mean port\?$/],
      ['- 1', /must hold one YAML object$/],
      ['port: 1\nport: 2', /cannot be read as YAML: line 2, column 1: Map keys must be unique$/],
      ['port: *x', /cannot be read as YAML: line 1, column 7: aliases are not allowed$/],
      ['__proto__: {port: 1}', /unknown key __proto__/],
      ['<<: {port: 1}', /unknown key <</],
      ['', /must hold one YAML object$/],
    ] as const) {
      const path = file(content, 'yaml');
      const [line, ...more] = problems(['--config', path]);
      assert.deepEqual(more, []);
      assert.match(line!, problem);
    }
    const path = file('port: many\ngpus: {a: 1}', 'yaml');
    assert.deepEqual(problems(['--config', path]).length, 2);
  });

  test('a number is read as written or refused', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (lr) => {
        assert.equal(resolve(['--lr', String(lr)]).values.lr, lr);
      }),
    );
    for (const wrong of ['', ' ', 'NaN', 'Infinity', '0x1', '1e999', '1_0', '0.1s', 'null']) {
      assert.equal(problems([`--lr=${wrong}`]).length, 1, wrong);
    }
  });

  test('any command line is resolved or refused as usage, never otherwise', () => {
    const token = fc.oneof(
      fc.constantFrom('--port', '--gpus', '--no-reflection', '--lr=1', '--', '-', '1', '--=', '--toString', '-x'),
      fc.string(),
    );
    const clean = fc.array(token.filter((word) => !/^(-h|--help|--config.*)$/.test(word)));
    fc.assert(
      fc.property(clean, (argv) => {
        problems(argv);
      }),
    );
  });

  test('the resolved values are told as lines of name, value and source with its variable or file', () => {
    const config = file('{"role": "replica"}');
    const resolution = resolve(['--port', '1'], { A2SF_LR: '1', A2SF_CONFIG: config });
    assert.deepEqual(resolutionLines(options, resolution), [
      'port        1          flag',
      'model_name  -          default',
      'lr          1          environment A2SF_LR',
      'gpus        []         default',
      'reflection  true       default',
      `role        "replica"  file ${config}`,
    ]);
  });

  test('a dry run is left to the command that asks for it, and takes one of two forms', () => {
    const own = { ...command, ownDryRun: true };
    const dryRun = (argv: readonly string[]) => resolveOptions(own, options, argv, {}).dryRun;
    assert.equal(dryRun([]), undefined);
    assert.equal(dryRun(['--dry_run', '--port', '1']), 'table');
    assert.equal(dryRun(['--dry-run=json']), 'json');
    assert.deepEqual(problems(['--dry_run=xml']), ['--dry_run: must be alone or one of table, json']);
    assert.deepEqual(problems(['--dry_runs']), ['--dry_runs: unknown flag, did you mean --dry_run?']);
    assert.deepEqual(problems(['--dry_run', '--port', 'x']), [
      '--port: must be a whole number from 0 to 65535, not "x"',
    ]);
  });
});
