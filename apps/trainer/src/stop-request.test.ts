import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const script = `
  const { listenForStop } = await import(${JSON.stringify(new URL('./stop-request.js', import.meta.url).href)});
  const stop = listenForStop();
  const work = setInterval(() => {}, 1000);
  stop.signal.addEventListener('abort', () => {
    console.log('saving ' + stop.signal.reason.message + ' ' + stop.exitCode());
    if (process.argv[1] === 'quick') {
      clearInterval(work);
      process.exitCode = stop.exitCode();
      stop.dispose();
    }
  });
  console.log('working');
`;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`the first ${signal} asks for an end, the second one ends the process at once, both with ${code}`, async () => {
    for (const work of ['quick', 'endless']) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, work], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exit = once(child, 'exit');
      const said: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        said.push(line);
        if (line === 'working' || work === 'endless') child.kill(signal);
      }
      assert.deepEqual(await exit, [code, null]);
      assert.deepEqual(said, ['working', `saving stopped by ${signal} ${code}`]);
    }
  });
}
