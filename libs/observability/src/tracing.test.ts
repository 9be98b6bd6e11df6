import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { A2sfError } from '@a2sf/errors';
import { createLogger } from './logger.js';
import { OtlpReceiver } from './otlp-receiver.fixture.js';
import { activeTrace, inSpan, isTracing, recordSpan, startClientSpan, startServerSpan } from './tracing-spans.js';
import { startTracing, wantsTraces } from './tracing.js';

type Line = Record<string, unknown>;

let lines: Line[];
let receiver: OtlpReceiver;

const log = () => {
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  return createLogger({ name: 'demo', level: 'info', stream });
};

const carrier = (headers: Map<string, string>) => ({
  get: (name: string) => headers.get(name),
  set: (name: string, value: string) => void headers.set(name, value),
});

const loadedSdk = () =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    /@opentelemetry.(sdk|exporter|otlp|resources|core)/.test(path),
  );

const named = (name: string) => receiver.spans.find((span) => span.name === name)!;

describe('traces', { timeout: 30_000 }, () => {
  beforeEach(async () => {
    lines = [];
    receiver = await OtlpReceiver.start();
  });
  afterEach(() => {
    for (const name of Object.keys(process.env).filter((key) => key.startsWith('OTEL_'))) delete process.env[name];
    receiver.stop();
  });

  test('without a collector nothing of the SDK is loaded, and no span is made', async () => {
    const tracing = await startTracing({ name: 'demo', log: log() });
    assert.equal(isTracing(), false);
    assert.equal(await inSpan('work', {}, async () => activeTrace()), undefined);
    assert.equal(
      startClientSpan('/a.B/C', () => assert.fail('the peer is asked for'), carrier(new Map())),
      undefined,
    );
    assert.deepEqual(loadedSdk(), []);
    await tracing.stop();
  });

  test("OpenTelemetry's own variables switch them on and off", () => {
    assert.equal(wantsTraces({}), false);
    assert.equal(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }), false);
    assert.equal(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318' }), true);
    assert.equal(wantsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://x:4318/v1/traces' }), true);
    assert.equal(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318', OTEL_SDK_DISABLED: 'true' }), false);
    assert.equal(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x:4318', OTEL_TRACES_EXPORTER: 'none' }), false);
  });

  test('spans are nested across awaits, calls and finished stages, and log lines carry their ids', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    const logger = log();
    const tracing = await startTracing({ name: 'demo', log: logger });
    assert.notDeepEqual(loadedSdk(), []);
    const headers = new Map<string, string>();
    const ended = { code: 0, name: 'OK', failed: false };
    await inSpan('outer', { 'a2sf.iteration': 1 }, async () => {
      await delay(2);
      const made = startClientSpan('/a2sf.x.v1.X/Do', () => 'host:1', carrier(headers))!;
      const served = startServerSpan('/a2sf.x.v1.X/Do', carrier(headers))!;
      await served.run(async () => {
        await delay(2);
        logger.info('within');
        const now = Date.now();
        recordSpan('stage', now - 50, now - 20);
      });
      served.end(ended);
      made.end(ended);
    });
    logger.info('outside');
    await tracing.stop();
    const [outer, stage] = [named('outer'), named('stage')];
    const calls = receiver.spans.filter(({ name }) => name === 'a2sf.x.v1.X/Do');
    const [served, made] = [calls.find(({ kind }) => kind === 2)!, calls.find(({ kind }) => kind === 3)!];
    assert.equal(outer.parentSpanId, undefined);
    assert.deepEqual(
      [made, served, stage].map(({ parentSpanId }) => parentSpanId),
      [outer.spanId, made.spanId, served.spanId],
    );
    assert.equal(new Set(receiver.spans.map(({ traceId }) => traceId)).size, 1);
    assert.equal(Number(BigInt(stage.endTimeUnixNano) - BigInt(stage.startTimeUnixNano)), 30_000_000);
    const [within, outside] = lines;
    assert.deepEqual([within!['trace_id'], within!['span_id']], [served.traceId, served.spanId]);
    assert.equal('trace_id' in outside!, false);
    assert.match(receiver.bodies[0]!, /"a2sf-demo"/);
    assert.equal(isTracing(), false);
  });

  test('an error is noted by its code, never by its words', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    const tracing = await startTracing({ name: 'demo', log: log() });
    const failing = inSpan('failing', {}, async () => {
      throw A2sfError.invalid('prompt.text', 'must not be "a secret"');
    });
    await assert.rejects(failing, /a secret/);
    await tracing.stop();
    assert.equal(named('failing').status.code, 2);
    assert.deepEqual(
      named('failing').attributes.map(({ key, value }) => [key, value['stringValue']]),
      [['error.type', 'INVALID_ARGUMENT']],
    );
    assert.ok(!receiver.bodies.join().includes('secret'));
  });

  test('what the sampler leaves out is not sent, and the next process is told so', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    process.env['OTEL_TRACES_SAMPLER'] = 'traceidratio';
    process.env['OTEL_TRACES_SAMPLER_ARG'] = '0';
    const tracing = await startTracing({ name: 'demo', log: log() });
    const headers = new Map<string, string>();
    await inSpan('left out', {}, async () => {
      startClientSpan('/a.B/C', () => 'host:1', carrier(headers))!.end({ code: 0, name: 'OK', failed: false });
    });
    await tracing.stop();
    assert.match(headers.get('traceparent')!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.deepEqual(receiver.bodies, []);
  });

  test('a collector that fails is logged once until it is back, and work goes on', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    process.env['OTEL_BSP_SCHEDULE_DELAY'] = '5';
    const tracing = await startTracing({ name: 'demo', log: log() });
    const workUntil = async (enough: () => boolean) => {
      while (!enough()) {
        assert.equal(await inSpan('work', {}, async () => 'done'), 'done');
        await delay(5);
      }
    };
    receiver.status = 400;
    await workUntil(() => receiver.bodies.length >= 4);
    receiver.status = 200;
    await workUntil(() => lines.length >= 2);
    await tracing.stop();
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn', 'info'],
    );
  });

  test('a collector that never answers does not hold up the end', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    receiver.status = 0;
    const tracing = await startTracing({ name: 'demo', log: log() });
    await inSpan('work', {}, async () => undefined);
    await tracing.stop();
    assert.equal(receiver.bodies.length, 1);
  });

  test('more spans than the queue holds are dropped, not kept', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    process.env['OTEL_BSP_MAX_QUEUE_SIZE'] = '8';
    process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = '8';
    process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '200';
    receiver.status = 0;
    const tracing = await startTracing({ name: 'demo', log: log() });
    for (let i = 0; i < 100; i++) await inSpan('work', {}, async () => undefined);
    await tracing.stop();
    const sent = receiver.bodies.join().split('"name":"work"').length - 1;
    assert.ok(sent <= 16, `${sent}`);
  });
});
