import { availableParallelism } from 'node:os';
import { A2sfError } from '@a2sf/errors';
import { waitUntilServing } from '@a2sf/grpc-runtime';
import { automaticDevice } from '@a2sf/inference';
import type { StartSuite, TrainerOptions } from '@a2sf/trainer-app';
import { ChildService } from './child-service.js';
import type { ServiceName } from './service-runtime.js';

/** How long a service may take from listening to serving: models load before it listens. */
const servingTimeoutMs = 120_000;

/**
 * Starts the four services as child processes on loopback, one generator per entry of `--gpus`, and waits until all
 * serve. When one ends early, the others are stopped and its last words are thrown.
 */
export const startLocalSuite: StartSuite = async (options, signal) => {
  const verbose = options.logLevel === 'debug' || options.logLevel === 'trace';
  const services: ChildService[] = [];
  const start = (name: ServiceName, flags: readonly string[]): ChildService => {
    const level = ['--log_level', verbose ? options.logLevel : 'error'];
    const service = new ChildService(name, [...flags, ...level], (line) => {
      if (verbose) process.stderr.write(`${name}: ${line}\n`);
    });
    services.push(service);
    return service;
  };
  const stop = async () => {
    await Promise.all(services.map((service) => service.stop()));
  };
  const failure = () => services.map((service) => service.failure()).find((error) => error !== undefined);

  try {
    if (options.fromStore !== undefined) {
      // Stored rewards need nobody but the policy.
      const policy = start('policy', []);
      const address = await policy.address(signal);
      await untilServing(policy, address, signal);
      return { addresses: { policy: address, encoder: '', reward: '', generators: [] }, failure, stop };
    }
    const generators = (await generatorFlags(options)).map((flags) => start('generator', flags));
    const encoder = start('encoder', [...encoderModel(options), '--threads', '1']);
    const reward = start('reward', [...encoderModel(options), '--threads', '1']);
    const policy = start('policy', []);
    const addressOf = async (service: ChildService): Promise<string> => {
      const address = await service.address(signal);
      await untilServing(service, address, signal);
      return address;
    };
    const [encoderAddress, rewardAddress, policyAddress, ...generatorAddresses] = await Promise.all(
      [encoder, reward, policy, ...generators].map(addressOf),
    );
    const addresses = {
      encoder: encoderAddress!,
      reward: rewardAddress!,
      policy: policyAddress!,
      generators: generatorAddresses,
    };
    return { addresses, failure, stop };
  } catch (error) {
    const cause = withRemedy(failure() ?? error, options);
    await stop();
    throw cause;
  }
};

/** Waits until a service serves, or throws why it ended instead. */
async function untilServing(service: ChildService, address: string, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const serving = waitUntilServing(address, { timeoutMs: servingTimeoutMs, signal: either });
  const failure = await Promise.race([serving.then(() => undefined), service.ended()]);
  done.abort(); // a service that was stopped in the meantime serves no more: nobody is to wait for it
  await serving.catch(() => undefined);
  if (failure !== undefined) throw failure;
}

/** The flags of each generator. */
async function generatorFlags(options: TrainerOptions): Promise<string[][]> {
  const { gpus, device, modelName, maxPromptTokens } = options;
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / (gpus?.length ?? 1)));
  const model = modelFlags(modelName, options.revision, options.offline);
  const limit =
    maxPromptTokens === undefined || maxPromptTokens === 0 ? [] : ['--max_prompt_tokens', String(maxPromptTokens)];
  const common = [...model, ...limit, '--threads', String(threads)];
  if (gpus === undefined) return [[...common, '--device', device === 'auto' ? await automaticDevice() : device]];
  return gpus.map((gpu) => {
    const own = device === 'auto' || device === 'cuda' ? `cuda:${gpu}` : device;
    return [...common, '--device', own];
  });
}

function encoderModel({ contextEncoderModel, contextEncoderRevision, offline }: TrainerOptions): string[] {
  return modelFlags(contextEncoderModel, contextEncoderRevision, offline);
}

/** Which model a service loads, and whether it may ask the hub for it. */
function modelFlags(name: string | undefined, revision: string | undefined, offline: boolean): string[] {
  return [
    ...(name === undefined ? [] : ['--model_name', name]),
    ...(revision === undefined ? [] : ['--revision', revision]),
    ...(offline ? ['--offline'] : []),
  ];
}

/** `--gpus` on a machine without them fails in the generator, in its words; the remedy is the trainer's. */
function withRemedy(error: unknown, { gpus, device }: TrainerOptions): unknown {
  if (gpus === undefined || device === 'cpu' || !(error instanceof A2sfError) || error.field !== 'generator')
    return error;
  const message = `${error.message}; without these GPUs run with --device cpu`;
  return new A2sfError(error.code, message, { field: error.field, reason: error.reason, cause: error });
}
