import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import { automaticDevice, checkDevice, executionProvider } from './device.js';
import { LanguageModelHost } from './language-model-host.js';
import { testedDevices } from './tested-devices.fixture.js';

const folder = fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url));
const refused = (problem: RegExp, remedy: RegExp) => (error: unknown) => {
  assert.ok(isA2sfError(error));
  assert.deepEqual([error.code, error.reason, error.field], ['FAILED_PRECONDITION', 'device-not-available', 'device']);
  assert.match(error.message, problem);
  assert.match(error.message, remedy);
  assert.match(error.message, /; or use --device cpu$/);
  return true;
};

describe('a device', () => {
  test('is cpu, webgpu, cuda or cuda:N and nothing else', async () => {
    assert.equal(executionProvider('cpu'), 'cpu');
    assert.equal(executionProvider('webgpu'), 'webgpu');
    assert.deepEqual(executionProvider('cuda'), { name: 'cuda', deviceId: 0 });
    assert.deepEqual(executionProvider('cuda:12'), { name: 'cuda', deviceId: 12 });
    for (const wrong of ['', 'gpu', 'cuda:', 'cuda:-1', 'cuda:1000', 'CPU', 'webgpu:1', 'cpu ']) {
      await assert.rejects(checkDevice(wrong), { code: 'INVALID_ARGUMENT', reason: 'usage' }, wrong);
    }
    await checkDevice('cpu');
  });

  for (const { device, skip } of testedDevices) {
    test(`${device} passes the check where it is there`, { skip }, () => checkDevice(device));
  }

  const withCuda = process.env['A2SF_CUDA'] === '1' && 'A2SF_CUDA=1: it is there';
  test('cuda without its provider is refused, with the command that installs it', { skip: withCuda }, async () => {
    const refusal = refused(/cuda:7 cannot be used/, /ONNXRUNTIME_NODE_INSTALL=true node .*install\.js/);
    await assert.rejects(checkDevice('cuda:7'), refusal);
    assert.equal(await automaticDevice(), 'cpu');
  });
});

// The Vulkan loader reads the drivers' list from the environment: an empty one hides every adapter of this process.
const notLinux = process.platform !== 'linux' && 'only Linux finds its adapters by Vulkan';
describe('webgpu on a machine without an adapter', { skip: notLinux }, () => {
  const drivers = process.env['VK_ICD_FILENAMES'];
  before(() => (process.env['VK_ICD_FILENAMES'] = '/nonexistent.json'));
  after(() => {
    if (drivers === undefined) delete process.env['VK_ICD_FILENAMES'];
    else process.env['VK_ICD_FILENAMES'] = drivers;
  });
  const start = (): Promise<LanguageModelHost> =>
    LanguageModelHost.start({ folder, name: 'tiny', threads: 1, device: 'webgpu' });

  test('is refused before anything is loaded', () =>
    assert.rejects(checkDevice('webgpu'), refused(/no supported adapters/i, /Vulkan driver/)));

  test('is refused by a model too, and the process goes on', () =>
    assert.rejects(start(), refused(/no supported adapters/i, /Vulkan driver/)));

  test('serves one worker of a process: a second one is refused while the first holds it', async () => {
    const [first, second] = await Promise.allSettled([start(), start()]);
    assert.ok(first.status === 'rejected' && second.status === 'rejected');
    assert.equal((second.reason as { reason: string }).reason, 'device-in-use');
    refused(/no supported adapters/i, /Vulkan driver/)(first.reason);
    await assert.rejects(start(), refused(/no supported adapters/i, /Vulkan driver/)); // it was given back
  });
});
