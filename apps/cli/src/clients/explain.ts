import { readFile } from 'node:fs/promises';
import { maxBeta, maxKeyLength } from '@a2sf/bandit';
import { number, boolean, option, resolveOptions, text, usageError } from '@a2sf/config';
import {
  PolicyServiceClient,
  type CandidateOutput,
  type Embedding,
  type PolicyInfoResponseOutput,
  type SelectActionResponseOutput,
} from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callUnary, ClientSecurity, clientSecurityOptions, connect } from '@a2sf/grpc-runtime';
import { alignedTable } from '../text-table.js';
import { actionText, clientOptions, printJson } from './client-options.js';

const { timeoutMs, json } = clientOptions('');

const options = {
  text: option({
    schema: text({ maxLength: 16 << 20, blank: true }),
    description: 'the prompt; the policy needs an encoder for it',
    group: 'Prompt',
  }),
  embedding: option({
    schema: text(),
    description: 'JSON file that holds the embedding: a list of numbers, or {"values": [...], "encoder_id": "..."}',
    group: 'Prompt',
  }),
  key: option({
    schema: text({ maxLength: maxKeyLength }),
    description: "name of the prompt's group, such as its dataset",
    group: 'Prompt',
  }),
  explore: option({ schema: boolean, description: 'add the exploration bonus', default: false, group: 'Choice' }),
  beta: option({
    schema: number({ min: 0, max: maxBeta }),
    description: "weight of the bonus (default: the policy's)",
    group: 'Choice',
  }),
  epsilon: option({
    schema: number({ min: 0, max: 1 }),
    description: "probability of a uniform draw (default: the policy's)",
    group: 'Choice',
  }),
  policy: option({
    schema: text({ maxLength: 300 }),
    description: 'address of the policy: host:port or dns:///name:port',
    default: '127.0.0.1:50054',
    group: 'Call',
  }),
  timeoutMs,
  ...clientSecurityOptions('Call'),
  json,
};

const maxEmbeddingBytes = 16 << 20;

/** `a2sf explain`: what a policy thinks of every action for a prompt, and why it takes the one it takes. */
export async function explain(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf explain',
    description: 'Shows what a policy thinks of every action for a prompt, and why it takes the one it takes.',
  };
  const { values } = resolveOptions(command, options, argv);
  const { explore, beta, epsilon, key = '' } = values;
  if ((values.text === undefined) === (values.embedding === undefined)) {
    throw usageError(['--text, --embedding: give one of them']);
  }
  const context =
    values.embedding === undefined ? { text: values.text! } : { embedding: await readEmbedding(values.embedding) };
  const client = connect(PolicyServiceClient, values.policy, { security: ClientSecurity.of(values) });
  const call = { timeoutMs: values.timeoutMs };
  try {
    const given = { ...(beta === undefined ? {} : { beta }), ...(epsilon === undefined ? {} : { epsilon }) };
    const request = { ...context, key, explore, explain: true, ...given };
    const answer = await callUnary(client, 'selectAction', request, call);
    const info = await callUnary(client, 'getInfo', {}, call);
    const why = reasons(answer, info, explore);
    if (values.json) return printJson({ ...answer, why });
    process.stdout.write(`${[...why, ...tableOf(answer)].join('\n')}\n`);
  } finally {
    client.close();
  }
}

async function readEmbedding(path: string): Promise<Embedding> {
  const invalid = (problem: string): A2sfError => A2sfError.invalid('--embedding', problem);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new A2sfError('NOT_FOUND', `--embedding: cannot read ${path}`, { field: 'embedding', cause });
  });
  if (bytes.byteLength > maxEmbeddingBytes) throw invalid(`the file is over ${maxEmbeddingBytes} bytes`);
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalid('the file is no JSON');
  }
  const fields = typeof content === 'object' && content !== null ? content : {};
  const values: unknown = Array.isArray(content) ? content : 'values' in fields ? fields.values : undefined;
  const encoderId: unknown = 'encoder_id' in fields ? fields.encoder_id : '';
  const isNumbers = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length > 0 && list.every((value) => typeof value === 'number');
  if (!isNumbers(values)) throw invalid('must be a list of numbers, or an object whose "values" is one');
  if (typeof encoderId !== 'string') throw invalid('"encoder_id" must be text');
  return { values, encoderId };
}

/** The candidates by predicted reward, the first of the action space on ties, with their index. */
function ranked({ candidates }: SelectActionResponseOutput): { index: number; candidate: CandidateOutput }[] {
  const entries = candidates.map((candidate, index) => ({ index, candidate }));
  return entries.sort((x, y) => y.candidate.predictedReward - x.candidate.predictedReward || x.index - y.index);
}

/** Why this action, and why the full cache where it is advised: one sentence each. */
function reasons(answer: SelectActionResponseOutput, info: PolicyInfoResponseOutput, explore: boolean): string[] {
  const { actionIndex, ucb, propensity = 1, fullCacheReason, policyVersion } = answer;
  const chosen = `${actionText(answer.action)} is chosen by ${info.agent}, version ${policyVersion}`;
  if (fullCacheReason === 'FULL_CACHE_REASON_EMPTY_CONTEXT') {
    return [`${chosen}: the context is empty, so that it is the default`, 'use the full cache: the context is empty'];
  }
  const best = ranked(answer)[0];
  const drawn = propensity < 1 ? `, with probability ${propensity.toPrecision(3)}` : '';
  const { qualityFloor: floor } = info;
  const isCheapest =
    floor !== undefined && info.budgets.length > 0 && !explore && fullCacheReason === 'FULL_CACHE_REASON_UNSPECIFIED';
  const ground =
    isCheapest && !['fixed', 'random'].includes(info.agent)
      ? `of the smallest budget at which a lower bound reaches the floor ${floor}, its bound ${(answer.lowerBound ?? 0).toPrecision(4)} is the highest`
      : best === undefined || best.index === actionIndex
        ? `its predicted reward is the highest${drawn}`
        : explore
          ? `exploration${drawn}: its score is ${ucb.toPrecision(4)}, ${actionText(best.candidate.action)} has the highest predicted reward`
          : `the algorithm takes it${drawn}; ${actionText(best.candidate.action)} has the highest predicted reward`;
  if (fullCacheReason !== 'FULL_CACHE_REASON_BELOW_FLOOR') return [`${chosen}: ${ground}`];
  const { lowerBound = 0 } = answer;
  const bound = `its lower bound ${lowerBound.toPrecision(4)} is below the floor ${info.qualityFloor}`;
  return [`${chosen}: ${ground}`, `use the full cache: ${bound}`];
}

function tableOf(answer: SelectActionResponseOutput): string[] {
  const rows = ranked(answer).map(({ index, candidate: { action, predictedReward, uncertainty, lowerBound } }) => [
    index === answer.actionIndex ? '*' : '',
    String(action?.a),
    String(action?.b),
    ...(action?.budget === undefined ? [] : [String(action.budget)]),
    predictedReward.toFixed(4),
    uncertainty.toPrecision(4),
    lowerBound.toFixed(4),
  ]);
  if (rows.length === 0) return [];
  const budget = answer.candidates.some(({ action }) => action?.budget !== undefined) ? ['budget'] : [];
  return ['', alignedTable([['', 'a', 'b', ...budget, 'predicted', 'uncertainty', 'lower bound'], ...rows])];
}
