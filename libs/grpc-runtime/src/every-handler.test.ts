import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  EncoderServiceClient,
  GeneratorServiceClient,
  PolicyServiceClient,
  RewardServiceClient,
} from '@a2sf/contracts';
import type { ServiceSpec } from './handlers.js';
import { startLoopback } from './loopback.fixture.js';
import { frame, rawCall } from './raw-client.fixture.js';

const INTERNAL = 13;
const services = [EncoderServiceClient, GeneratorServiceClient, PolicyServiceClient, RewardServiceClient];

/** Ways in which a handler of any shape goes wrong with what nobody foresaw. */
const faults: Readonly<Record<string, () => unknown>> = {
  'throws at once': () => {
    throw new TypeError('secret detail');
  },
  'fails after a while': () => {
    const late = async (): Promise<never> => {
      await delay(1);
      throw new RangeError('secret detail');
    };
    const answer = late();
    answer.catch(() => undefined); // a stream is not awaited
    return Object.assign(answer, { [Symbol.asyncIterator]: () => ({ next: late }) });
  },
};

for (const [fault, handler] of Object.entries(faults)) {
  describe(`a handler that ${fault}`, () => {
    for (const { service: definition } of services) {
      for (const [name, method] of Object.entries(definition)) {
        test(`${method.path} is INTERNAL with its request id, once, and without detail`, async () => {
          const spec = { definition: { [name]: method }, handlers: { [name]: handler } } as unknown as ServiceSpec;
          const { port, server, log, sample } = await startLoopback(spec);
          try {
            for (const id of ['first', 'second']) {
              const headers = { 'x-request-id': id };
              const answer = await rawCall(port, method.path, frame(Buffer.alloc(0)), { headers });
              assert.equal(answer.status, INTERNAL);
              assert.equal(answer.message, `internal error, request ${id}`);
            }
            assert.equal(await sample('grpc_server_handled_total', { grpc_method: name, grpc_code: 'INTERNAL' }), 2);
            assert.equal(await sample('grpc_server_handled_total', { grpc_method: name }), 2);
            assert.equal(await sample('grpc_server_in_flight_calls', {}), 0);
            const failed = log.filter(({ msg }) => msg === 'call failed');
            assert.deepEqual(
              failed.map(({ requestId }) => requestId),
              ['first', 'second'],
            );
          } finally {
            await server.stop();
          }
        });
      }
    }
  });
}
