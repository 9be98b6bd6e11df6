import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type Options } from '@grpc/proto-loader';
import type { ProtoGrpcType as EncoderTypes } from './gen/encoder.js';
import type { ProtoGrpcType as GeneratorTypes } from './gen/generator.js';
import type { ProtoGrpcType as PolicyTypes } from './gen/policy.js';
import type { ProtoGrpcType as RewardTypes } from './gen/reward.js';

/** Folder of the .proto files. */
export const protoFolder: string = fileURLToPath(new URL('../../../protos', import.meta.url));

/** FileDescriptorSet of the contract, for reflection. */
export const descriptorFile: string = fileURLToPath(new URL('../descriptors.binpb', import.meta.url));

/** The options that the generated types were made with: camelCase names, 64-bit integers and enums as strings. */
const loaderOptions: Options = {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [protoFolder],
};

function load<T>(name: string): T {
  return loadPackageDefinition(loadSync(`a2sf/${name}/v1/${name}.proto`, loaderOptions)) as unknown as T;
}

/** Client constructors with their `service` definitions. */
export const EncoderServiceClient = load<EncoderTypes>('encoder').a2sf.encoder.v1.EncoderService;
export const GeneratorServiceClient = load<GeneratorTypes>('generator').a2sf.generator.v1.GeneratorService;
export const RewardServiceClient = load<RewardTypes>('reward').a2sf.reward.v1.RewardService;
export const PolicyServiceClient = load<PolicyTypes>('policy').a2sf.policy.v1.PolicyService;
