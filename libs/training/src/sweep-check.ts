import { createHash } from 'node:crypto';
import type { SweepResponseOutput } from '@a2sf/contracts';
import type { Action } from '@a2sf/kv-compression';
import { malformed } from './answers.js';
import type { MemberFault } from './member-pool.js';
import type { SweepOutcome, SweepTask, SweptText } from './peers.js';

/** Prompts whose token counts are remembered. */
const maxPrompts = 100_000;

interface Claim<M> {
  readonly member: M;
  readonly promptTokens: number;
}

/**
 * Tells answers that cannot be right: another number of results, probabilities or tokens than was asked for, a number that
 * is none, and a prompt of another length than an earlier answer said of the same one, which is then another prompt. When
 * two members agree against that earlier answer, they are believed and its member is accused.
 */
export class SweepCheck<M> {
  /** By the hash of all that a prompt's length follows from. */
  readonly #claims = new Map<string, Claim<M>>();
  readonly #accuse: (member: M, fault: MemberFault) => void;

  constructor(accuse: (member: M, fault: MemberFault) => void) {
    this.#accuse = accuse;
  }

  /** The checking of one task's answers; kept over its retries. Each throws INTERNAL, reason `malformed-answer`. */
  of(task: SweepTask): (answer: SweepResponseOutput, member: M) => SweepOutcome {
    const { text, wrap, maxPromptTokens } = task;
    const key = createHash('sha256')
      .update(JSON.stringify([wrap, maxPromptTokens, text]))
      .digest('base64');
    const rejected: Claim<M>[] = [];
    return (answer, member) => {
      const outcome = sweepOutcome(task, answer);
      const { promptTokens } = outcome;
      const known = this.#claims.get(key);
      if (known !== undefined && known.promptTokens !== promptTokens) {
        const agrees = (claim: Claim<M>) => claim.member !== member && claim.promptTokens === promptTokens;
        if (!rejected.some(agrees)) {
          rejected.push({ member, promptTokens });
          throw malformed(
            'generator',
            `the prompt has ${promptTokens} tokens, an earlier answer said ${known.promptTokens}`,
          );
        }
        this.#accuse(known.member, 'untrustworthy');
      }
      this.#remember(key, { member, promptTokens });
      return outcome;
    };
  }

  #remember(key: string, claim: Claim<M>): void {
    const [oldest] = this.#claims.keys();
    if (!this.#claims.has(key) && this.#claims.size >= maxPrompts) this.#claims.delete(oldest!);
    this.#claims.set(key, claim);
  }
}

/** What a sweep gave. Throws INTERNAL for an answer that does not fit the task. */
function sweepOutcome(task: SweepTask, answer: SweepResponseOutput): SweepOutcome {
  const { full, results, promptTokens, keptTokens } = answer;
  const wantsFull = task.includeFull || task.scoreFull;
  if (wantsFull && full === null) throw malformed('generator', 'the text of the full cache is missing');
  const asked = task.actions.length + (task.compressions?.length ?? 0);
  if (results.length !== asked)
    throw malformed('generator', `${asked} actions were asked for, ${results.length} answered`);
  if (promptTokens < 1) throw malformed('generator', 'the prompt has no tokens');
  const requireKept = (kept: number, { budget = task.budget }: Action) => {
    if (kept !== Math.min(budget, promptTokens))
      throw malformed('generator', `${kept} of ${promptTokens} tokens were kept with a budget of ${budget}`);
  };
  requireKept(keptTokens, task.actions[0]!);
  for (const [i, action] of task.actions.entries()) {
    if (action.budget !== undefined) requireKept(results[i]!.keptTokens, action);
  }
  const tokens = wantsFull ? full!.tokenIds.length : 0;
  const swept = ({ text, tokenIds, logProbs }: SweptText & { readonly tokenIds: readonly number[] }): SweptText => {
    if (tokenIds.length > task.maxNewTokens)
      throw malformed('generator', `a text has ${tokenIds.length} tokens, at most ${task.maxNewTokens} were asked for`);
    if (!task.scoreFull) return { text, logProbs: [] };
    if (logProbs.length !== tokens)
      throw malformed('generator', `${tokens} probabilities were asked for, ${logProbs.length} answered`);
    const bad = logProbs.find((logProb) => !(logProb <= 1e-6)); // ln 1 and the rounding of its sum
    if (bad !== undefined) throw malformed('generator', `${bad} is no logarithm of a probability`);
    return { text, logProbs };
  };
  return { full: wantsFull ? swept(full!) : undefined, texts: results.map(swept), promptTokens, keptTokens };
}
