import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { PolicyServiceStub } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { createLogger, inSpan, startTracing } from '@a2sf/observability';
import { callClientStream, callServerStream, callUnary } from './calls.js';
import { waitUntilServing } from './wait-until-serving.js';
import { type Loopback, type PolicyHandlers, refusal, withPolicy } from './loopback.fixture.js';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

interface Body {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

const [server, client] = [2, 3];

/** The spans that the calls of `use` leave with a collector. */
async function spansOf(
  handlers: Partial<PolicyHandlers>,
  use: (client: PolicyServiceStub, loopback: Loopback) => Promise<void>,
): Promise<Span[]> {
  const spans: Span[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body) as Body;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const tracing = await startTracing({ name: 'test', log: createLogger({ name: 'test', level: 'silent' }) });
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  try {
    await withPolicy(handlers, use);
  } finally {
    await tracing.stop();
    collector.close();
    collector.closeAllConnections();
  }
  return spans;
}

/** The client's and the server's span of the only call of a method. */
function pairOf(spans: readonly Span[], method: string): Span[] {
  const named = spans.filter(({ name }) => name === `a2sf.policy.v1.PolicyService/${method}`);
  assert.equal(named.length, 2);
  return [client, server].map((kind) => named.find((span) => span.kind === kind)!);
}

const attributesOf = ({ attributes }: Span): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]));

describe('the spans of a call', () => {
  test('hang on each other, and on the span that the call was made in; logs of the handler carry their trace', async () => {
    let seen: Loopback | undefined;
    const spans = await spansOf(
      {
        GetInfo: async (_, { log }) => {
          log.info('handled');
          return { agent: 'x' };
        },
      },
      async (stub, loopback) => {
        seen = loopback;
        await inSpan('top', {}, () => callUnary(stub, 'getInfo', {}));
      },
    );
    const [made, served] = pairOf(spans, 'GetInfo');
    const top = spans.find(({ name }) => name === 'top')!;
    assert.deepEqual([made!.parentSpanId, served!.parentSpanId], [top.spanId, made!.spanId]);
    assert.equal(served!.traceId, top.traceId);
    const names = { 'rpc.system': 'grpc', 'rpc.service': 'a2sf.policy.v1.PolicyService', 'rpc.method': 'GetInfo' };
    assert.deepEqual(attributesOf(served!), { ...names, 'rpc.grpc.status_code': 0 });
    assert.deepEqual(attributesOf(made!), { ...names, 'rpc.grpc.status_code': 0, 'server.address': seen!.address });
    for (const message of ['handled', 'call ended']) {
      const line = seen!.log.find(({ msg, method }) => msg === message && String(method).endsWith('GetInfo'))!;
      assert.deepEqual([line['trace_id'], line['span_id']], [served!.traceId, served!.spanId], message);
    }
  });

  test("a refusal is the client's error and not the server's, a broken handler is both; neither tells its words", async () => {
    const spans = await spansOf(
      {
        Update: () => Promise.reject(A2sfError.invalid('update_id', 'must not be "a secret"')),
        SelectAction: () => Promise.reject(new Error('a secret')),
      },
      async (stub) => {
        await refusal(callUnary(stub, 'update', {}));
        await refusal(callUnary(stub, 'selectAction', {}));
      },
    );
    const failed = (method: string) => pairOf(spans, method).map(({ status }) => status.code === 2);
    assert.deepEqual(failed('Update'), [true, false]);
    assert.deepEqual(failed('SelectAction'), [true, true]);
    for (const span of pairOf(spans, 'Update')) {
      const { 'error.type': type, 'rpc.grpc.status_code': code } = attributesOf(span);
      assert.deepEqual([type, code], ['INVALID_ARGUMENT', 3]);
    }
    assert.ok(!JSON.stringify(spans).includes('secret'));
  });

  test('a stream that its reader leaves is cancelled without error, one that is read to its end is OK', async () => {
    const ExportCheckpoint = async function* ({ iteration }: { readonly iteration?: number }) {
      const chunks = iteration === 1 ? 1_000_000 : 3;
      for (let i = 0; i < chunks; i++) yield { data: Buffer.from([i]) };
      await Promise.resolve();
    };
    const codes = async (iteration: number): Promise<[unknown, boolean]> => {
      const spans = await spansOf({ ExportCheckpoint }, async (stub) => {
        for await (const _ of callServerStream(stub, 'exportCheckpoint', { iteration })) if (iteration === 1) break;
      });
      const [made] = pairOf(spans, 'ExportCheckpoint');
      return [attributesOf(made!)['rpc.grpc.status_code'], made!.status.code === 2];
    };
    assert.deepEqual(await codes(0), [0, false]);
    assert.deepEqual(await codes(1), [1, false]);
  });

  test('an upload has one pair, whatever it sends; health checks have none', async () => {
    const ImportCheckpoint = async (messages: AsyncIterable<unknown>) => {
      for await (const _ of messages);
      return {};
    };
    const spans = await spansOf({ ImportCheckpoint }, async (stub, { address }) => {
      await waitUntilServing(address, { timeoutMs: 60_000 });
      await callClientStream(stub, 'importCheckpoint', [{ data: Buffer.from('a') }, { data: Buffer.from('b') }]);
    });
    assert.equal(spans.length, 2);
    const [made, served] = pairOf(spans, 'ImportCheckpoint');
    assert.equal(served!.parentSpanId, made!.spanId);
  });
});
