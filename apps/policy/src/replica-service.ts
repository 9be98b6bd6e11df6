import type { PolicyInfoRequestOutput, PolicyInfoResponse } from '@a2sf/contracts';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import type { ServiceSpec, Unary } from '@a2sf/grpc-runtime';

/** What a replica tells of itself. */
export interface ReplicaView {
  /** Address of its learner. */
  readonly learner: string;
  readonly lagSeconds: () => number;
}

/** A replica that has fetched no policy yet is one that another server stands in for, or that is worth another attempt. */
function untilFetched(handler: Unary<never, unknown>): Unary<never, unknown> {
  return async (request, call) => {
    try {
      return await handler(request, call);
    } catch (error) {
      if (!isA2sfError(error) || error.reason !== 'no-checkpoint') throw error;
      const message = 'this replica has not fetched the policy of its learner yet';
      throw new A2sfError('UNAVAILABLE', message, { reason: 'no-policy-yet', cause: error });
    }
  };
}

/** The RPCs of a policy server without those that change a policy or need all of it: they name the learner instead. */
export function replicaService(
  { definition, handlers }: ServiceSpec,
  { learner, lagSeconds }: ReplicaView,
): ServiceSpec {
  const refuse = (): never => {
    const message = `this server is a replica, which only chooses actions; ask its learner at ${learner}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { reason: 'read-only-replica' });
  };
  const describe = handlers['GetInfo'] as Unary<PolicyInfoRequestOutput, PolicyInfoResponse>;
  const getInfo: Unary<PolicyInfoRequestOutput, PolicyInfoResponse> = async (request, call) => ({
    ...(await describe(request, call)),
    role: 'replica',
    lagSeconds: lagSeconds(),
  });
  return {
    definition,
    handlers: {
      ...handlers,
      SelectAction: untilFetched(handlers['SelectAction'] as Unary<never, unknown>),
      SelectActions: untilFetched(handlers['SelectActions'] as Unary<never, unknown>),
      Update: async () => refuse(),
      ImportCheckpoint: async () => refuse(),
      PromoteChallenger: async () => refuse(),
      ExportCheckpoint: () => refuse(),
      GetInfo: getInfo,
    },
  };
}
