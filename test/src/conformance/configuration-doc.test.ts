import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { demoProfile } from '@a2sf/cli';
import { boolean, envOf, flagOf, resolveOptions, snakeCase, type Option, type Options } from '@a2sf/config';
import { options as encoder } from '@a2sf/encoder-app';
import { options as generator } from '@a2sf/generator-app';
import { serverOptions } from '@a2sf/grpc-runtime';
import { options as policy } from '@a2sf/policy-app';
import { options as reward } from '@a2sf/reward-app';
import { options as train } from '@a2sf/trainer-app';
import { documents } from './documents.js';
import { checkGenerated, markdownTable } from './generated-docs.fixture.js';
import { root } from './workspace.js';

const services: Readonly<Record<string, Options>> = { encoder, generator, reward, policy };

function shown(value: unknown): string {
  if (value === undefined) return '-';
  return `\`${Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function flagCell(key: string, option: Option): string {
  const shape = option.schema === boolean ? ' (boolean)' : option.list === true ? ' (list)' : '';
  return `\`--${flagOf(key, option)}\`${shape}`;
}

function table(entries: readonly (readonly [string, Option])[]): string {
  const rows = entries.map(([key, option]) => [
    flagCell(key, option),
    `\`${envOf(key, option)}\``,
    shown(option.default),
    option.description,
  ]);
  return markdownTable(['flag', 'environment variable', 'default', 'meaning'], rows);
}

/** One table per group, as `--help` has them. */
function tables(options: Options): string {
  const entries = Object.entries(options);
  const groups = [...new Set(entries.map(([, option]) => option.group))];
  return groups
    .map((group) => `**${group}**\n\n${table(entries.filter(([, option]) => option.group === group))}`)
    .join('\n\n');
}

/** True for an option that every server has, with the same default. */
function isShared(key: string): boolean {
  const defaults = Object.values(services).map((options) => options[key]?.default);
  return key in serverOptions && new Set(defaults).size === 1;
}

describe('docs/configuration.md', () => {
  test('lists exactly the flags of train and of each service, and the demo profile', async () => {
    const own = (options: Options): string => table(Object.entries(options).filter(([key]) => !isShared(key)));
    const profile = Object.entries(demoProfile).map(([key, value]) => [`\`--${snakeCase(key)}\``, shown(value)]);
    await checkGenerated('docs/configuration.md', {
      train: tables(train),
      demo: markdownTable(['flag', 'value'], profile),
      servers: table(Object.entries(encoder).filter(([key]) => isShared(key))),
      ...Object.fromEntries(Object.entries(services).map(([name, options]) => [name, own(options)])),
    });
  });

  test('examples/run.json and run.yaml are files that train accepts, and say the same', () => {
    const [json, yaml] = ['run.json', 'run.yaml'].map((name) => {
      const argv = ['--config', join(root, 'examples', name)];
      return resolveOptions({ name: 'a2sf train', description: '' }, train, argv, {}).values;
    });
    assert.equal(json!.saveDir, 'runs/example');
    assert.deepEqual(json, yaml);
  });
});

/** The lines of a document's code blocks, those that a backslash continues joined. */
function codeLines(text: string): string[] {
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
  return blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'));
}

test('every flag that a document gives to a2sf train and a2sf serve exists', () => {
  const unknown: string[] = [];
  let seen = 0;
  for (const { path, text } of documents()) {
    for (const line of codeLines(text)) {
      const [, command, service] = /\ba2sf(?:\.js)? (train|demo|serve (\w+))/.exec(line) ?? [];
      const options = service === undefined ? train : services[service];
      if (command === undefined) continue;
      const flags = new Set([
        'config',
        'dry_run',
        'help',
        ...Object.entries(options ?? {}).map(([key, option]) => flagOf(key, option)),
      ]);
      for (const [, flag] of line.matchAll(/ --([\w-]+)/g)) {
        seen++;
        if (!flags.has(flag!.replaceAll('-', '_'))) unknown.push(`${path}: ${command} --${flag}`);
      }
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 0);
});
