import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentType, type Agent } from '@a2sf/bandit';
import { ActionSpace } from '@a2sf/kv-compression';
import { encodeContext, encodePolicyCheckpoint, type DecisionLine, type DecisionLogLine } from '@a2sf/run-store';

export const space = new ActionSpace([0, 10], [8, 16]);
export const dimension = 6;
export const encoderId = 'test-encoder@1';

/** A number in -1..1 that looks drawn. */
const noise = (k: number): number => Math.sin(k * k);

/** Numbers in -1..1, the same for the same seed. */
export function contextOf(seed: number): Float32Array {
  return Float32Array.from({ length: dimension }, (_, i) => noise(1000 + seed * dimension + i));
}

/** A small agent that has learned from `updates` batches. */
export function taughtAgent(name: string, updates: number, of: ActionSpace = space): Agent {
  const agent = agentType(name).initial({ space: of, dimension, hidden: 8, seed: 5 });
  for (let k = 0; k < updates; k++) {
    const batch = Array.from({ length: 24 }, (_, i) => {
      const n = 24 * k + i;
      return { context: contextOf(10_000 + n), actionIndex: (n * 7 + k) % of.size, reward: (1 + noise(5 + n)) / 2 };
    });
    agent.update(batch, { lr: 1e-2, maxGradNorm: 1 });
  }
  return agent;
}

export function writeCheckpoint(folder: string, agent: Agent, policyVersion: number, encoder = encoderId): string {
  const file = join(folder, `policy_${policyVersion}.safetensors`);
  const origin = { encoderId: encoder, configHash: '', randomState: '', hyperParameters: {} };
  writeFileSync(
    file,
    encodePolicyCheckpoint({ ...origin, state: agent.state(), iteration: policyVersion, policyVersion }),
  );
  return file;
}

/** The line of a decision that an agent makes. */
export function decide(
  agent: Agent,
  line: Pick<DecisionLine, 'id' | 'policy_version' | 'beta' | 'epsilon' | 'draw' | 'key'>,
  context: Float32Array,
): DecisionLine {
  const { beta, epsilon, draw, key } = line;
  const asked = { keys: [key === '' ? undefined : key], epsilon, draws: [draw], boundBeta: 2 };
  const [choice] = agent.select([context], beta, asked);
  const { actionIndex, prediction, uncertainty, ucb, propensity, lowerBound } = choice!;
  const encoded = encodeContext(context);
  return {
    kind: 'decision',
    ...line,
    time: '2026-01-01T00:00:00.000Z',
    agent: agent.state().agent,
    encoder_id: encoderId,
    context_hash: createHash('sha256').update(Buffer.from(encoded, 'base64')).digest('hex').slice(0, 32),
    context: encoded,
    explore: true,
    bound_beta: 2,
    action_index: actionIndex,
    ...agent.space.at(actionIndex),
    predicted_reward: prediction,
    uncertainty,
    ucb,
    ...(lowerBound === undefined ? {} : { lower_bound: lowerBound }),
    propensity,
    use_full_cache: false,
  };
}

export function writeLog(file: string, lines: readonly DecisionLogLine[]): string {
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}
