import type { Metrics } from '@a2sf/observability';
import type { DurableEvent, Recovery } from './durable-learner.js';
import type { PolicyDescription, Selection, UpdateAnswer } from './learner.js';

/** What a policy server tells Prometheus. */
export interface PolicyMetrics {
  /** Times the choosing of actions; the function ends the measurement. */
  startSelect(): () => void;
  observeSelections(selections: readonly Selection[]): void;
  observeUpdate(answer: UpdateAnswer): void;
  observeRefusal(experiences: number): void;
  /** A policy was loaded: its version, and a series at 0 for each action of its space. */
  observePolicy(policy: PolicyDescription): void;
  /** The kept state was loaded. */
  observeRecovery(recovery: Recovery): void;
  observeState(event: DurableEvent): void;
  /** An update was refused because it could not be written. */
  observeUnwritten(): void;
}

export function policyMetrics(metrics: Metrics): PolicyMetrics {
  const selectSeconds = metrics.histogram('a2sf_policy_select_seconds');
  const actions = metrics.counter('a2sf_policy_actions_total');
  const version = metrics.gauge('a2sf_policy_version');
  const loss = metrics.gauge('a2sf_policy_prediction_loss');
  const uncertainty = metrics.histogram('a2sf_policy_uncertainty');
  const updates = metrics.counter('a2sf_policy_updates_total');
  const rejected = metrics.counter('a2sf_policy_rewards_rejected_total');
  const recordsCut = metrics.counter('a2sf_policy_log_records_cut_total');
  const snapshots = metrics.counter('a2sf_policy_snapshots_total');
  const unwritten = metrics.counter('a2sf_policy_updates_unwritten_total');
  for (const outcome of ['written', 'failed'] as const) snapshots.inc({ outcome }, 0);
  updates.inc(0);
  rejected.inc(0);
  version.set(0);
  return {
    startSelect: () => selectSeconds.startTimer(),
    observeSelections(selections) {
      for (const selection of selections) {
        actions.inc({ a: selection.a, b: selection.b });
        if (!selection.useFullCache) uncertainty.observe(selection.uncertainty);
      }
    },
    observeUpdate(answer) {
      updates.inc();
      loss.set(answer.loss);
      version.set(answer.policyVersion);
    },
    observeRefusal: (experiences) => rejected.inc(experiences),
    observePolicy({ aValues, bValues, policyVersion }) {
      version.set(policyVersion);
      for (const a of aValues) for (const b of bValues) actions.inc({ a, b }, 0);
    },
    observeRecovery: (recovery) => recordsCut.inc(recovery.recordsCut),
    observeState: ({ kind }) => snapshots.inc({ outcome: kind === 'snapshot' ? 'written' : 'failed' }),
    observeUnwritten: () => unwritten.inc(),
  };
}
