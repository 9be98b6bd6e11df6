import { randomUUID } from 'node:crypto';

/** A decision as it was answered, with all that brings it about again: the same policy and these inputs give the same choice. */
export interface DecisionLine {
  readonly kind: 'decision';
  /** `decision_id` of the answer. */
  readonly id: string;
  /** When it was answered, ISO 8601 in UTC. */
  readonly time: string;
  readonly policy_version: number;
  /** Name of the algorithm that chose. */
  readonly agent: string;
  /** Identity of the context's encoder; empty when it is not known. */
  readonly encoder_id: string;
  /** As in the answer. */
  readonly context_hash: string;
  /** The context: base64 of its float32 values, little-endian; see {@link decodeContext}. */
  readonly context: string;
  /** Name of the prompt's group; empty when none was given. */
  readonly key: string;
  readonly explore: boolean;
  /** Weight of exploration in force; 0 without `explore`. */
  readonly beta: number;
  /** Probability of a uniform draw in force; 0 without `explore`. */
  readonly epsilon: number;
  /** Weight of the uncertainty in the lower bound. */
  readonly bound_beta: number;
  /** Floor that the choice was made with; absent where the server has none, or the actions name no budget. */
  readonly quality_floor?: number;
  /** Number that all randomness of the choice follows from; whole, at most 2^53 - 1. */
  readonly draw: number;
  readonly action_index: number;
  readonly a: number;
  readonly b: number;
  /** Budget of the action; absent where the action space has none. */
  readonly budget?: number;
  readonly predicted_reward: number;
  /** Absent, as the bound, where it was not computed. */
  readonly uncertainty?: number;
  readonly ucb: number;
  readonly lower_bound?: number;
  readonly propensity: number;
  readonly use_full_cache: boolean;
  /** What the challenger would have chosen without exploration, where it was asked. */
  readonly shadow?: ShadowChoice;
}

/** The choice of a challenger. */
export interface ShadowChoice {
  readonly version: number;
  readonly action_index: number;
  readonly predicted_reward: number;
}

/** The reward of a decision: an experience that an Update applied, whose id is a {@link newDecisionId decision's}. */
export interface RewardLine {
  readonly kind: 'reward';
  /** Id of the decision. */
  readonly id: string;
  /** Action that was tried, the decision's or another; absent where the rewards of all actions are known. */
  readonly action_index?: number;
  /** Reward of that action; absent where those of all actions are known. */
  readonly reward?: number;
  /** Rewards of all actions, where they are known. */
  readonly rewards?: readonly number[];
}

/** A line of a decision log. */
export type DecisionLogLine = DecisionLine | RewardLine;

/** The values of a logged context. Throws RangeError when the bytes are no float32 values. */
export function decodeContext({ context }: Pick<DecisionLine, 'context'>): Float32Array {
  const bytes = Buffer.from(context, 'base64');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength % 4 !== 0) throw new RangeError('a context is no list of float32 values');
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

/** The values of a context as a line of the log holds them. */
export function encodeContext(context: Float32Array): string {
  const bytes = Buffer.alloc(context.length * 4);
  for (const [i, value] of context.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString('base64');
}

const idPattern = /^d-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A name for a decision; no other has it. */
export function newDecisionId(): string {
  return `d-${randomUUID()}`;
}

/** True for an id of the form that decisions have; tells them from a trainer's episodes, also after a restart. */
export function isDecisionId(id: string): boolean {
  return idPattern.test(id);
}
