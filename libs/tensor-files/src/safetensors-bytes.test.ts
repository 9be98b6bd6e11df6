import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import * as fc from 'fast-check';
import { byteLengthOf, type DType } from './dtype.js';
import { encodeSafetensors, parseSafetensors, type Tensor } from './safetensors-bytes.js';

const dtypes: DType[] = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL'];
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat({ max: 4 }), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const length = byteLengthOf(dtype, shape)!;
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ dtype, shape, data }));
  });
const anyName = fc.string({ unit: 'binary' }).filter((name) => name !== '__proto__' && name !== '__metadata__');
const anyTensors = fc.array(fc.tuple(anyName, anyTensor), { maxLength: 6 }).map((all) => new Map(all));
const anyMetadata = fc.dictionary(anyName, fc.string({ unit: 'binary' }), { noNullPrototype: true });

/** A file with this header text, then `dataBytes` zeros. */
function fileOf(header: string, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (shape: string, begin: number, end: number): string =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

test('what is encoded is parsed back, bit by bit', () => {
  fc.assert(
    fc.property(anyTensors, anyMetadata, (tensors, metadata) => {
      const got = parseSafetensors(encodeSafetensors(tensors, metadata));
      assert.deepEqual({ ...got.metadata }, metadata);
      assert.equal(got.tensors.size, tensors.size);
      for (const [name, tensor] of tensors) assert.deepEqual(got.tensors.get(name), tensor);
    }),
  );
});

test('the encoded bytes do not depend on the order of insertion', () => {
  fc.assert(
    fc.property(anyTensors, anyMetadata, (tensors, metadata) => {
      const reversed = Object.fromEntries(Object.entries(metadata).reverse());
      assert.deepEqual(
        encodeSafetensors(new Map([...tensors].reverse()), reversed),
        encodeSafetensors(tensors, metadata),
      );
    }),
  );
});

test('random bytes and flipped bits are parsed or refused with DATA_LOSS, nothing else', () => {
  const anyFlips = fc.array(fc.nat(), { minLength: 1, maxLength: 4 });
  const check = (bytes: Uint8Array): void => {
    try {
      parseSafetensors(bytes);
    } catch (error) {
      assert.ok(isA2sfError(error) && error.code === 'DATA_LOSS', String(error));
    }
  };
  fc.assert(
    fc.property(anyTensors, anyMetadata, anyFlips, (tensors, metadata, flips) => {
      const bytes = encodeSafetensors(tensors, metadata);
      for (const flip of flips) bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
      check(bytes);
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check));
});

test('a file cut anywhere is refused with DATA_LOSS', () => {
  const data = new Uint8Array(24);
  const bytes = encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [2, 3], data }]]), { format: 'pt' });
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => parseSafetensors(bytes.subarray(0, length)), { code: 'DATA_LOSS' });
  }
});

test('hostile headers are refused with DATA_LOSS that names the file and the tensor', () => {
  const huge = new Uint8Array(16);
  new DataView(huge.buffer).setBigUint64(0, 2n ** 63n, true);
  const cases: [string, Uint8Array, RegExp][] = [
    ['header length 2^63', huge, /header of 9223372036854775808 bytes is over the limit/],
    ['header over 100 MB', fileOf(' '.repeat(100_000_001)), /over the limit/],
    ['header past the end', fileOf('{}').subarray(0, 9), /does not fit/],
    ['overlap', fileOf(`{"a":${entry('[2]', 0, 8)},"b":${entry('[2]', 4, 12)}}`, 12), /tensor "b": overlaps/],
    ['gap', fileOf(`{"a":${entry('[1]', 0, 4)},"b":${entry('[1]', 8, 12)}}`, 12), /tensor "b": leaves a gap/],
    ['past the file', fileOf(`{"a":${entry('[2]', 0, 8)}}`, 4), /tensor "a": data_offsets \[0, 8\] lie outside/],
    ['backwards', fileOf(`{"a":${entry('[1]', 4, 0)}}`, 4), /lie outside/],
    ['negative offset', fileOf(`{"a":${entry('[1]', -4, 0)}}`, 4), /lie outside/],
    ['trailing bytes', fileOf(`{"a":${entry('[1]', 0, 4)}}`, 5), /bytes long where its header says/],
    ['negative shape', fileOf(`{"a":${entry('[-1,-1]', 0, 4)}}`, 4), /negative, fractional or too large/],
    ['fractional shape', fileOf(`{"a":${entry('[0.5]', 0, 4)}}`, 4), /negative, fractional or too large/],
    ['overflowing shape', fileOf(`{"a":${entry('[4294967296,4294967296]', 0, 4)}}`, 4), /too large/],
    ['huge dimension', fileOf(`{"a":${entry('[1e999]', 0, 4)}}`, 4), /too large/],
    ['size of the shape', fileOf(`{"a":${entry('[3]', 0, 8)}}`, 8), /8 bytes for 3 elements of 4 bytes/],
    ['duplicate tensor', fileOf(`{"a":${entry('[1]', 0, 4)},"a":${entry('[1]', 0, 4)}}`, 4), /key "a" twice/],
    ['duplicate member', fileOf('{"a":{"dtype":"F32","dtype":"U8"}}'), /twice/],
    ['__proto__ tensor', fileOf(`{"__proto__":${entry('[1]', 0, 4)}}`, 4), /__proto__/],
    ['__proto__ metadata', fileOf('{"__metadata__":{"__proto__":"x"}}'), /__proto__/],
    ['metadata number', fileOf('{"__metadata__":{"x":1}}'), /not a string/],
    ['unknown dtype', fileOf('{"a":{"dtype":"constructor","shape":[],"data_offsets":[0,0]}}'), /dtype "constructor"/],
    ['no dtype', fileOf('{"a":{"shape":[],"data_offsets":[0,0]}}'), /dtype missing/],
    ['no shape', fileOf('{"a":{"dtype":"F32","data_offsets":[0,0]}}'), /shape is not/],
    ['no offsets', fileOf('{"a":{"dtype":"F32","shape":[]}}'), /data_offsets is not/],
    ['deep JSON', fileOf(`{"a":${'['.repeat(1_000_000)}`), /nested deeper/],
    ['deep objects', fileOf('{"a":'.repeat(200_000)), /nested deeper/],
    ['not an object', fileOf('[]'), /not an object/],
    ['not JSON', fileOf('{'), /broken/],
    ['not UTF-8', Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), /not UTF-8/],
    [
      'a million tensors',
      fileOf(`{${Array.from({ length: 250_000 }, (_, i) => `"${i}":${entry('[0]', 0, 0)}`).join(',')}}`),
      /more than 1000000 values|over the limit/,
    ],
    ['empty file', new Uint8Array(0), /too few/],
  ];
  for (const [title, bytes, message] of cases) {
    assert.throws(
      () => parseSafetensors(bytes, 'model.safetensors'),
      (error) => {
        assert.ok(isA2sfError(error), title);
        assert.equal(error.code, 'DATA_LOSS', title);
        assert.match(error.message, /^model\.safetensors: /, title);
        assert.match(error.message, message, title);
        assert.ok(error.message.length < 400, title);
        return true;
      },
    );
  }
});

test('a shape that does not fit its data and a reserved name are not encoded', () => {
  const data = new Uint8Array(4);
  assert.throws(() => encodeSafetensors(new Map([['a', { dtype: 'F32', shape: [2], data }]])), /do not fill F32 \[2\]/);
  assert.throws(
    () => encodeSafetensors(new Map([['__metadata__', { dtype: 'F32', shape: [1], data }]])),
    /not a tensor name/,
  );
});
