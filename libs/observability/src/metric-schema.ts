/** Values a label can take: a closed set, or the numbers of the policy's action space (closed once it is loaded). */
export type LabelValues = readonly string[] | 'action-space';

/** What one metric of the suite is. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Label names, in order, with every value they can take; a metric without entry has none. */
  readonly labels?: Readonly<Record<string, LabelValues>>;
  /** Base unit, where there is one. */
  readonly unit?: 'seconds' | 'bytes' | 'tokens';
  /** Upper bounds of a histogram's buckets, ascending; +Inf is implied. */
  readonly buckets?: readonly number[];
}

/** Milliseconds to minutes: queue-free calls of a tiny model up to prefills of a large one. */
const latencies = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;
const stageLatencies = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600] as const;
/** 64 KiB to 64 GiB in steps of four. */
const cacheSizes = Array.from({ length: 11 }, (_, i) => 65_536 * 4 ** i);

/** Every metric of the suite's own; label values are closed sets, so that no input can grow the number of series. */
export const metricSchema = {
  a2sf_generator_prefill_seconds: {
    type: 'histogram',
    help: 'Time of prefill, scores and selection of one prompt.',
    unit: 'seconds',
    buckets: latencies,
  },
  a2sf_generator_decode_seconds: {
    type: 'histogram',
    help: 'Time of decoding one request.',
    unit: 'seconds',
    buckets: latencies,
  },
  a2sf_generator_tokens_total: {
    type: 'counter',
    help: 'Tokens read as prompts and tokens generated.',
    unit: 'tokens',
    labels: { kind: ['prompt', 'generated'] },
  },
  a2sf_generator_queue_depth: { type: 'gauge', help: 'Requests that wait for the model or are served by it.' },
  a2sf_generator_slots_in_use: { type: 'gauge', help: 'Texts that are decoded now, each in its slot.' },
  a2sf_generator_cache_bytes: {
    type: 'histogram',
    help: 'Key and value bytes of one prompt: of its full cache, and of what was kept.',
    unit: 'bytes',
    labels: { cache: ['full', 'kept'] },
    buckets: cacheSizes,
  },
  a2sf_policy_select_seconds: {
    type: 'histogram',
    help: 'Time of choosing actions, embedding excluded.',
    unit: 'seconds',
    buckets: latencies,
  },
  a2sf_policy_actions_total: {
    type: 'counter',
    help: 'Actions chosen, by steepness a and offset b.',
    labels: { a: 'action-space', b: 'action-space' },
  },
  a2sf_policy_budgets_total: {
    type: 'counter',
    help: 'Actions chosen, by budget; only where the action space has budgets.',
    labels: { budget: 'action-space' },
  },
  a2sf_policy_version: { type: 'gauge', help: 'Version of the served policy; 0 while none is loaded.' },
  a2sf_policy_prediction_loss: { type: 'gauge', help: 'Mean squared error of the last update, before its step.' },
  a2sf_policy_uncertainty: {
    type: 'histogram',
    help: 'Uncertainty of the chosen actions, of those for which it was computed.',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000],
  },
  a2sf_policy_updates_total: { type: 'counter', help: 'Updates applied.' },
  a2sf_policy_log_records_cut_total: {
    type: 'counter',
    help: 'Torn records cut off the end of the update log at the start.',
  },
  a2sf_policy_snapshots_total: {
    type: 'counter',
    help: 'Snapshots of the kept state by outcome.',
    labels: { outcome: ['written', 'failed'] },
  },
  a2sf_policy_updates_unwritten_total: {
    type: 'counter',
    help: 'Updates and imports refused because they could not be written to the state folder.',
  },
  a2sf_policy_replica_lag_seconds: {
    type: 'gauge',
    help: 'Time since a replica last knew to serve what its learner serves; 0 while it does.',
    unit: 'seconds',
  },
  a2sf_policy_replica_versions_behind: {
    type: 'gauge',
    help: 'Versions that the learner has told of and the replica does not serve yet.',
  },
  a2sf_policy_replica_fetches_total: {
    type: 'counter',
    help: 'Policies that a replica fetched from its learner: taken as the same or a newer version, taken as an older one, or not had.',
    labels: { outcome: ['taken', 'older', 'failed'] },
  },
  a2sf_policy_full_cache_total: {
    type: 'counter',
    help: 'Choices that advised the full cache, by why.',
    labels: { reason: ['empty_context', 'below_floor'] },
  },
  a2sf_policy_bound_checked_total: {
    type: 'counter',
    help: 'Rewards that were compared with the lower bound of their prediction before they were learned from: of an update the first 32.',
  },
  a2sf_policy_bound_violations_total: {
    type: 'counter',
    help: 'Rewards among those compared that lay below the lower bound of their prediction.',
  },
  a2sf_policy_challenger_version: {
    type: 'gauge',
    help: 'Version of the challenger that is asked in shadow; 0 while there is none.',
  },
  a2sf_policy_shadow_decisions_total: {
    type: 'counter',
    help: 'Decisions that the challenger was asked about too, by whether it would have chosen the same action.',
    labels: { same: ['yes', 'no'] },
  },
  a2sf_policy_decisions_dropped_total: {
    type: 'counter',
    help: 'Lines that the decision log lost: there was no room for them, or the disk did not take them.',
  },
  a2sf_policy_rewards_rejected_total: { type: 'counter', help: 'Experiences of updates that were refused.' },
  a2sf_reward_score_seconds: {
    type: 'histogram',
    help: 'Time of scoring one item, by metric; mix stands for every weighted mix.',
    unit: 'seconds',
    labels: {
      metric: [
        'cosine',
        'rouge_1',
        'rouge_2',
        'rouge_l',
        'exact_prefix',
        'qa_f1',
        'qa_f1_zh',
        'rouge',
        'rouge_zh',
        'classification',
        'retrieval',
        'retrieval_zh',
        'count',
        'code_sim',
        'log_prob',
        'string_match',
        'mix',
      ],
    },
    buckets: latencies,
  },
  a2sf_encoder_encode_seconds: {
    type: 'histogram',
    help: 'Time of embedding one request.',
    unit: 'seconds',
    buckets: latencies,
  },
  a2sf_encoder_tokens_total: { type: 'counter', help: 'Tokens read by the model.', unit: 'tokens' },
  a2sf_encoder_truncated_total: { type: 'counter', help: 'Texts cut to the limit of the model.' },
  a2sf_encoder_cache_lookups_total: {
    type: 'counter',
    help: 'Inputs by where their embedding came from: the cache, an equal input computed at the same time, the model.',
    labels: { result: ['hit', 'shared', 'miss'] },
  },
  a2sf_encoder_cache_bytes: { type: 'gauge', help: 'Bytes of the embeddings that are kept.', unit: 'bytes' },
  a2sf_encoder_table_bytes: {
    type: 'gauge',
    help: 'Bytes of the kept tables that follow from the length of a text; 0 for models without any.',
    unit: 'bytes',
  },
  a2sf_trainer_iteration: { type: 'gauge', help: 'Iterations done.' },
  a2sf_trainer_reward: { type: 'gauge', help: 'Mean reward of the last iteration.' },
  a2sf_trainer_regret: {
    type: 'gauge',
    help: 'Mean of best reward minus that of the greedy choice: over the last iteration where all rewards are known, else over the last evaluation.',
  },
  a2sf_trainer_episodes_total: {
    type: 'counter',
    help: 'Episodes by outcome.',
    labels: { outcome: ['settled', 'kept_all', 'failed'] },
  },
  a2sf_trainer_stage_seconds: {
    type: 'histogram',
    help: 'Time of one stage of an iteration.',
    unit: 'seconds',
    labels: { stage: ['encode', 'select', 'generate', 'score', 'update', 'evaluate', 'checkpoint'] },
    buckets: stageLatencies,
  },
  a2sf_trainer_evaluation_reward: {
    type: 'gauge',
    help: 'Mean reward of the last evaluation, of the policy and of each baseline.',
    labels: {
      baseline: [
        'policy',
        'full',
        'random',
        'streaming_llm',
        'h2o',
        'snapkv_16',
        'snapkv_32',
        'snapkv_64',
        'best_fixed',
        'best_fixed_train',
        'task_table',
        'oracle',
      ],
    },
  },
  a2sf_trainer_evaluation_calibration_error: {
    type: 'gauge',
    help: 'Mean distance between expected and earned reward of the greedy choices on the held-out prompts of the last evaluation, in groups by what was expected (expected calibration error).',
  },
  a2sf_trainer_evaluation_bound_violation_ratio: {
    type: 'gauge',
    help: 'Share of the held-out prompts of the last evaluation that earned less than the lower bound of their choice.',
  },
  a2sf_trainer_generator_faults_total: {
    type: 'counter',
    help: 'Calls that a generator did not answer, or not in a way that can be right; each was tried elsewhere once.',
    labels: { fault: ['unreachable', 'untrustworthy'] },
  },
  a2sf_trainer_generators: {
    type: 'gauge',
    help: 'Generators by state; one that is passed over did not answer, or not in a way that can be right.',
    labels: { state: ['usable', 'passed_over'] },
  },
  a2sf_trainer_disk_full: {
    type: 'gauge',
    help: 'Whether training waits for room on the disk of its folder: 1, else 0.',
  },
  a2sf_trainer_last_checkpoint_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last checkpoint was written, in seconds since the epoch.',
    unit: 'seconds',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricSchema = typeof metricSchema;

/** Names of the suite's metrics of one type. */
export type MetricName<T extends MetricDefinition['type']> = {
  [N in keyof MetricSchema]: MetricSchema[N] extends { readonly type: T } ? N : never;
}[keyof MetricSchema];

type ValueOf<V> = V extends readonly (infer W)[] ? W : number | string;

/** The labels of a suite metric; `never` where it has none. */
export type LabelsOf<N extends keyof MetricSchema> = MetricSchema[N] extends { readonly labels: infer L }
  ? { readonly [K in keyof L]: ValueOf<L[K]> }
  : never;
