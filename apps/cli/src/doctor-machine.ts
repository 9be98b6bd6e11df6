import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { freemem, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesInWords, findingOf, type Finding, type Verdict } from './doctor-findings.js';

/** The lowest version of Node that the suite is made for: `engines` of the workspace. */
export const lowestNode = '20.12';

/** Node's version against the lowest one. */
export function checkNode(version: string = process.versions.node): Finding {
  const numbers = (text: string) => text.split('.').map(Number);
  const [major = 0, minor = 0] = numbers(version);
  const [lowestMajor = 0, lowestMinor = 0] = numbers(lowestNode);
  if (major > lowestMajor || (major === lowestMajor && minor >= lowestMinor)) {
    return { check: 'node', verdict: 'ok', message: `${version}, at least ${lowestNode} is needed` };
  }
  const fix = `install Node ${lowestNode} or later`;
  return { check: 'node', verdict: 'problem', message: `${version} is too old, ${lowestNode} is needed`, fix };
}

/** A library that does not load within this time does not load. */
const loadMs = 30_000;

/** Loads onnxruntime in a process of its own: a library made for other processors ends the process that loads it. */
export async function checkOnnxruntime(): Promise<Finding> {
  const check = 'onnxruntime';
  const fix = `npm ci, on the system that it is to run on (${process.platform} ${process.arch}; glibc on Linux)`;
  let path: string;
  try {
    path = createRequire(fileURLToPath(import.meta.resolve('@a2sf/inference'))).resolve('onnxruntime-node');
  } catch (error) {
    return findingOf(check, 'problem', error, fix);
  }
  const program = `process.stdout.write(require(${JSON.stringify(path)}).env.versions.node ?? 'unknown')`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', program], { timeout: loadMs, maxBuffer: 2 ** 20 }, (error, told, errors) => {
      if (error === null) return resolve({ check, verdict: 'ok', message: `${told} loads` });
      const last =
        errors.match(/^\w*Error: .*$/m)?.[0] ?? `loading it ended the process (${error.signal ?? error.code})`;
      resolve(findingOf(check, 'problem', last.slice(0, 300), fix));
    });
  });
}

const checkedDevices = ['cpu', 'webgpu', 'cuda'] as const;

/**
 * Each device by trying it.
 * @param wanted the one that is to be used: without it there is a problem, without the others a warning.
 */
export async function checkDevices(wanted: string): Promise<Finding[]> {
  const { checkDevice } = await import('@a2sf/inference');
  const devices = [...new Set<string>([...checkedDevices, ...(wanted === 'auto' ? [] : [wanted])])];
  return Promise.all(
    devices.map(async (device): Promise<Finding> => {
      const check = `device ${device}`;
      try {
        await checkDevice(device);
        return { check, verdict: 'ok', message: 'can be used' };
      } catch (error) {
        const told = findingOf(check, device === wanted ? 'problem' : 'warning', error);
        const [, message, fix] = /^--device: \S+ (cannot be used \(.*?\)): (.*)$/.exec(told.message) ?? [];
        return message === undefined || fix === undefined ? told : { ...told, message, fix };
      }
    }),
  );
}

const gib = 2 ** 30;
/** A run writes checkpoints and records of tens of MiB. */
const littleDisk = gib;
const noDisk = 64 * 2 ** 20;

/** Room, and the right to write, where a run is saved: in the folder, or in what there is of the path to it. */
export function checkDisk(saveDir: string): Finding {
  const check = 'disk';
  let folder = resolve(saveDir);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const fix = 'name a folder with room, and that may be written, by --save_dir';
  try {
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is no folder`);
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const verdict: Verdict = free < noDisk ? 'problem' : free < littleDisk ? 'warning' : 'ok';
    const message = `${bytesInWords(free)} free in ${folder}`;
    return verdict === 'ok' ? { check, verdict, message } : { check, verdict, message, fix };
  } catch (error) {
    return findingOf(check, 'problem', error, fix);
  }
}

/** The five processes of a local suite take about this much with the embedded models. */
const littleMemory = gib;

/** Bytes of memory that new processes may take: what is free, and no more than the container's limit. */
export function freeMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? Math.min(freemem(), limit) : freemem();
}

/** Free memory against what the models take. @param weightBytes size of the weight files, 0 for the embedded models. */
export function checkMemory(weightBytes: number, free: number = freeMemory()): Finding {
  const needed = weightBytes + littleMemory;
  const message = `${bytesInWords(free)} free, about ${bytesInWords(needed)} is needed`;
  if (free >= needed) return { check: 'memory', verdict: 'ok', message };
  const fix = 'end other programs, or serve --weights int8 or int4, or start the services on other machines';
  return { check: 'memory', verdict: 'warning', message, fix };
}
