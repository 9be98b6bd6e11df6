import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { restoreAgent, type Agent } from '@a2sf/bandit';
import { boolean, listOf, option, resolveOptions, text, usageError } from '@a2sf/config';
import { A2sfError } from '@a2sf/errors';
import { decodeContext, readDecisions, type DecisionLine } from '@a2sf/run-store';
import { readCheckpoint, servedVersion } from '../read-checkpoint.js';
import { printJson } from './client-options.js';

const options = {
  decisionLog: option({ schema: text(), description: 'decision log of a policy server', group: 'Replay' }),
  checkpoint: option({
    schema: listOf(text()),
    list: true,
    description: 'checkpoints of the policies that decided, one for each version that is to be checked',
    group: 'Replay',
  }),
  id: option({ schema: text({ maxLength: 256 }), description: 'replay this decision alone', group: 'Replay' }),
  json: option({ schema: boolean, description: 'print the report as JSON', default: false, group: 'Answer' }),
};

/** Differences that are told one by one; the rest are counted. */
const maxTold = 20;

interface Difference {
  readonly id: string;
  readonly field: string;
  readonly logged: unknown;
  readonly replayed: unknown;
}

/** `a2sf replay`: makes logged decisions again. The exit code is 1 where one comes out otherwise by a single bit. */
export async function replay(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf replay',
    description: 'Makes logged decisions again from their checkpoints and compares them bit for bit.',
  };
  const { values } = resolveOptions(command, options, argv);
  const { decisionLog, checkpoint: files = [], id } = values;
  if (decisionLog === undefined) throw usageError(['--decision_log: name the decision log']);
  if (files.length === 0) throw usageError(['--checkpoint: name at least one checkpoint']);
  const policies = await Policies.open(files);
  const unknown = new Set<number>();
  const differences: Difference[] = [];
  const counts = { decisions: 0, matched: 0, mismatched: 0, notChecked: 0 };
  for await (const line of readDecisions(decisionLog)) {
    if (line.kind !== 'decision' || (id !== undefined && line.id !== id)) continue;
    counts.decisions++;
    const policy = await policies.of(line.policy_version);
    if (policy === undefined) {
      counts.notChecked++;
      unknown.add(line.policy_version);
      continue;
    }
    const found = differencesOf(line, policy);
    counts[found.length === 0 ? 'matched' : 'mismatched']++;
    differences.push(...found.slice(0, maxTold - differences.length));
  }
  if (id !== undefined && counts.decisions === 0) {
    throw new A2sfError('NOT_FOUND', `--id: the log holds no decision ${id}`, { field: 'id' });
  }
  if (counts.mismatched > 0) process.exitCode = 1;
  const versionsWithoutCheckpoint = [...unknown].sort((x, y) => x - y);
  if (values.json) return printJson({ ...counts, versionsWithoutCheckpoint, differences });
  const { decisions, matched, mismatched, notChecked } = counts;
  const why = notChecked === 0 ? '' : ` (no checkpoint of ${shortList(versionsWithoutCheckpoint)})`;
  const summary = `${decisions} decisions: ${matched} match, ${mismatched} differ, ${notChecked} not checked${why}`;
  const told = differences.map(
    ({ id: which, field, logged, replayed }) =>
      `${which}: ${field} is ${JSON.stringify(logged)} in the log, ${JSON.stringify(replayed)} now`,
  );
  process.stdout.write(`${[summary, ...told].join('\n')}\n`);
}

interface Policy {
  readonly agent: Agent;
  readonly name: string;
  readonly encoderId: string;
}

/** The policies of some checkpoints by version; one is held at a time, for a log goes through the versions in turn. */
class Policies {
  readonly #files: ReadonlyMap<number, string>;
  #held: { readonly version: number; readonly policy: Policy } | undefined;

  private constructor(files: ReadonlyMap<number, string>) {
    this.#files = files;
  }

  /** Reads which version each file is. Throws a usage error for two of one version. */
  static async open(files: readonly string[]): Promise<Policies> {
    const byVersion = new Map<number, string>();
    for (const file of files) {
      const version = servedVersion((await readCheckpoint(file)).checkpoint);
      const other = byVersion.get(version);
      if (other !== undefined) {
        throw usageError([`--checkpoint: ${basename(other)} and ${basename(file)} are both of version ${version}`]);
      }
      byVersion.set(version, file);
    }
    return new Policies(byVersion);
  }

  async of(version: number): Promise<Policy | undefined> {
    if (this.#held?.version === version) return this.#held.policy;
    const file = this.#files.get(version);
    if (file === undefined) return undefined;
    this.#held = undefined; // two need not fit into memory
    const { checkpoint } = await readCheckpoint(file);
    const agent = restoreAgent(checkpoint.state, { learns: false });
    const policy = { agent, name: checkpoint.state.agent, encoderId: checkpoint.encoderId };
    this.#held = { version, policy };
    return policy;
  }
}

/** Where a decision comes out otherwise; `use_full_cache` follows from the bound and the server's floor, which is not logged. */
function differencesOf(line: DecisionLine, { agent, name, encoderId }: Policy): Difference[] {
  const differ = (field: string, logged: unknown, replayed: unknown): Difference[] =>
    logged === replayed ? [] : [{ id: line.id, field, logged, replayed }];
  const context = contextOf(line);
  const isKnownEncoder = line.encoder_id !== '' && encoderId !== '';
  const inputs = [
    ...differ('context_hash', line.context_hash, hashOf(line)),
    ...differ('agent', line.agent, name),
    ...(isKnownEncoder ? differ('encoder_id', line.encoder_id, encoderId) : []),
    ...differ('dimension', context.length, agent.dimension),
  ];
  if (inputs.length > 0) return inputs;
  const [choice] = agent.select([context], line.beta, {
    keys: [line.key === '' ? undefined : line.key],
    epsilon: line.epsilon,
    draws: [line.draw],
    boundBeta: line.bound_beta,
    ...(line.quality_floor === undefined ? {} : { qualityFloor: line.quality_floor }),
    uncertainty: line.lower_bound !== undefined,
  });
  const { actionIndex, prediction, uncertainty, ucb, lowerBound, propensity } = choice!;
  const { a, b, budget } = agent.space.at(actionIndex);
  return [
    ...differ('action_index', line.action_index, actionIndex),
    ...differ('a', line.a, a),
    ...differ('b', line.b, b),
    ...differ('budget', line.budget, budget),
    ...differ('predicted_reward', line.predicted_reward, prediction),
    ...(line.uncertainty === undefined ? [] : differ('uncertainty', line.uncertainty, uncertainty)),
    ...differ('ucb', line.ucb, ucb),
    ...differ('lower_bound', line.lower_bound, lowerBound),
    ...differ('propensity', line.propensity, propensity),
  ];
}

function contextOf(line: DecisionLine): Float32Array {
  try {
    return decodeContext(line);
  } catch (cause) {
    throw A2sfError.invalid(`decision ${line.id}.context`, cause instanceof Error ? cause.message : String(cause));
  }
}

/** As the contract tells it: 32 hexadecimal digits of the SHA-256 of the context's bytes. */
function hashOf({ context }: DecisionLine): string {
  return createHash('sha256').update(Buffer.from(context, 'base64')).digest('hex').slice(0, 32);
}

function shortList(versions: readonly number[]): string {
  const shown = versions.slice(0, 8).join(', ');
  return `${versions.length === 1 ? 'version' : 'versions'} ${shown}${versions.length > 8 ? ', ...' : ''}`;
}
