import type { RestrictedMethods } from '@a2sf/grpc-runtime';

/**
 * What changes the policy is for the trainer, once certificates tell who calls: whoever reports rewards decides what is
 * learned. ExportCheckpoint changes nothing, and replicas need it.
 */
export function restrictedTo(trainers: readonly string[]): RestrictedMethods {
  return { methods: ['Update', 'ImportCheckpoint', 'PromoteChallenger'], to: trainers, flag: 'trainers' };
}
