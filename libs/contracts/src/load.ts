import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync, type Options, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import type { ProtoGrpcType as EncoderTypes } from './gen/encoder.js';
import type { ProtoGrpcType as GeneratorTypes } from './gen/generator.js';
import type { ProtoGrpcType as PolicyTypes } from './gen/policy.js';
import type { ProtoGrpcType as RewardTypes } from './gen/reward.js';
import { withFloatLists, type FloatLists } from './packed-floats.js';

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

const embedding = { name: 'embedding', number: 2 };
const values = { name: 'values', number: 1 };
/** Where the requests of methods hold embeddings. */
const embeddingsOf: Readonly<Record<string, FloatLists>> = {
  SelectActions: { path: [{ name: 'requests', number: 1 }, embedding, values] },
  Update: { path: [{ name: 'experiences', number: 2 }, embedding, values] },
};

function load<T>(name: string): T {
  return loadPackageDefinition(definition(name)) as unknown as T;
}

function definition(name: string): PackageDefinition {
  const loaded = loadSync(`a2sf/${name}/v1/${name}.proto`, loaderOptions);
  if (name !== 'policy') return loaded;
  const path = 'a2sf.policy.v1.PolicyService';
  const methods = Object.entries(loaded[path] as ServiceDefinition).map(([method, each]) => {
    const lists = embeddingsOf[method];
    if (lists === undefined) return [method, each] as const;
    const { requestSerialize: serialize, requestDeserialize: deserialize } = each;
    const codec = withFloatLists({ serialize, deserialize }, lists);
    return [method, { ...each, requestSerialize: codec.serialize, requestDeserialize: codec.deserialize }] as const;
  });
  return { ...loaded, [path]: Object.fromEntries(methods) };
}

/** Client constructors with their `service` definitions. */
export const EncoderServiceClient = load<EncoderTypes>('encoder').a2sf.encoder.v1.EncoderService;
export const GeneratorServiceClient = load<GeneratorTypes>('generator').a2sf.generator.v1.GeneratorService;
export const RewardServiceClient = load<RewardTypes>('reward').a2sf.reward.v1.RewardService;
export const PolicyServiceClient = load<PolicyTypes>('policy').a2sf.policy.v1.PolicyService;
