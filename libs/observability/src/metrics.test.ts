import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { metricSchema, type MetricDefinition } from './metric-schema.js';
import { Metrics } from './metrics.js';

/** Parses the text format: sample name with labels -> value. */
function samples(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$/.exec(line);
    assert.ok(match, `not a sample: ${line}`);
    assert.ok(!found.has(match[1]!), `twice: ${line}`);
    found.set(match[1]!, Number(match[2]));
  }
  return found;
}

const definitions = Object.entries<MetricDefinition>(metricSchema);

describe('the metric schema', () => {
  test('every name follows the conventions of Prometheus: prefix, base unit, _total for counters only', () => {
    for (const [name, { type, unit, help }] of definitions) {
      assert.match(name, /^a2sf_(generator|policy|reward|encoder|trainer)_[a-z_]+$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      if (unit !== undefined) assert.ok(name.replace(/_total$/, '').endsWith(`_${unit}`), name);
      assert.match(help, /^[A-Z].*\.$/);
    }
  });

  test('histograms have ascending buckets, and only they have some', () => {
    for (const [name, { type, buckets }] of definitions) {
      assert.equal(buckets !== undefined, type === 'histogram', name);
      assert.deepEqual(
        [...(buckets ?? [])].sort((a, b) => a - b),
        [...(buckets ?? [])],
        name,
      );
    }
  });

  test('no label is free text: every one has a closed set of values or is of the action space', () => {
    for (const [name, { labels }] of definitions) {
      for (const values of Object.values(labels ?? {})) {
        assert.ok(values === 'action-space' || new Set(values).size === values.length, name);
      }
    }
  });
});

describe('Metrics', () => {
  test('what is counted is what is scraped', async () => {
    const metrics = new Metrics({ processMetrics: false });
    metrics.counter('a2sf_generator_tokens_total').inc({ kind: 'prompt' }, 7);
    metrics.counter('a2sf_policy_updates_total').inc();
    metrics.counter('a2sf_policy_actions_total').inc({ a: 0.001, b: 16 });
    metrics.gauge('a2sf_policy_version').set(3);
    metrics.gauge('a2sf_trainer_evaluation_reward').set({ baseline: 'h2o' }, 0.5);
    metrics.histogram('a2sf_reward_score_seconds').observe({ metric: 'cosine' }, 0.02);
    metrics.histogram('a2sf_encoder_encode_seconds').observe(0.02);
    const found = samples(await metrics.registry.metrics());
    assert.equal(found.get('a2sf_generator_tokens_total{kind="prompt"}'), 7);
    assert.equal(found.get('a2sf_policy_updates_total'), 1);
    assert.equal(found.get('a2sf_policy_actions_total{a="0.001",b="16"}'), 1);
    assert.equal(found.get('a2sf_policy_version'), 3);
    assert.equal(found.get('a2sf_trainer_evaluation_reward{baseline="h2o"}'), 0.5);
    assert.equal(found.get('a2sf_reward_score_seconds_count{metric="cosine"}'), 1);
    assert.equal(found.get('a2sf_encoder_encode_seconds_bucket{le="0.025"}'), 1);
    assert.equal(found.get('a2sf_encoder_encode_seconds_bucket{le="0.01"}'), 0);
  });

  test('series of closed label sets exist from the beginning', async () => {
    const metrics = new Metrics({ processMetrics: false });
    metrics.counter('a2sf_trainer_episodes_total');
    metrics.histogram('a2sf_trainer_stage_seconds');
    const found = samples(await metrics.registry.metrics());
    assert.equal(found.get('a2sf_trainer_episodes_total{outcome="failed"}'), 0);
    assert.equal(found.get('a2sf_trainer_stage_seconds_count{stage="update"}'), 0);
  });

  test('the same name is the same metric', async () => {
    const metrics = new Metrics({ processMetrics: false });
    metrics.counter('a2sf_policy_updates_total').inc();
    metrics.counter('a2sf_policy_updates_total').inc();
    assert.equal(samples(await metrics.registry.metrics()).get('a2sf_policy_updates_total'), 2);
  });

  test('a timer observes seconds once it is stopped', async () => {
    const metrics = new Metrics({ processMetrics: false });
    const stop = metrics.histogram('a2sf_reward_score_seconds').startTimer({ metric: 'mix' });
    stop();
    const found = samples(await metrics.registry.metrics());
    assert.equal(found.get('a2sf_reward_score_seconds_count{metric="mix"}'), 1);
  });

  test('the process tells memory, processor and event loop, and no gauge that ends in _total', async () => {
    const text = await new Metrics().registry.metrics();
    const found = samples(text);
    for (const name of [
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
    ]) {
      assert.ok(found.has(name), name);
    }
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      assert.equal(name!.endsWith('_total'), type === 'counter', name);
    }
  });
});
