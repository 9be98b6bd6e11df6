import type { Choice } from '@a2sf/bandit';
import { candidatesOf, appraise, type Candidate } from './candidates.js';
import { requireFit, type Policy } from './served-policy.js';

/** A prompt to choose for. */
export interface SelectInput {
  /** Path of the context in its request, for errors. */
  readonly field: string;
  readonly context: Float32Array;
  readonly encoderId: string;
  /** The prompt was blank: the default action is the answer. */
  readonly empty: boolean;
  readonly explore: boolean;
  /** Weight of exploration; undefined: the policy's. */
  readonly beta: number | undefined;
  /** Probability of a uniform draw, read with `explore`; undefined: the server's. */
  readonly epsilon?: number | undefined;
  /** Name of the prompt's group. */
  readonly key?: string | undefined;
  /** Tell of every action. */
  readonly explain?: boolean;
  /** Tell the lower bound of what is chosen. */
  readonly withLowerBound?: boolean;
  /** Number that all randomness follows from. Default 0. */
  readonly draw?: number;
  /** Ask the challenger too, where there is one. */
  readonly shadow?: boolean;
}

/** How a server chooses beside what its policy learned. */
export interface Serving {
  /** Probability of a uniform draw where a request does not tell, in 0..1. */
  readonly epsilon: number;
  /** Weight of the uncertainty in lower bounds, >= 0. */
  readonly boundBeta: number;
  /**
   * Lower bounds below it advise the full cache, and in a space with budgets the cheapest action that reaches it is taken;
   * undefined: no bound is looked at.
   */
  readonly qualityFloor: number | undefined;
}

export const defaultServing: Serving = { epsilon: 0, boundBeta: 1, qualityFloor: undefined };

/** Why the full cache is advised. */
export type FullCacheAdvice = 'empty_context' | 'below_floor';

/** An action and the grounds it was chosen on. */
export interface Selection {
  readonly actionIndex: number;
  readonly a: number;
  readonly b: number;
  /** Undefined where the space has no budgets. */
  readonly budget?: number;
  readonly prediction: number;
  readonly uncertainty: number;
  readonly ucb: number;
  readonly policyVersion: number;
  readonly fullCache: FullCacheAdvice | undefined;
  /** Undefined where the uncertainty was not computed. */
  readonly lowerBound?: number;
  /** Undefined for an empty context. */
  readonly propensity?: number;
  readonly candidates?: readonly Candidate[];
  /** What was in force; undefined for an empty context. */
  readonly grounds?: Grounds;
  /** The challenger's choice without exploration, where it was asked. */
  readonly shadow?: Shadow;
}

/** What a choice was made with, beside its request. */
export interface Grounds {
  readonly agent: string;
  readonly encoderId: string;
  readonly beta: number;
  readonly epsilon: number;
  /** The floor that the choice was made with; undefined where none could move it. */
  readonly qualityFloor?: number;
}

/** The choice of a challenger. */
export interface Shadow {
  readonly version: number;
  readonly actionIndex: number;
  readonly prediction: number;
}

/**
 * Chooses for contexts that fit the policy, one selection each. An uncertainty is computed where exploration, an explanation
 * or the floor reads it, and nowhere else: it is most of the work.
 */
export function choose(
  policy: Policy,
  inputs: readonly SelectInput[],
  serving: Serving,
  challenger?: Policy,
): Selection[] {
  const selections = new Map<SelectInput, Selection>();
  for (const group of groupsOf(policy, inputs, serving)) {
    for (const [n, choice] of chooseGroup(policy, group, serving).entries()) {
      selections.set(group.inputs[n]!, selectionOf(policy, group, n, choice, serving));
    }
  }
  const shadows = challenger === undefined ? new Map<SelectInput, Shadow>() : shadowsOf(challenger, inputs, serving);
  return inputs.map((input) => {
    const selection = input.empty ? emptySelection(policy) : selections.get(input)!;
    const shadow = shadows.get(input);
    return shadow === undefined ? selection : { ...selection, shadow };
  });
}

/** Inputs that one call of the agent serves. */
interface Group {
  readonly epsilon: number;
  readonly isBoundTold: boolean;
  readonly inputs: SelectInput[];
  readonly betas: number[];
}

function groupsOf(policy: Policy, inputs: readonly SelectInput[], serving: Serving): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const input of inputs) {
    if (input.empty) continue;
    const { explore, explain = false, withLowerBound = false } = input;
    const epsilon = explore ? (input.epsilon ?? serving.epsilon) : 0;
    const isBoundTold = explore || explain || withLowerBound || serving.qualityFloor !== undefined;
    const name = `${epsilon} ${isBoundTold}`;
    const group = groups.get(name) ?? { epsilon, isBoundTold, inputs: [], betas: [] };
    groups.set(name, group);
    group.inputs.push(input);
    group.betas.push(explore ? (input.beta ?? policy.hyperParameters.ucbBeta) : 0);
  }
  return groups.values();
}

function chooseGroup({ agent }: Policy, { inputs, betas, epsilon, isBoundTold }: Group, serving: Serving): Choice[] {
  return agent.select(
    inputs.map(({ context }) => context),
    betas,
    {
      keys: inputs.map(({ key }) => key),
      draws: inputs.map(({ draw = 0 }) => draw),
      epsilon,
      boundBeta: serving.boundBeta,
      uncertainty: isBoundTold,
      ...(serving.qualityFloor === undefined ? {} : { qualityFloor: serving.qualityFloor }),
    },
  );
}

function selectionOf(
  policy: Policy,
  { inputs, betas, epsilon }: Group,
  n: number,
  choice: Choice,
  { boundBeta, qualityFloor }: Serving,
): Selection {
  const { agent, agentName } = policy;
  const { context, key, explain, encoderId } = inputs[n]!;
  const isBelow = qualityFloor !== undefined && choice.lowerBound! < qualityFloor;
  return {
    ...choice,
    ...agent.space.at(choice.actionIndex),
    policyVersion: policy.version,
    fullCache: isBelow ? 'below_floor' : undefined,
    grounds: {
      agent: agentName,
      encoderId: encoderId || policy.origin.encoderId,
      beta: betas[n]!,
      epsilon,
      ...(qualityFloor === undefined || agent.space.budgets.length === 0 ? {} : { qualityFloor }),
    },
    ...(explain ? { candidates: candidatesOf(agent, appraise(agent, [{ context, key }], boundBeta), 0) } : {}),
  };
}

function emptySelection({ agent: { space }, version: policyVersion }: Policy): Selection {
  const actionIndex = space.fallback;
  const nothing = { prediction: 0, uncertainty: 0, ucb: 0, policyVersion, fullCache: 'empty_context' } as const;
  return { ...nothing, actionIndex, ...space.at(actionIndex) };
}

/** A challenger that does not fit a context, because an import changed the policy, is not asked. */
function shadowsOf(challenger: Policy, inputs: readonly SelectInput[], serving: Serving): Map<SelectInput, Shadow> {
  const asked = inputs.filter((input) => input.shadow === true && !input.empty && fits(challenger, input));
  const group: Group = { epsilon: 0, isBoundTold: false, inputs: asked, betas: asked.map(() => 0) };
  const choices = asked.length === 0 ? [] : chooseGroup(challenger, group, serving);
  const { version } = challenger;
  return new Map(choices.map(({ actionIndex, prediction }, n) => [asked[n]!, { version, actionIndex, prediction }]));
}

function fits(policy: Policy, input: SelectInput): boolean {
  try {
    requireFit(policy, input);
    return true;
  } catch {
    return false;
  }
}
