import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import type { DecisionLogLine } from './decision-log.js';
import { rotatedName } from './decision-log-writer.js';
import { storageError } from './storage-error.js';

const maxLineBytes = 16 * 1024 * 1024;
const maxFiles = 1000;

/**
 * The lines of a decision log in the order they were written: of `FILE.K` ... `FILE.1`, then `FILE`. A log that is being
 * written can be read: a last line without its end is passed over. Throws NOT_FOUND where there is none of the files,
 * DATA_LOSS naming file and line for one that is damaged.
 */
export async function* readDecisions(file: string): AsyncGenerator<DecisionLogLine, void, undefined> {
  let oldest = 0;
  while (oldest < maxFiles && (await exists(rotatedName(file, oldest + 1)))) oldest++;
  for (let k = oldest; k > 0; k--) yield* readFile(rotatedName(file, k));
  if (oldest === 0 || (await exists(file))) yield* readFile(file);
}

async function* readFile(path: string): AsyncGenerator<DecisionLogLine, void, undefined> {
  const name = basename(path);
  let number = 0;
  try {
    const handle = await open(path, 'r');
    try {
      for await (const line of wholeLines(handle.createReadStream({ autoClose: false }), name)) {
        yield parse(line, name, ++number);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw isA2sfError(error) ? error : storageError(name, error);
  }
}

/** The lines that end in a newline. */
async function* wholeLines(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<string, void, undefined> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8');
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > maxLineBytes) throw new A2sfError('DATA_LOSS', `${name}: a line is over ${maxLineBytes} bytes`);
  }
}

function parse(text: string, name: string, number: number): DecisionLogLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isDecision(value) || isReward(value)) return value;
  const message = `${name}: line ${number} is no line of a decision log`;
  throw new A2sfError('DATA_LOSS', message, { field: name, reason: 'damaged-decision-log' });
}

type Kind = 'string' | 'number' | 'boolean';

const decisionFields: Readonly<Record<string, Kind>> = {
  id: 'string',
  time: 'string',
  policy_version: 'number',
  agent: 'string',
  encoder_id: 'string',
  context_hash: 'string',
  context: 'string',
  key: 'string',
  explore: 'boolean',
  beta: 'number',
  epsilon: 'number',
  bound_beta: 'number',
  draw: 'number',
  action_index: 'number',
  a: 'number',
  b: 'number',
  predicted_reward: 'number',
  ucb: 'number',
  propensity: 'number',
  use_full_cache: 'boolean',
};

function isDecision(value: unknown): value is DecisionLogLine {
  return isObject(value) && value['kind'] === 'decision' && fits(value, decisionFields);
}

function isReward(value: unknown): value is DecisionLogLine {
  if (!isObject(value) || value['kind'] !== 'reward' || typeof value['id'] !== 'string') return false;
  const { rewards } = value;
  if (rewards === undefined) return fits(value, { action_index: 'number', reward: 'number' });
  return Array.isArray(rewards) && rewards.every((reward) => typeof reward === 'number');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function fits(value: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, Kind>>): boolean {
  return Object.entries(fields).every(([field, kind]) => typeof value[field] === kind);
}

async function exists(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw storageError(basename(path), error);
  }
}
