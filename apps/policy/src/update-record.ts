import { endianness } from 'node:os';
import { A2sfError } from '@a2sf/errors';
import type { HyperParameters } from '@a2sf/run-store';
import type { UpdateInput } from './update-ledger.js';

/** An update with the numbers that were in force when it was applied. */
export interface UpdateRecord {
  readonly update: UpdateInput;
  readonly hyperParameters: HyperParameters;
}

interface Head {
  readonly updateId: string;
  readonly hyperParameters: HyperParameters;
  /** id, encoder id, action index, reward, length of the context */
  readonly experiences: readonly (readonly [string, string, number, number, number])[];
}

/** A record of the log: u32 length of a JSON text, little-endian; that text; the contexts as float32, in order. */
export function encodeUpdate({ update, hyperParameters }: UpdateRecord): Uint8Array {
  requireLittleEndian();
  const { updateId, experiences } = update;
  const head: Head = {
    updateId,
    hyperParameters,
    experiences: experiences.map(({ id, encoderId, actionIndex, reward, context }) => [
      id,
      encoderId,
      actionIndex,
      reward,
      context.length,
    ]),
  };
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const contexts = experiences.map(({ context: c }) => new Uint8Array(c.buffer, c.byteOffset, c.byteLength));
  return Buffer.concat([length, json, ...contexts]);
}

/** The reverse. Throws when the bytes are no such record. */
export function decodeUpdate(bytes: Uint8Array): UpdateRecord {
  requireLittleEndian();
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4 + view.readUInt32LE(0);
  const { updateId, hyperParameters, experiences } = JSON.parse(view.toString('utf8', 4, at)) as Head;
  const read = experiences.map(([id, encoderId, actionIndex, reward, length], i) => {
    const context = new Float32Array(length);
    const part = view.subarray(at, (at += context.byteLength));
    if (part.length < context.byteLength) throw new Error('the record is too short');
    new Uint8Array(context.buffer).set(part);
    return { field: `experiences[${i}]`, id, context, encoderId, actionIndex, reward };
  });
  if (at !== view.length) throw new Error('the record is too long');
  return { update: { updateId, experiences: read }, hyperParameters };
}

function requireLittleEndian(): void {
  if (endianness() === 'LE') return;
  throw new A2sfError('FAILED_PRECONDITION', '--state_dir: its files are little-endian, this machine is not', {
    reason: 'byte-order',
  });
}
