import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText } from './command-line.js';
import { option } from './option.js';
import { boolean, listOf, port, text } from './schemas.js';

const options = {
  httpPort: option({ schema: port, description: 'port of /metrics', default: 9464, group: 'Server' }),
  generators: option({ schema: listOf(text()), description: 'addresses', list: true, group: 'Peers' }),
  reflection: option({ schema: boolean, description: 'serve reflection', default: true, group: 'Server' }),
} as const;

test('the help groups the options and tells each default and environment variable', () => {
  const help = helpText({ name: 'a2sf serve encoder', description: 'Serves.', epilogue: 'Example: ...' }, options);
  assert.match(help, /^Usage: a2sf serve encoder \[flags\]\n\nServes\.\n/);
  assert.match(help, /\nServer:\n {2}--http_port <value> .*\(default: 9464, env: A2SF_HTTP_PORT\)/);
  assert.match(help, /\nPeers:\n {2}--generators <values\.\.\.> .*env: A2SF_GENERATORS/);
  assert.match(help, /--reflection \[boolean\] .*\(default: true, env: A2SF_REFLECTION\)/);
  assert.match(help, /--config <file> /);
  assert.match(help, /--dry_run /);
  assert.ok(!help.includes('--no-reflection'));
  assert.ok(help.endsWith('\nExample: ...\n'));
});

test('two options of one flag are a mistake of the program', () => {
  const twice = { a: { ...options.httpPort, flag: 'x' }, b: { ...options.httpPort, flag: 'x' } };
  assert.throws(() => helpText({ name: 'x', description: '' }, twice), /two options are called --x/);
});
