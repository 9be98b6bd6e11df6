import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { A2sfError } from '@a2sf/errors';
import { createLogger } from './logger.js';

function logged(level: string, use: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  use(createLogger({ name: 'demo', level, stream: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the logger', () => {
  test('writes one JSON object a line, in the order of seq', () => {
    const lines = logged('info', (log) => {
      log.info({ port: 1 }, 'listening');
      log.child({ requestId: 'r' }).warn('slow');
      log.debug('not told');
    });
    assert.deepEqual(
      lines.map(({ level, name, seq, msg, port, requestId }) => ({ level, name, seq, msg, port, requestId })),
      [
        { level: 'info', name: 'demo', seq: 1, msg: 'listening', port: 1, requestId: undefined },
        { level: 'warn', name: 'demo', seq: 2, msg: 'slow', port: undefined, requestId: 'r' },
      ],
    );
    assert.equal(new Date(String(lines[0]!['time'])).toISOString(), lines[0]!['time']);
  });

  test('does not write prompts, texts and secrets that are in a logged object', () => {
    const lines = logged('info', (log) => {
      log.info({ prompt: 'hidden', request: { text: 'hidden', references: ['hidden'] }, authorization: 'hidden' });
    });
    assert.ok(!JSON.stringify(lines).includes('hidden'));
  });

  test('writes an error with code, reason and stack', () => {
    const [line] = logged('info', (log) =>
      log.error({ err: A2sfError.invalid('budget', 'must be at least 1') }, 'failed'),
    );
    const err = line!['err'] as Record<string, unknown>;
    assert.equal(err['code'], 'INVALID_ARGUMENT');
    assert.equal(err['message'], 'budget: must be at least 1');
    assert.match(String(err['stack']), /logger\.test/);
  });

  test('refuses a level it does not know', () => {
    assert.throws(() => createLogger({ name: 'demo', level: 'loud' }), /log_level: must be one of trace, /);
  });
});
