import type { Metrics } from '@a2sf/observability';
import { baselineNames, mean, type MemberFault, type StageSeconds, type TrainingObserver } from '@a2sf/training';

/** The metrics of a run. */
export interface TrainerMetrics extends TrainingObserver {
  onGeneratorFault(fault: MemberFault): void;
  /** How many generators are known, and how many of them are not passed over. */
  countGenerators(known: number, usable: number): void;
  /** Whether the run waits for room on the disk of its folder. */
  setDiskFull(full: boolean): void;
}

/** Puts what happens in a run into the process's metrics. */
export function trainerMetrics(metrics: Metrics): TrainerMetrics {
  const iteration = metrics.gauge('a2sf_trainer_iteration');
  const reward = metrics.gauge('a2sf_trainer_reward');
  const regret = metrics.gauge('a2sf_trainer_regret');
  const episodes = metrics.counter('a2sf_trainer_episodes_total');
  const stageSeconds = metrics.histogram('a2sf_trainer_stage_seconds');
  const evaluationReward = metrics.gauge('a2sf_trainer_evaluation_reward');
  const checkpointTime = metrics.gauge('a2sf_trainer_last_checkpoint_timestamp_seconds');
  const faults = metrics.counter('a2sf_trainer_generator_faults_total');
  const generators = metrics.gauge('a2sf_trainer_generators');
  const diskFull = metrics.gauge('a2sf_trainer_disk_full');
  let exactRegret = false;
  const observe = (seconds: StageSeconds) => {
    for (const [stage, value] of Object.entries(seconds)) {
      stageSeconds.observe({ stage: stage as keyof StageSeconds }, value);
    }
  };
  return {
    onGeneratorFault: (fault) => faults.inc({ fault }, 1),
    countGenerators(known, usable) {
      generators.set({ state: 'usable' }, usable);
      generators.set({ state: 'passed_over' }, known - usable);
    },
    setDiskFull: (full) => diskFull.set(full ? 1 : 0),
    onIteration(batch, _loss, seconds) {
      if (batch.regret !== undefined) {
        exactRegret = true;
        regret.set(batch.regret);
      }
      iteration.set(batch.iteration);
      reward.set(batch.avgReward);
      const keptAll = batch.episodes.filter((episode) => episode.keptAll).length;
      episodes.inc({ outcome: 'kept_all' }, keptAll);
      episodes.inc({ outcome: 'settled' }, batch.episodes.length - keptAll);
      observe(seconds);
    },
    onFailed(count) {
      episodes.inc({ outcome: 'failed' }, count);
    },
    onEvaluation(line, seconds) {
      observe({ evaluate: seconds });
      evaluationReward.set({ baseline: 'policy' }, line.eval_avg_reward);
      // Made where they are known: the 0 that a gauge begins with would say that all is well.
      const { eval_calibration_error: error, eval_bound_violations: violated } = line;
      if (error !== undefined) metrics.gauge('a2sf_trainer_evaluation_calibration_error').set(error);
      if (violated !== undefined) metrics.gauge('a2sf_trainer_evaluation_bound_violation_ratio').set(violated);
      for (const name of baselineNames) {
        const baseline = line.baselines[name];
        if (baseline !== undefined) evaluationReward.set({ baseline: name }, baseline.mean);
      }
      const oracle = line.baselines.oracle;
      if (oracle !== undefined && !exactRegret) regret.set(oracle.mean - mean(line.eval_rewards));
    },
    onCheckpoint(_iteration, seconds) {
      observe({ checkpoint: seconds });
      checkpointTime.set(Date.now() / 1000);
    },
  };
}
