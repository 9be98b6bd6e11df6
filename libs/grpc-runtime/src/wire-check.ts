import { isUtf8 } from 'node:buffer';
import { A2sfError } from '@a2sf/errors';
import type { Descriptors } from './descriptors.js';

/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

type Kind = 'scalar' | 'string' | 'bytes' | 'message' | 'enum';

interface WireField {
  readonly name: string;
  readonly kind: Kind;
  /** Wire type of one value. */
  readonly wire: number;
  /** A 64-bit varint. */
  readonly wide: boolean;
  readonly repeated: boolean;
  readonly message: WireMessage | undefined;
  readonly values: ReadonlySet<number> | undefined;
}

/** A message type as the checker needs it; types refer to each other and may be recursive. */
export interface WireMessage {
  readonly name: string;
  readonly fields: ReadonlyMap<number, WireField>;
}

/** Limits of one message, checked before anything is decoded. */
export interface WireLimits {
  /** Messages within messages. */
  readonly maxDepth: number;
  /** Entries of one repeated message, string or bytes field. */
  readonly maxEntries: number;
  /** Entries of one repeated number field. */
  readonly maxNumbers: number;
}

/** Far above what a request of the contract holds, far below what decoding could not bear. */
export const defaultWireLimits: WireLimits = { maxDepth: 32, maxEntries: 65_536, maxNumbers: 1 << 20 };

/** Wire type by FieldDescriptorProto.Type (1 double .. 18 sint64); 10 is the group, which proto3 has not. */
const wireByType = [
  -1,
  FIXED64,
  FIXED32,
  VARINT,
  VARINT,
  VARINT,
  FIXED64,
  FIXED32,
  VARINT,
  BYTES,
  -1,
  BYTES,
  BYTES,
  VARINT,
  VARINT,
  FIXED32,
  FIXED64,
  VARINT,
  VARINT,
];

function kindOf(type: number): Kind {
  switch (type) {
    case 9:
      return 'string';
    case 11:
      return 'message';
    case 12:
      return 'bytes';
    case 14:
      return 'enum';
    default:
      return 'scalar';
  }
}

/** The wire form of a message type and of all it holds. */
export function wireMessage(
  descriptors: Descriptors,
  name: string,
  known = new Map<string, WireMessage>(),
): WireMessage {
  const done = known.get(name);
  if (done !== undefined) return done;
  const declared = descriptors.messages.get(name);
  if (declared === undefined) throw new Error(`no descriptor of message ${name}`);
  const fields = new Map<number, WireField>();
  const message: WireMessage = { name, fields };
  known.set(name, message);
  for (const field of declared) {
    const kind = kindOf(field.type);
    fields.set(field.number, {
      name: field.name,
      kind,
      wire: wireByType[field.type]!,
      wide: field.type === 3 || field.type === 4 || field.type === 18,
      repeated: field.repeated,
      message: kind === 'message' ? wireMessage(descriptors, field.typeName, known) : undefined,
      values: kind === 'enum' ? descriptors.enums.get(field.typeName) : undefined,
    });
  }
  return message;
}

/**
 * Checks the raw bytes of a message against its type before they are decoded, since the decoder neither refuses nor tells
 * invalid UTF-8 (it puts U+FFFD in its place), unknown enum values (they arrive as numbers), values of another wire type
 * (they are misread) and counts that would fill the memory. One pass, nothing copied; a U+FFFD that was sent is text.
 * Unknown fields are skipped.
 *
 * @throws A2sfError INVALID_ARGUMENT with the field's path: `inputs[3].text: is not valid UTF-8`.
 */
export function checkWire(bytes: Uint8Array, type: WireMessage, limits: WireLimits = defaultWireLimits): void {
  new WireChecker(bytes, type.name, limits).message(0, bytes.length, type, 1, '');
}

