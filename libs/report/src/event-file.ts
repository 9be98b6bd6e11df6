import { maskedCrc32c } from './crc32c.js';

/** A number at a step, as TensorBoard shows it. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly value: number;
}

/**
 * A TensorBoard event file: a stream of TFRecords (tensorflow/core/lib/io/record_writer.h), each
 *
 *   u64 length, u32 masked crc of the length, bytes, u32 masked crc of the bytes        all little-endian
 *
 * and each holding one Event (tensorflow/core/util/event.proto): wall_time = 1 (double), step = 2 (int64),
 * file_version = 3 (string, the first event alone), summary = 5 { value = 1 { tag = 1, simple_value = 2 (float) } }.
 */
export function encodeEventFile(scalars: readonly Scalar[]): Uint8Array {
  const start = scalars[0]?.wallTime ?? 0;
  const version = message([double(1, start), bytes(3, Buffer.from('brain.Event:2'))]);
  return Buffer.concat([version, ...scalars.map(encodeScalar)].map(record));
}

function encodeScalar({ tag, step, wallTime, value }: Scalar): Buffer {
  const summary = message([bytes(1, message([bytes(1, Buffer.from(tag)), float(2, value)]))]);
  return message([double(1, wallTime), key(2, 0), varint(step), bytes(5, summary)]);
}

function record(data: Uint8Array): Buffer {
  const framed = Buffer.alloc(data.byteLength + 16);
  framed.writeBigUInt64LE(BigInt(data.byteLength), 0);
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedCrc32c(data), 12 + data.byteLength);
  return framed;
}

const message = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);
const key = (field: number, wireType: number): Buffer => varint(field * 8 + wireType);
const bytes = (field: number, data: Uint8Array): Buffer => message([key(field, 2), varint(data.byteLength), data]);

function double(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return message([key(field, 1), data]);
}

function float(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return message([key(field, 5), data]);
}

/** A whole number from 0 to 2^53, seven bits a byte, the lowest first. */
function varint(value: number): Buffer {
  const data: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) data.push((rest % 128) + 128);
  return Buffer.from([...data, rest]);
}
