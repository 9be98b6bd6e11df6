import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { A2sfError } from '@a2sf/errors';

/** What an onnxruntime session runs on: its name, and the number of the card where there may be several. */
export type ExecutionProvider = 'cpu' | 'webgpu' | { readonly name: 'cuda'; readonly deviceId: number };

/** A device that does not answer within this time is not used; the first run on one compiles its programs. */
const probeMs = 60_000;

const remedies = {
  webgpu: 'it needs a graphics card whose Vulkan driver, and the package libvulkan1, are installed',
  cuda:
    'it needs an NVIDIA card, CUDA 13 and cuDNN 9, and the CUDA provider: ' +
    'ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js',
} as const;

/** `cpu`, `webgpu`, `cuda` (the first card) or `cuda:N`. INVALID_ARGUMENT for anything else. */
export function executionProvider(device: string): ExecutionProvider {
  if (device === 'cpu' || device === 'webgpu') return device;
  const cuda = /^cuda(?::(\d{1,3}))?$/.exec(device);
  if (cuda !== null) return { name: 'cuda', deviceId: Number(cuda[1] ?? 0) };
  const message = `${JSON.stringify(device)} is no device; use cpu, webgpu, cuda or cuda:N`;
  throw A2sfError.invalid('--device', message, 'usage');
}

/**
 * Checks that models can run on a device. INVALID_ARGUMENT: no device at all; FAILED_PRECONDITION with the remedy: a device
 * that this machine lacks. It is tried in a process of its own: a broken driver may end the process that loads it.
 */
export async function checkDevice(device: string): Promise<void> {
  const provider = executionProvider(device);
  if (provider === 'cpu') return;
  const problem = await deviceProblem(device, provider);
  if (problem !== undefined) throw deviceUnavailable(device, problem);
}

/** WebGPU's one context a process is not safe between threads: two workers that use it destroy each other's memory. */
export const exclusiveDevice = (device: string | undefined): string | undefined =>
  device === 'webgpu' ? device : undefined;

/** What `auto` stands for: the first CUDA card where there is one, else the CPU. (WebGPU may be a slow software adapter.) */
export async function automaticDevice(): Promise<'cuda' | 'cpu'> {
  return (await deviceProblem('cuda', { name: 'cuda', deviceId: 0 })) === undefined ? 'cuda' : 'cpu';
}

/** @param problem what is wrong, in a few words. */
export function deviceUnavailable(device: string, problem: string, cause?: unknown): A2sfError {
  const remedy = remedies[device === 'webgpu' ? 'webgpu' : 'cuda'];
  const message = `--device: ${device} cannot be used (${problem}): ${remedy}; or use --device cpu`;
  return new A2sfError('FAILED_PRECONDITION', message, { field: 'device', reason: 'device-not-available', cause });
}

/** What onnxruntime says at the end of its message, without the place in its source. */
export function briefly(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [last] = message.trim().split('\n').slice(-1);
  return last!.replace(/^.* was false\. /, '').slice(-200);
}

/** Why a device cannot be used; undefined: it can. */
async function deviceProblem(device: string, provider: Exclude<ExecutionProvider, 'cpu'>): Promise<string | undefined> {
  if (provider !== 'webgpu' && !hasCudaProvider()) return 'the CUDA provider is not installed';
  const probe = fileURLToPath(new URL('./device-probe.js', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [probe, device], { timeout: probeMs, maxBuffer: 2 ** 20 }, (error, told) => {
      if (error === null) resolve(undefined);
      else resolve(told.trim() || (error.killed === true ? 'it does not answer' : 'trying it ended the process'));
    });
  });
}

/** Whether the CUDA provider lies beside onnxruntime's binding: it is no part of its package. */
function hasCudaProvider(): boolean {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const bin = join(dirname(main), '..', 'bin');
  return readdirSync(bin, { recursive: true }).some((file) =>
    /onnxruntime_providers_cuda\.(so|dll)$/.test(String(file)),
  );
}