class WireChecker {
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly root: string,
    private readonly limits: WireLimits,
  ) {}

  message(start: number, end: number, type: WireMessage, depth: number, path: string): void {
    if (depth > this.limits.maxDepth) {
      throw A2sfError.invalid(path, `nested deeper than ${this.limits.maxDepth} messages`, 'nested-too-deep');
    }
    let counts: Map<WireField, number> | undefined;
    this.at = start;
    while (this.at < end) {
      const tag = this.varint(end, 'short');
      const wire = tag & 7;
      const number = tag >>> 3;
      if (number === 0) throw this.malformed('field number 0');
      const field = type.fields.get(number);
      if (field === undefined) {
        this.skip(wire, end);
        continue;
      }
      if (!field.repeated) {
        this.value(field, wire, end, depth, path === '' ? field.name : `${path}.${field.name}`);
        continue;
      }
      counts ??= new Map();
      const seen = counts.get(field) ?? 0;
      const name = path === '' ? field.name : `${path}.${field.name}`;
      const count = seen + this.value(field, wire, end, depth, `${name}[${seen}]`);
      counts.set(field, count);
      const limit = field.wire === BYTES ? this.limits.maxEntries : this.limits.maxNumbers;
      if (count > limit) throw A2sfError.invalid(name, `has more than ${limit} entries`, 'too-many-entries');
    }
  }

  /** Passes one field; returns how many values it held (more than one when packed). */
  private value(field: WireField, wire: number, end: number, depth: number, path: string): number {
    if (wire !== field.wire) {
      if (wire === BYTES && field.repeated) return this.packed(field, end, path);
      throw this.malformed(`${path} has wire type ${wire}`);
    }
    if (field.kind === 'enum') {
      this.enumValue(field, this.varint(end, '32 bits'), path);
      return 1;
    }
    if (wire === VARINT) {
      this.varint(end, field.wide ? '64 bits' : '32 bits');
      return 1;
    }
    if (wire !== BYTES) {
      this.skip(wire, end);
      return 1;
    }
    const [from, to] = this.range(end);
    if (field.message !== undefined) {
      this.message(from, to, field.message, depth + 1, path);
    } else if (field.kind === 'string' && !isUtf8(this.bytes.subarray(from, to))) {
      throw A2sfError.invalid(path, 'is not valid UTF-8', 'invalid-utf8');
    }
    this.at = to;
    return 1;
  }

  private packed(field: WireField, end: number, path: string): number {
    const [from, to] = this.range(end);
    this.at = to;
    if (field.wire !== VARINT) {
      const size = field.wire === FIXED64 ? 8 : 4;
      if ((to - from) % size !== 0) throw this.malformed(`${path} is cut off`);
      return (to - from) / size;
    }
    let count = 0;
    for (this.at = from; this.at < to; count++) {
      const value = this.varint(to, field.wide ? '64 bits' : '32 bits');
      if (field.kind === 'enum') this.enumValue(field, value, path);
    }
    return count;
  }

  private enumValue(field: WireField, value: number, path: string): void {
    if (field.values?.has(value | 0) === false) {
      throw A2sfError.invalid(path, `${value | 0} is not a value of this enum`, 'unknown-enum');
    }
  }

  private skip(wire: number, end: number): void {
    switch (wire) {
      case VARINT:
        this.varint(end, '64 bits');
        return;
      case FIXED64:
        this.at += 8;
        break;
      case FIXED32:
        this.at += 4;
        break;
      case BYTES:
        this.at = this.range(end)[1];
        return;
      default:
        throw this.malformed(`wire type ${wire}`);
    }
    if (this.at > end) throw this.malformed('a field is cut off');
  }

  /** Start and end of a length-delimited value. */
  private range(end: number): readonly [number, number] {
    const length = this.varint(end, 'short');
    const to = this.at + length;
    if (to > end) throw this.malformed('a length goes beyond its message');
    return [this.at, to];
  }

  /**
   * The low 32 bits of a varint, unsigned. Tags and lengths take five bytes at most, numbers of 32 bits five or (negative
   * ones) ten: the decoder reads other lengths of them as something else than they are.
   */
  private varint(end: number, width: 'short' | '32 bits' | '64 bits'): number {
    let value = 0;
    for (let count = 1; count <= 10; count++) {
      if (this.at >= end) throw this.malformed('a number is cut off');
      const byte = this.bytes[this.at++]!;
      if (count < 5) value |= (byte & 0x7f) << (7 * (count - 1));
      else if (count === 5) value |= (byte & 0x0f) << 28;
      if (byte >= 0x80) continue;
      if (count > 5 && (width === 'short' || (width === '32 bits' && count < 10))) break;
      return value >>> 0;
    }
    throw this.malformed('a number has too many bytes');
  }

  private malformed(problem: string): A2sfError {
    return A2sfError.invalid('request', `is not a valid ${this.root}: ${problem}`, 'malformed-request');
  }
}
