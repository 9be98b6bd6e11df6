import type { Metrics } from '@a2sf/observability';
import type { DurableEvent, Recovery } from './durable-learner.js';
import type { FetchOutcome } from './replica-follower.js';
import type { Selection } from './choosing.js';
import type { PolicyDescription, UpdateOutcome } from './learner.js';

/** What a policy server tells Prometheus. */
export interface PolicyMetrics {
  /** Times the choosing of actions; the function ends the measurement. */
  startSelect(): () => void;
  observeSelections(selections: readonly Selection[]): void;
  observeUpdate(outcome: Pick<UpdateOutcome, 'answer' | 'bounds'>): void;
  observeRefusal(experiences: number): void;
  /** A policy was loaded: its version, and a series at 0 for each action of its space. */
  observePolicy(policy: PolicyDescription): void;
  /** The kept state was loaded. */
  observeRecovery(recovery: Recovery): void;
  observeState(event: DurableEvent): void;
  /** An update was refused because it could not be written. */
  observeUnwritten(): void;
  /** Lines of the decision log were lost. */
  observeDropped(lines: number): void;
}

/** What a replica tells of its learner. */
export interface ReplicaMetrics {
  observeFetch(outcome: FetchOutcome): void;
  observeStanding(lagSeconds: number, versionsBehind: number): void;
}

export function replicaMetrics(metrics: Metrics): ReplicaMetrics {
  const fetches = metrics.counter('a2sf_policy_replica_fetches_total');
  const lag = metrics.gauge('a2sf_policy_replica_lag_seconds');
  const behind = metrics.gauge('a2sf_policy_replica_versions_behind');
  return {
    observeFetch: (outcome) => fetches.inc({ outcome }),
    observeStanding(lagSeconds, versionsBehind) {
      lag.set(lagSeconds);
      behind.set(versionsBehind);
    },
  };
}

export function policyMetrics(metrics: Metrics): PolicyMetrics {
  const selectSeconds = metrics.histogram('a2sf_policy_select_seconds');
  const actions = metrics.counter('a2sf_policy_actions_total');
  const budgets = metrics.counter('a2sf_policy_budgets_total');
  const version = metrics.gauge('a2sf_policy_version');
  const loss = metrics.gauge('a2sf_policy_prediction_loss');
  const uncertainty = metrics.histogram('a2sf_policy_uncertainty');
  const updates = metrics.counter('a2sf_policy_updates_total');
  const rejected = metrics.counter('a2sf_policy_rewards_rejected_total');
  const recordsCut = metrics.counter('a2sf_policy_log_records_cut_total');
  const snapshots = metrics.counter('a2sf_policy_snapshots_total');
  const unwritten = metrics.counter('a2sf_policy_updates_unwritten_total');
  const fullCache = metrics.counter('a2sf_policy_full_cache_total');
  const shadows = metrics.counter('a2sf_policy_shadow_decisions_total');
  const boundsChecked = metrics.counter('a2sf_policy_bound_checked_total');
  const boundsViolated = metrics.counter('a2sf_policy_bound_violations_total');
  const challenger = metrics.gauge('a2sf_policy_challenger_version');
  const dropped = metrics.counter('a2sf_policy_decisions_dropped_total');
  for (const counter of [boundsChecked, boundsViolated, dropped]) counter.inc(0);
  challenger.set(0);
  for (const outcome of ['written', 'failed'] as const) snapshots.inc({ outcome }, 0);
  updates.inc(0);
  rejected.inc(0);
  version.set(0);
  return {
    startSelect: () => selectSeconds.startTimer(),
    observeSelections(selections) {
      for (const selection of selections) {
        actions.inc({ a: selection.a, b: selection.b });
        if (selection.budget !== undefined) budgets.inc({ budget: selection.budget });
        const { fullCache: reason, shadow, lowerBound } = selection;
        if (lowerBound !== undefined) uncertainty.observe(selection.uncertainty);
        if (reason !== undefined) fullCache.inc({ reason });
        if (shadow !== undefined) shadows.inc({ same: shadow.actionIndex === selection.actionIndex ? 'yes' : 'no' });
      }
    },
    observeUpdate({ answer, bounds }) {
      updates.inc();
      boundsChecked.inc(bounds.checked);
      boundsViolated.inc(bounds.violated);
      loss.set(answer.loss);
      version.set(answer.policyVersion);
    },
    observeRefusal: (experiences) => rejected.inc(experiences),
    observePolicy({ aValues, bValues, budgets: all, policyVersion, challengerVersion }) {
      version.set(policyVersion);
      challenger.set(challengerVersion);
      for (const a of aValues) for (const b of bValues) actions.inc({ a, b }, 0);
      for (const budget of all) budgets.inc({ budget }, 0);
    },
    observeRecovery: (recovery) => recordsCut.inc(recovery.recordsCut),
    observeState: ({ kind }) => snapshots.inc({ outcome: kind === 'snapshot' ? 'written' : 'failed' }),
    observeUnwritten: () => unwritten.inc(),
    observeDropped: (lines) => dropped.inc(lines),
  };
}
