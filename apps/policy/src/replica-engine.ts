import type { CheckpointInput } from '@a2sf/run-store';
import type { PolicyDescription } from './learner.js';
import { PolicyEngine, type EngineOptions } from './policy-engine.js';
import type { Method, PolicyCalls } from './policy-worker.js';

/**
 * Two engines, one of which serves while the other reads the next policy: reading one takes a good part of a second, and
 * no choice waits for it. They change places between two calls.
 */
export class ReplicaEngine {
  #serving: PolicyEngine;
  #standby: PolicyEngine;
  /** Revisions of what the two hold. */
  #served: string | undefined;
  #behind: string | undefined;

  constructor(options: Pick<EngineOptions, 'given' | 'serving' | 'onExit' | 'maxPending'>) {
    this.#serving = new PolicyEngine(options);
    this.#standby = new PolicyEngine(options);
  }

  /** As an engine's. */
  call<M extends Method>(method: M, ...args: Parameters<PolicyCalls[M]>): Promise<ReturnType<PolicyCalls[M]>> {
    return this.#serving.call(method, ...args);
  }

  /** Revision of the policy that what changed since may be taken of; undefined: none. */
  get revision(): string | undefined {
    return this.#behind;
  }

  /** Serves another policy from now on; one at a time. When it throws, the one before is served on. */
  async take(input: CheckpointInput, file: string): Promise<PolicyDescription> {
    const policy = await this.#standby.call('adopt', input, file);
    [this.#serving, this.#standby] = [this.#standby, this.#serving];
    [this.#served, this.#behind] = [policy.revision, this.#served];
    return policy;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#serving.dispose(), this.#standby.dispose()]);
  }
}
