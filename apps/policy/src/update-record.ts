import { endianness } from 'node:os';
import { A2sfError } from '@a2sf/errors';
import type { HyperParameters } from '@a2sf/run-store';
import type { UpdateInput } from './update-ledger.js';

/** An update with the numbers that were in force when it was applied. */
export interface UpdateRecord {
  readonly update: UpdateInput;
  readonly hyperParameters: HyperParameters;
}

/** Version of the record that is written; older ones are read. */
const recordVersion = 3;

/** Version 1, which told no version. */
interface FirstHead {
  readonly updateId: string;
  readonly hyperParameters: HyperParameters;
  /** id, encoder id, action index, reward, length of the context */
  readonly experiences: readonly (readonly [string, string, number, number, number])[];
}

/** Version 2: experiences may have a group and the rewards of all actions; 3: there may be several steps per update. */
interface Head {
  readonly version: number;
  readonly updateId: string;
  readonly hyperParameters: HyperParameters;
  readonly observations: readonly ObservationHead[];
}

interface ObservationHead {
  readonly id: string;
  readonly encoder: string;
  /** Length of the context. */
  readonly context: number;
  readonly action: number;
  readonly reward: number;
  readonly key?: string;
  /** How many actions' rewards stand behind the context; absent: the one above counts. */
  readonly rewards?: number;
}

/**
 * A record of the log: u32 length of a JSON text, little-endian; that text; for each experience its context and the rewards
 * of all actions where they are known, as float32.
 */
export function encodeUpdate({ update, hyperParameters }: UpdateRecord): Uint8Array {
  requireLittleEndian();
  const { updateId, experiences } = update;
  const observations = experiences.map(
    ({ id, encoderId, actionIndex, reward, context, key, rewards }): ObservationHead => ({
      id,
      encoder: encoderId,
      context: context.length,
      action: actionIndex,
      reward,
      ...(key === undefined ? {} : { key }),
      ...(rewards === undefined ? {} : { rewards: rewards.length }),
    }),
  );
  const version = (hyperParameters.stepsPerUpdate ?? 1) > 1 ? recordVersion : 2;
  const head: Head = { version, updateId, hyperParameters, observations };
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const values = experiences.flatMap(({ context, rewards }) =>
    rewards === undefined ? [context] : [context, rewards],
  );
  return Buffer.concat([length, json, ...values.map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength))]);
}

/** The reverse. Throws when the bytes are no such record, FAILED_PRECONDITION for a newer version. */
export function decodeUpdate(bytes: Uint8Array): UpdateRecord {
  requireLittleEndian();
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4 + view.readUInt32LE(0);
  const { updateId, hyperParameters, observations } = present(
    JSON.parse(view.toString('utf8', 4, at)) as FirstHead | Head,
  );
  const floats = (length: number): Float32Array => {
    const values = new Float32Array(length);
    const part = view.subarray(at, (at += values.byteLength));
    if (part.length < values.byteLength) throw new Error('the record is too short');
    new Uint8Array(values.buffer).set(part);
    return values;
  };
  const experiences = observations.map(({ id, encoder, context, action, reward, key, rewards }, i) => ({
    field: `experiences[${i}]`,
    id,
    context: floats(context),
    encoderId: encoder,
    actionIndex: action,
    reward,
    ...(key === undefined ? {} : { key }),
    ...(rewards === undefined ? {} : { rewards: floats(rewards) }),
  }));
  if (at !== view.length) throw new Error('the record is too long');
  return { update: { updateId, experiences }, hyperParameters };
}

/** A head as the present version has it. */
function present(head: FirstHead | Head): Head {
  if (!('version' in head)) {
    const observations = head.experiences.map(([id, encoder, action, reward, context]) => ({
      id,
      encoder,
      context,
      action,
      reward,
    }));
    return { version: 1, updateId: head.updateId, hyperParameters: head.hyperParameters, observations };
  }
  if (head.version <= recordVersion) return head;
  const message = `the log holds an update of version ${head.version}, this program reads up to ${recordVersion}`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'state_dir', reason: 'newer-format' });
}

function requireLittleEndian(): void {
  if (endianness() === 'LE') return;
  throw new A2sfError('FAILED_PRECONDITION', '--state_dir: its files are little-endian, this machine is not', {
    reason: 'byte-order',
  });
}
