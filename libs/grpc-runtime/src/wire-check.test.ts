import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EncoderServiceClient, PolicyServiceClient } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import * as fc from 'fast-check';
import { suiteDescriptors } from './descriptors.js';
import { checkWire, defaultWireLimits, wireMessage } from './wire-check.js';

const update = wireMessage(suiteDescriptors(), 'a2sf.policy.v1.UpdateRequest');
const encode = PolicyServiceClient.service.Update.requestSerialize;

function problem(bytes: Uint8Array, type = update, limits = defaultWireLimits): string {
  try {
    checkWire(bytes, type, limits);
    return '';
  } catch (error) {
    assert.ok(error instanceof A2sfError, String(error));
    assert.equal(error.code, 'INVALID_ARGUMENT');
    return error.message;
  }
}

const experience = fc.record({
  id: fc.string({ unit: 'grapheme' }),
  embedding: fc.record({ values: fc.array(fc.float()), tokens: fc.nat(), empty: fc.boolean(), encoderId: fc.string() }),
  actionIndex: fc.nat(),
  reward: fc.double(),
});

describe('the check of raw messages', () => {
  test('accepts whatever the contract’s own encoder writes', () => {
    const message = fc.record({ updateId: fc.string({ unit: 'grapheme' }), experiences: fc.array(experience) });
    fc.assert(fc.property(message, (value) => assert.equal(problem(encode(value)), '')));
  });

  test('accepts or refuses any bytes, never otherwise, and what it accepts can be decoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        if (problem(bytes) === '') PolicyServiceClient.service.Update.requestDeserialize(Buffer.from(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  test('refuses numbers of a length that the decoder would misread', () => {
    const long = (tag: number, bytes: number): Buffer =>
      Buffer.from([tag, ...Array.from({ length: bytes - 1 }, () => 0x80), 0]);
    const info = wireMessage(suiteDescriptors(), 'a2sf.policy.v1.GetInfoResponse');
    const [embeddingDimension, policyVersion, unknown] = [3 << 3, 5 << 3, 15 << 3];
    for (let bytes = 1; bytes <= 11; bytes++) {
      assert.equal(
        problem(long(embeddingDimension, bytes), info) === '',
        bytes <= 5 || bytes === 10,
        `32 bits, ${bytes}`,
      );
      assert.equal(problem(long(policyVersion, bytes), info) === '', bytes <= 10, `64 bits, ${bytes}`);
      assert.equal(problem(long(unknown, bytes), info) === '', bytes <= 10, `unknown, ${bytes}`);
    }
    assert.notEqual(problem(Buffer.from([0x92, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00]), info), '');
  });

  test('refuses a message cut off anywhere but between two of its fields', () => {
    const bytes = encode({
      updateId: 'update',
      experiences: [{ id: 'e', embedding: { values: [1, 2] }, reward: 0.5 }],
    });
    const ends = [0, 8, bytes.length];
    for (let end = 0; end <= bytes.length; end++) {
      assert.equal(problem(bytes.subarray(0, end)) === '', ends.includes(end), `${end} bytes`);
    }
  });

  test('counts packed and unpacked numbers alike', () => {
    const ids = wireMessage(suiteDescriptors(), 'a2sf.types.v1.TokenIds');
    const limits = { ...defaultWireLimits, maxNumbers: 3 };
    assert.equal(problem(Buffer.from([0x0a, 3, 1, 2, 3]), ids, limits), '');
    assert.equal(problem(Buffer.from([0x0a, 4, 1, 2, 3, 4]), ids, limits), 'ids: has more than 3 entries');
    assert.equal(problem(Buffer.from([8, 1, 8, 2, 0x0a, 2, 3, 4]), ids, limits), 'ids: has more than 3 entries');
    assert.equal(problem(Buffer.from([8, 1, 8, 2, 8, 3]), ids, limits), '');
  });

  test('goes no deeper than its limit', () => {
    const bytes = EncoderServiceClient.service.Encode.requestSerialize({ inputs: [{ tokenIds: { ids: [1] } }] });
    const type = wireMessage(suiteDescriptors(), 'a2sf.encoder.v1.EncodeRequest');
    assert.equal(problem(bytes, type, { ...defaultWireLimits, maxDepth: 3 }), '');
    const found = problem(bytes, type, { ...defaultWireLimits, maxDepth: 2 });
    assert.equal(found, 'inputs[0].token_ids: nested deeper than 2 messages');
  });

  test('ends on a type that holds itself, and on a depth of thousands', () => {
    const fields = new Map();
    const type = { name: 'test.Nested', fields };
    fields.set(1, { name: 'inner', kind: 'message', wire: 2, repeated: false, message: type, values: undefined });
    let bytes = Buffer.alloc(0);
    for (let depth = 0; depth < 3000; depth++) {
      const length: number[] = [];
      for (let rest = bytes.length; ; rest >>>= 7) {
        length.push(rest > 127 ? (rest & 127) | 128 : rest);
        if (rest <= 127) break;
      }
      bytes = Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
    }
    assert.match(problem(bytes, type), /^inner(\.inner){31}: nested deeper than 32 messages$/);
  });
});
