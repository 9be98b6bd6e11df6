import { A2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import { inSpan } from '@a2sf/observability';
import type { HyperParameters } from '@a2sf/run-store';
import type { RewardRow } from './baselines.js';
import type { Settle } from './episodes.js';
import { Evaluation, type EvaluationLine } from './evaluation.js';
import type { GenerationSettings } from './generation.js';
import { collectBatch, episodePrompts, updateId, type Batch, type Feedback } from './iteration.js';
import { everyIndex, type KnownPrompts } from './known-prompts.js';
import { hasStalled } from './patience.js';
import type { PolicyPeer } from './peers.js';
import type { RewardRule } from './reward-rule.js';
import type { BestCheckpoint, ProgressLine, RunRecords } from './run-records.js';
import { budgetsOf } from './action-budgets.js';
import { StageClock, type StageSeconds } from './stage-clock.js';

/** All that defines what a run computes. */
export interface TrainingSettings {
  /** The last iteration, counted from 1; a resumed run stops at the same one. */
  readonly iterations: number;
  readonly episodesPerUpdate: number;
  readonly feedback: Feedback;
  /** Evaluations in a row without improvement after which the run ends; 0: it never ends for that. */
  readonly patience: number;
  /** Weight of the exploration bonus. */
  readonly beta: number;
  /** Seed of the bootstrap intervals. */
  readonly seed: number;
  /** Name of the run in the ids that the policy sees; the same for a resumed run. */
  readonly runId: string;
  readonly space: ActionSpace;
  readonly hyperParameters: HyperParameters;
  readonly reward: RewardRule;
  readonly generation: GenerationSettings;
  /** Identity of the language model. */
  readonly modelId: string;
  /** Iterations between evaluations, log lines and checkpoints. */
  readonly evalFrequency: number;
  readonly logFrequency: number;
  readonly checkpointFrequency: number;
}

/** What a run works with. */
export interface TrainingContext {
  readonly settings: TrainingSettings;
  readonly policy: PolicyPeer;
  readonly train: KnownPrompts;
  /** How episodes come to their rewards. */
  readonly settle: Settle;
  /** True when the rows of the training prompts that episodes visited are known: baselines are then chosen on them too. */
  readonly knowsTrainRows: boolean;
  readonly evaluation: KnownPrompts;
  /** Index of the training prompt of an episode number, from 0. */
  readonly promptOf: (episode: number) => number;
  readonly records: RunRecords;
  readonly observer: TrainingObserver;
}

/** Where a run begins: iteration 0 and a new policy, or a checkpoint. */
export interface TrainingStart {
  readonly iteration: number;
  readonly checkpoint: Uint8Array;
  /** False when the checkpoint lies in the run's folder already. */
  readonly write: boolean;
}

/** Told of what happens, for displays and metrics; must not throw. */
export interface TrainingObserver {
  onEvaluationSweep?(done: number, of: number): void;
  onEvaluationReady?(prompts: number, keptAll: number): void;
  onIteration?(batch: Batch, predictionLoss: number | undefined, seconds: StageSeconds): void;
  /** A peer failed; the iteration's episodes are lost, and a resumed run will run them again. */
  onFailed?(episodes: number): void;
  onEvaluation?(line: EvaluationLine, seconds: number): void;
  onCheckpoint?(iteration: number, seconds: number): void;
}

/** How a run ended. */
export interface TrainingOutcome {
  /** The last complete iteration. */
  readonly iteration: number;
  /** True when the signal ended it before the last iteration. */
  readonly interrupted: boolean;
  /** True when the evaluation reward had not improved for as many evaluations as the run's patience. */
  readonly stalled: boolean;
  /** The checkpoint of the highest evaluation reward; undefined without any evaluation. */
  readonly best: BestCheckpoint | undefined;
  /** The last evaluation of the run's folder. */
  readonly evaluation: EvaluationLine | undefined;
}

/**
 * Trains from `start` to the last iteration: per iteration E episodes and one update; now and then a log line, an
 * evaluation of the greedy policy and a checkpoint, the last two also at the end. A run that goes on from a checkpoint
 * gives the numbers of one that was never stopped: every choice follows from the policy's state and the iteration.
 *
 * When `signal` fires, the iteration in work is given up, a checkpoint is written at the last complete one, and the
 * outcome says so. When a peer fails, the same is tried and the peer's error is thrown.
 */
export async function train(
  context: TrainingContext,
  start: TrainingStart,
  signal: AbortSignal,
): Promise<TrainingOutcome> {
  return new Run(context, start, signal).run();
}

class Run {
  readonly #context: TrainingContext;
  readonly #start: TrainingStart;
  readonly #signal: AbortSignal;
  /** The last complete iteration. */
  #iteration: number;
  /** Iteration of the newest checkpoint on disk. */
  #checkpointed = -1;
  /** True while it is not known whether the policy stands at `#iteration`. */
  #uncertain = true;
  /** The embeddings of the next iteration's prompts, which the encoder makes while the generators are at work. */
  #ahead: Promise<unknown> = Promise.resolve();
  /** Ends what is done ahead. */
  readonly #over = new AbortController();

  constructor(context: TrainingContext, start: TrainingStart, signal: AbortSignal) {
    this.#context = context;
    this.#start = start;
    this.#signal = signal;
    this.#iteration = start.iteration;
  }

  async run(): Promise<TrainingOutcome> {
    let interrupted = false;
    try {
      await this.#steps();
    } catch (error) {
      interrupted = this.#signal.aborted;
      await this.#rescue(interrupted);
      if (!interrupted) throw error;
    } finally {
      this.#over.abort();
      await this.#ahead.catch(() => undefined); // it writes into the run's folder
    }
    const { records } = this.#context;
    return {
      iteration: this.#iteration,
      interrupted,
      stalled: !interrupted && this.#hasStalled(),
      best: await records.best(),
      evaluation: records.evaluations().at(-1),
    };
  }

  async #steps(): Promise<void> {
    const { settings, policy, records } = this.#context;
    const start = this.#start;
    await policy.importCheckpoint(start.checkpoint);
    this.#uncertain = false;
    await this.#requireLearningRate();
    if (start.write) await records.writeCheckpoint(start.iteration, start.checkpoint);
    this.#checkpointed = start.iteration;
    const evaluation = await this.#prepareEvaluation();
    await this.#evaluateWhenDue(evaluation);
    while (this.#iteration < settings.iterations && !this.#hasStalled()) {
      await inSpan('iteration', { 'a2sf.iteration': this.#iteration + 1 }, () => this.#iterate());
      await this.#evaluateWhenDue(evaluation);
      if (this.#isDue(settings.checkpointFrequency) || this.#hasStalled()) await this.#checkpoint();
    }
  }

  /** A policy that was started with flags of its own would learn otherwise than the run's config.json says. */
  async #requireLearningRate(): Promise<void> {
    const { policy, settings } = this.#context;
    const served = (await policy.describePolicy(this.#signal)).hyperParameters;
    const wanted = settings.hyperParameters;
    if (served === null) return;
    const { lr, maxGradNorm, stepsPerUpdate = 1 } = wanted;
    const steps = served.stepsPerUpdate || 1; // servers of older versions say 0
    if (served.lr === lr && served.maxGradNorm === maxGradNorm && steps === stepsPerUpdate) return;
    const message =
      `policy: it learns with lr ${served.lr}, max_grad_norm ${served.maxGradNorm} and steps_per_update ${steps}, ` +
      `the run is defined with ${lr}, ${maxGradNorm} and ${stepsPerUpdate}; start it without these flags`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'policy', reason: 'other-hyper-parameters' });
  }

  async #iterate(): Promise<void> {
    const { settings, policy, records, observer, train, settle, promptOf } = this.#context;
    const iteration = this.#iteration + 1;
    const clock = new StageClock();
    const settleBeside: Settle = (...batch) => {
      this.#prepare(iteration + 1);
      return settle(...batch);
    };
    const collect = async (): Promise<Batch> => {
      await clock.time('encode', () => this.#ahead);
      const context = { ...settings, policy, prompts: train, settle: settleBeside, promptOf };
      return collectBatch(iteration, context, clock, this.#signal);
    };
    const batch = await collect().catch((error: unknown) => {
      if (!this.#signal.aborted) observer.onFailed?.(settings.episodesPerUpdate);
      throw error;
    });
    this.#signal.throwIfAborted();
    this.#uncertain = true;
    const loss = await this.#update(batch, clock);
    this.#iteration = iteration;
    this.#uncertain = false;
    observer.onIteration?.(batch, loss, clock.seconds);
    if (this.#isDue(settings.logFrequency)) await records.appendProgress(progressLine(batch, loss, clock.seconds));
  }

  /** Has the prompts of an iteration embedded; a failure is that of the iteration. */
  #prepare(iteration: number): void {
    const { settings, train, promptOf } = this.#context;
    if (iteration > settings.iterations) return;
    const signal = AbortSignal.any([this.#signal, this.#over.signal]);
    const indices = episodePrompts(iteration, settings.episodesPerUpdate, promptOf);
    this.#ahead = inSpan('encode', { 'a2sf.iteration': iteration }, () => train.embeddings(indices, signal));
    this.#ahead.catch(() => undefined); // told when it is waited for
  }

  /** One learning step from what was seen; undefined when nothing was. */
  async #update({ iteration, experiences }: Batch, clock: StageClock): Promise<number | undefined> {
    if (experiences.length === 0) return undefined;
    const id = updateId(this.#context.settings.runId, iteration);
    const { predictionLoss } = await clock.time('update', () => this.#context.policy.update(id, experiences));
    return predictionLoss;
  }

  async #prepareEvaluation(): Promise<Evaluation> {
    const { settings, evaluation: prompts, observer } = this.#context;
    const progress = (done: number, of: number) => observer.onEvaluationSweep?.(done, of);
    const lines = await prompts.rows(everyIndex(prompts), this.#signal, progress);
    const evaluation = new Evaluation(lines, prompts, settings.space, settings.seed);
    observer.onEvaluationReady?.(evaluation.size, evaluation.keptAll);
    return evaluation;
  }

  /**
   * A resumed run makes up for the evaluation that its checkpoint came before. One that improves on all before it leaves a
   * checkpoint, so that the best policy is never one that was not kept.
   */
  async #evaluateWhenDue(evaluation: Evaluation): Promise<void> {
    const { settings, policy, records, observer } = this.#context;
    const before = records.evaluations();
    if (!this.#isDue(settings.evalFrequency) || before.at(-1)?.iteration === this.#iteration) return;
    const highest = Math.max(-1, ...before.map((line) => line.eval_avg_reward));
    const clock = new StageClock();
    const line = await clock.time('evaluate', async () =>
      evaluation.run(this.#iteration, policy, await this.#trainRows(), this.#signal),
    );
    if (line === undefined) return;
    await records.appendEvaluation(line);
    observer.onEvaluation?.(line, clock.seconds.evaluate ?? 0);
    if (line.eval_avg_reward > highest) await this.#checkpoint();
  }

  /**
   * The rows of the training prompts that baselines are chosen on: all where all are there from the beginning, else those
   * that the episodes so far visited, whatever else a resumed run finds in its folder.
   */
  async #trainRows(): Promise<RewardRow[]> {
    const { train, knowsTrainRows, settings, promptOf } = this.#context;
    if (!knowsTrainRows) return [];
    const rows = await train.rows(train.complete ? everyIndex(train) : this.#visited(settings, promptOf), this.#signal);
    return rows.filter((row) => !row.kept_all);
  }

  #visited({ episodesPerUpdate }: TrainingSettings, promptOf: (episode: number) => number): number[] {
    const visited = new Set<number>();
    const episodes = this.#iteration * episodesPerUpdate;
    for (let e = 0; e < episodes && visited.size < this.#context.train.size; e++) visited.add(promptOf(e));
    return [...visited];
  }

  #hasStalled(): boolean {
    const { records, settings } = this.#context;
    return hasStalled(records.evaluations(), settings.patience);
  }

  async #checkpoint(): Promise<void> {
    if (this.#checkpointed === this.#iteration) return;
    const { policy, records, observer } = this.#context;
    const clock = new StageClock();
    await clock.time('checkpoint', async () => {
      await records.writeCheckpoint(this.#iteration, await policy.exportCheckpoint(this.#iteration));
    });
    this.#checkpointed = this.#iteration;
    observer.onCheckpoint?.(this.#iteration, clock.seconds.checkpoint ?? 0);
  }

  /** Saves the last complete iteration before the run ends early. */
  async #rescue(mustSucceed: boolean): Promise<void> {
    if (this.#uncertain || this.#iteration === this.#start.iteration) return;
    try {
      await this.#checkpoint();
    } catch (error) {
      // After a peer's failure its own error tells more than that the policy could not be saved either.
      if (mustSucceed) throw error;
    }
  }

  #isDue(frequency: number): boolean {
    return this.#iteration % frequency === 0 || this.#iteration === this.#context.settings.iterations;
  }
}

function progressLine(batch: Batch, loss: number | undefined, seconds: StageSeconds): ProgressLine {
  const actions = batch.episodes.map((episode) => episode.choice.action);
  return {
    iteration: batch.iteration,
    avg_reward: batch.avgReward,
    ...(batch.avgGross === undefined ? {} : { avg_gross_reward: batch.avgGross }),
    prediction_loss: loss ?? null,
    total_loss: loss ?? null,
    actions_a: actions.map((action) => action.a),
    actions_b: actions.map((action) => action.b),
    ...budgetsOf('actions_budget', actions),
    ...(batch.regret === undefined ? {} : { regret: batch.regret }),
    kept_all: batch.episodes.filter((episode) => episode.keptAll).length,
    seconds,
  };
}
