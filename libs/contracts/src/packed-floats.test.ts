import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { PolicyServiceClient, protoFolder } from './load.js';

const loaded = loadSync('a2sf/policy/v1/policy.proto', {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [protoFolder],
});
const generalOf = (name: string) => loaded[`a2sf.policy.v1.${name}`] as MessageTypeDefinition<object, object>;
const { SelectActions, Update } = PolicyServiceClient.service;

const embedding = { values: [0, -0, 1.5, 1 / 3, 1e-45, 3e38, 1e300, -Infinity, NaN], tokens: 7, encoderId: 'é' };
const requests = {
  requests: [
    { embedding, explore: true, beta: 0.5, key: 'k' },
    { text: 'no embedding', explain: true },
    { embedding: { values: [], empty: true } },
    { embedding: {} },
    {},
    { embedding: { values: Array.from({ length: 300 }, (_, i) => i / 7) } },
  ],
};
const update = {
  updateId: 'u',
  experiences: [
    { id: 'x', embedding, actionIndex: 3, reward: 0.25, rewards: [0.5, 1] },
    { id: 'y', embedding: null },
    { id: 'z', embedding: { values: [2] } },
  ],
};

for (const [name, method, message] of [
  ['SelectActionsRequest', SelectActions, requests],
  ['UpdateRequest', Update, update],
] as const) {
  const general = generalOf(name);
  const serialize = method.requestSerialize;

  test(`${name}: the bytes and what is read from them are those of the general codec`, () => {
    for (const value of [message, {}]) {
      const bytes = general.serialize(value);
      assert.deepEqual(serialize(value), bytes);
      assert.deepEqual(method.requestDeserialize(bytes), general.deserialize(bytes));
    }
  });

  test(`${name}: bytes that are changed or cut anywhere are read or refused as by the general codec`, () => {
    const bytes = general.serialize(message).subarray(0, 160);
    const outcome = (read: (given: Buffer) => object, given: Buffer) => {
      try {
        return read(given);
      } catch {
        return 'refused';
      }
    };
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x0a, 0x0d, 0x12, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        for (const given of [changed, bytes.subarray(0, at)]) {
          const [own, other] = [method.requestDeserialize, general.deserialize].map((read) => outcome(read, given));
          assert.deepEqual(own, other, `byte ${at}: ${value}`);
        }
      }
    }
  });
}

test('an embedding that is sent in pieces, and floats that are not packed, are read as by the general codec', () => {
  const general = generalOf('SelectActionsRequest');
  const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
  const field = (tag: number, bytes: Buffer) => Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
  const unpacked = Buffer.concat([Buffer.of(0x0d), floats(1), Buffer.of(0x0d), floats(2)]);
  for (const request of [
    field(0x12, unpacked),
    field(0x12, Buffer.concat([field(0x0a, floats(1)), field(0x0a, floats(2, 3))])),
    Buffer.concat([field(0x12, field(0x0a, floats(1))), field(0x12, field(0x0a, floats(2)))]),
  ]) {
    const bytes = field(0x0a, request);
    assert.deepEqual(SelectActions.requestDeserialize(bytes), general.deserialize(bytes));
  }
});

test('what is no list of numbers is refused as by the general codec', () => {
  const wrong = { requests: [{ embedding: { values: 'text' } }] };
  assert.throws(() => (SelectActions.requestSerialize as (value: object) => Buffer)(wrong), /array expected/);
});
