import type { A2sfError } from '@a2sf/errors';

const lineFeed = 0x0a;
const maxIntegerBytes = 64;
const escapePattern = /\\u([0-9a-fA-F]{4})|\\U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})/g;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The arguments of a pickle's opcodes, read from the front. Every method throws DATA_LOSS for what cannot be read. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #error: (problem: string) => A2sfError;
  #at = 0;

  /** `error` makes the error of a problem. */
  constructor(bytes: Uint8Array, error: (problem: string) => A2sfError) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#error = error;
  }

  /** The error of a problem at the present place. */
  fail(problem: string): A2sfError {
    return this.#error(`${problem} (at byte ${this.#at})`);
  }

  requireLeft(length: number): void {
    if (length > this.#bytes.byteLength - this.#at)
      throw this.fail(`${length} bytes are announced, the pickle ends before`);
  }

  /** Little-endian, unsigned. */
  uint(width: 1 | 2 | 4): number {
    const at = this.#take(width);
    if (width === 1) return this.#view.getUint8(at);
    return width === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Big-endian, unlike all else. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** A count of bytes that follow. */
  length(width: 1 | 4 | 8): number {
    if (width !== 8) return this.uint(width);
    const length = this.#view.getBigUint64(this.#take(8), true);
    if (length > BigInt(this.#bytes.byteLength))
      throw this.fail(`${length} bytes are announced, the pickle ends before`);
    return Number(length);
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  utf8(length: number): string {
    const at = this.#take(length);
    return this.#decode(this.#bytes.subarray(at, at + length));
  }

  latin1(length: number): string {
    const at = this.#take(length);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + at, length).toString('latin1');
  }

  /** Two's complement, little-endian; no bytes are 0. */
  integer(length: number): number | bigint {
    if (length > maxIntegerBytes)
      throw this.fail(`an integer of ${length} bytes is over the limit of ${maxIntegerBytes}`);
    const bigEndian = Buffer.from(this.bytes(length)).reverse();
    return exact(BigInt.asIntN(8 * length, BigInt(`0x0${bigEndian.toString('hex')}`)));
  }

  /** Up to the next line feed, which is skipped. */
  line(): string {
    return this.#decode(this.#rawLine());
  }

  decimal(text: string): number | bigint {
    if (!/^[+-]?\d{1,150}$/.test(text)) throw this.fail('a line is no whole number');
    return exact(BigInt(text.replace(/^\+/, '')));
  }

  index(text: string): number {
    const value = this.decimal(text);
    if (typeof value !== 'number' || value < 0) throw this.fail('a memo index is no whole number');
    return value;
  }

  floatLine(): number {
    const text = this.line();
    if (/^[+-]?(inf|nan)$/.test(text)) return text.endsWith('nan') ? NaN : text.startsWith('-') ? -Infinity : Infinity;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw this.fail('a line is no number');
    return Number(text);
  }

  /** A Python string literal without escapes: no name or value of a checkpoint needs one. */
  quotedLine(): string {
    const text = this.line();
    const match = /^(['"])([^\\]*)\1$/.exec(text);
    if (match === null) throw this.fail('a line is no plain string');
    return match[2]!;
  }

  /** Text whose characters beyond Latin-1, backslash and line feed are written `\uXXXX` or `\UXXXXXXXX`. */
  unicodeLine(): string {
    const text = Buffer.from(this.#rawLine()).toString('latin1');
    return text.replaceAll(escapePattern, (_, short?: string, long?: string) =>
      String.fromCodePoint(parseInt(short ?? long!, 16)),
    );
  }

  #rawLine(): Uint8Array {
    const start = this.#at;
    const end = this.#bytes.indexOf(lineFeed, start);
    if (end < 0) throw this.fail('a line is not finished');
    this.#at = end + 1;
    return this.#bytes.subarray(start, end);
  }

  #take(length: number): number {
    this.requireLeft(length);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.fail('text is not UTF-8');
    }
  }
}

/** A number where it holds the value exactly. */
function exact(value: bigint): number | bigint {
  const isSafe = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
  return isSafe ? Number(value) : value;
}
