import {
  EncoderServiceClient,
  GeneratorServiceClient,
  PolicyServiceClient,
  RewardServiceClient,
} from '@a2sf/contracts';

/** One method of the contract. */
export interface Rpc {
  /** `PolicyService` */
  readonly service: string;
  /** `SelectAction` */
  readonly name: string;
  /** `a2sf.policy.v1.PolicyService/SelectAction` */
  readonly path: string;
  /** The app that serves it: `policy`. */
  readonly app: string;
}

/** Every method of the contract. */
export const rpcs: readonly Rpc[] = [
  EncoderServiceClient,
  GeneratorServiceClient,
  RewardServiceClient,
  PolicyServiceClient,
]
  .flatMap((client) => Object.values(client.service))
  .map(({ path }: { path: string }) => {
    const [, app, service, name] = /^\/a2sf\.(\w+)\.v1\.(\w+)\/(\w+)$/.exec(path)!;
    return { service: service!, name: name!, path: path.slice(1), app: app! };
  });
