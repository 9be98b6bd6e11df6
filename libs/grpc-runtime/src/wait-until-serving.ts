import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  type requestCallback,
  makeGenericClientConstructor,
} from '@grpc/grpc-js';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { service } from 'grpc-health-check';
import { callUnary } from './calls.js';
import { type ClientConstructor, type ConnectOptions, addressOf, connect } from './channel.js';

/** The client of grpc.health.v1. */
export interface HealthClient extends Client {
  check(argument: { service?: string }, callback: requestCallback<{ status: string }>): ClientUnaryCall;
  watch(argument: { service?: string }): ClientReadableStream<{ status: string }>;
}

const HealthClientConstructor = makeGenericClientConstructor(
  service,
  'Health',
) as unknown as ClientConstructor<HealthClient>;

export function healthClient(address: string, o: ConnectOptions = {}): HealthClient {
  return connect(HealthClientConstructor, address, o);
}

const pauseMs = 100;
const checkTimeoutMs = 2000;

/**
 * Waits until a server answers SERVING to grpc.health.v1.
 *
 * @throws A2sfError UNAVAILABLE, reason `not-serving`, when it does not within `timeoutMs`; the signal's reason when that
 * aborts.
 */
export async function waitUntilServing(
  address: string,
  o: { readonly timeoutMs: number; readonly signal?: AbortSignal } & Pick<ConnectOptions, 'security'>,
): Promise<void> {
  const client = healthClient(address, o.security === undefined ? {} : { security: o.security });
  const end = performance.now() + o.timeoutMs;
  const signal = o.signal === undefined ? {} : { signal: o.signal };
  let last = 'no answer';
  try {
    while (performance.now() < end) {
      try {
        const timeoutMs = Math.max(1, Math.min(checkTimeoutMs, end - performance.now()));
        last = (await callUnary(client, 'check', {}, { timeoutMs, ...signal })).status;
        if (last === 'SERVING') return;
      } catch (error) {
        if (o.signal?.aborted === true || !isA2sfError(error)) throw error;
        // A check that the end of the wait cut short tells less than the one before it.
        if (performance.now() < end) last = error.message;
      }
      await delay(Math.max(0, Math.min(pauseMs, end - performance.now())));
    }
    throw new A2sfError('UNAVAILABLE', `${addressOf(client)} is not serving after ${o.timeoutMs} ms: ${last}`, {
      reason: 'not-serving',
    });
  } finally {
    client.close();
  }
}
