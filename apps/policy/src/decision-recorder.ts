import { encodeContext, isDecisionId, newDecisionId, type DecisionLine, type DecisionLog } from '@a2sf/run-store';
import type { SelectInput, Selection } from './choosing.js';
import type { UpdateInput } from './update-ledger.js';

/** Writes what was decided and what came of it into the decision log. */
export class DecisionRecorder {
  readonly #log: Pick<DecisionLog, 'add'>;
  readonly #boundBeta: number;

  constructor(log: Pick<DecisionLog, 'add'>, boundBeta: number) {
    this.#log = log;
    this.#boundBeta = boundBeta;
  }

  /** The decision's id; empty where the context was, and nothing was decided. */
  decided(input: SelectInput, selection: Selection, hash: string): string {
    const { grounds } = selection;
    if (grounds === undefined) return '';
    const id = newDecisionId();
    this.#log.add(decisionLine({ id, input, selection, grounds, hash, boundBeta: this.#boundBeta }));
    return id;
  }

  /** Rewards that were learned from, of experiences that are named after decisions. */
  rewarded({ experiences }: UpdateInput, applied: readonly number[]): void {
    for (const i of applied) {
      const { id, actionIndex, reward, rewards } = experiences[i]!;
      if (!isDecisionId(id)) continue;
      const told = rewards === undefined ? { action_index: actionIndex, reward } : { rewards: [...rewards] };
      this.#log.add({ kind: 'reward', id, ...told });
    }
  }
}

interface Decided {
  readonly id: string;
  readonly input: SelectInput;
  readonly selection: Selection;
  readonly grounds: NonNullable<Selection['grounds']>;
  readonly hash: string;
  readonly boundBeta: number;
}

/** An uncertainty that was not computed is left out, as its bound is. */
function decisionLine({ id, input, selection, grounds, hash, boundBeta }: Decided): DecisionLine {
  const { lowerBound, shadow } = selection;
  return {
    kind: 'decision',
    id,
    time: new Date().toISOString(),
    policy_version: selection.policyVersion,
    agent: grounds.agent,
    encoder_id: grounds.encoderId,
    context_hash: hash,
    context: encodeContext(input.context),
    key: input.key ?? '',
    explore: input.explore,
    beta: grounds.beta,
    epsilon: grounds.epsilon,
    bound_beta: boundBeta,
    ...(grounds.qualityFloor === undefined ? {} : { quality_floor: grounds.qualityFloor }),
    draw: input.draw ?? 0,
    action_index: selection.actionIndex,
    a: selection.a,
    b: selection.b,
    ...(selection.budget === undefined ? {} : { budget: selection.budget }),
    predicted_reward: selection.prediction,
    ...(lowerBound === undefined ? {} : { uncertainty: selection.uncertainty, lower_bound: lowerBound }),
    ucb: selection.ucb,
    propensity: selection.propensity!,
    use_full_cache: selection.fullCache !== undefined,
    ...(shadow === undefined
      ? {}
      : {
          shadow: {
            version: shadow.version,
            action_index: shadow.actionIndex,
            predicted_reward: shadow.prediction,
          },
        }),
  };
}
