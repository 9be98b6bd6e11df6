import { resolveOptions, usageError, type Resolved } from '@a2sf/config';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { ClientSecurity, waitUntilServing } from '@a2sf/grpc-runtime';
import { options as trainerOptions, type Suite } from '@a2sf/trainer-app';
import type { PeerPatience } from '@a2sf/training';
import { startLocalSuite } from './local-suite.js';

const { modelName, contextEncoderModel, revision, contextEncoderRevision, offline, device, gpus, threads } =
  trainerOptions;
const {
  generators,
  encoder,
  rewardService,
  waitSeconds,
  tlsCert,
  tlsKey,
  tlsCa,
  tlsReloadSeconds,
  tlsServerName,
  tokenFile,
} = trainerOptions;

/** The trainer's flags that say which models there are, and where. */
export const encoderModelOptions = { contextEncoderModel, contextEncoderRevision, offline };
export const modelOptions = { modelName, revision, device, gpus, threads, ...encoderModelOptions };
const security = { tlsCert, tlsKey, tlsCa, tlsReloadSeconds, tlsServerName, tokenFile };
/** How long services of given addresses are waited for. */
const waiting = {
  waitSeconds: {
    ...waitSeconds,
    description: 'seconds that a service of these that went away is waited for, before the command ends',
  },
};
export const rewardAddressOptions = { rewardService, ...waiting, ...security };
export const addressOptions = { generators, encoder, ...rewardAddressOptions };

/** What a command's flags may say of its services. */
export type ServiceValues = Partial<Resolved<typeof modelOptions & typeof addressOptions>> &
  Resolved<typeof security & typeof waiting> & { readonly maxPromptTokens?: number | undefined };

/** Where the services of a command are. */
export interface Services {
  readonly generators: readonly string[];
  readonly encoder: string;
  readonly reward: string;
  readonly security: ClientSecurity;
  /** How long they are waited for when they go away: those that were started here do not come back by themselves. */
  readonly patience: PeerPatience;
  /** Why a service that was started ended by itself. */
  failure(): A2sfError | undefined;
  /** Stops those that were started. */
  stop(): Promise<void>;
}

/** How long services that are running already may take to become ready. */
const servingTimeoutMs = 15_000;

/**
 * The services of the given addresses, by flag, once all of them serve; without any address a local suite is started.
 * Throws a usage error when some addresses lack, UNAVAILABLE naming the flag of one that does not serve.
 */
export async function servicesOf(
  values: ServiceValues,
  wanted: readonly ('generators' | 'encoder' | 'rewardService')[],
  signal: AbortSignal,
): Promise<Services> {
  const given: Readonly<Record<(typeof wanted)[number], readonly string[]>> = {
    generators: values.generators ?? [],
    encoder: values.encoder === undefined ? [] : [values.encoder],
    rewardService: values.rewardService === undefined ? [] : [values.rewardService],
  };
  const lacking = wanted.filter((name) => given[name].length === 0);
  if (lacking.length === wanted.length) return localServices(values, signal);
  if (lacking.length > 0) {
    const flags = lacking.map((name) => `--${name === 'rewardService' ? 'reward_service' : name}`).join(', ');
    throw usageError([`${flags}: the addresses of all services are needed, or of none`]);
  }
  const security = ClientSecurity.of(values);
  const reward = given.rewardService[0]!;
  const flagged = wanted.flatMap((name) => given[name].map((address) => ({ name, address })));
  await Promise.all(
    flagged.map(({ name, address }) =>
      waitUntilServing(address, { timeoutMs: servingTimeoutMs, signal, security }).catch((error: unknown) => {
        if (!isA2sfError(error) || signal.aborted) throw error;
        const { code, reason, message } = error;
        throw new A2sfError(code, `${name}: ${message}`, { field: name, reason, cause: error });
      }),
    ),
  );
  const nothing = { failure: () => undefined, stop: () => Promise.resolve() };
  const patience = patienceOf(values.waitSeconds);
  return { generators: given.generators, encoder: given.encoder[0] ?? reward, reward, security, patience, ...nothing };
}

/** Between two lines about services that are away. */
const awayLineMs = 10_000;

function patienceOf(seconds: number): PeerPatience {
  let toldAt = -Infinity;
  const onAway = ({ message }: A2sfError): void => {
    if (performance.now() - toldAt < awayLineMs) return;
    toldAt = performance.now();
    process.stderr.write(`a2sf: a service is away and is waited for, up to ${seconds} s: ${message}\n`);
  };
  return { patienceMs: 1000 * seconds, onAway };
}

async function localServices(values: ServiceValues, signal: AbortSignal): Promise<Services> {
  const defaults = resolveOptions({ name: 'a2sf dataset', description: '' }, trainerOptions, [], {}).values;
  const flags = Object.keys({ ...modelOptions, maxPromptTokens: true });
  const given = Object.fromEntries(Object.entries(values).filter(([key]) => flags.includes(key)));
  const suite: Suite = await startLocalSuite({ ...defaults, ...given }, signal);
  const { generators, encoder, reward } = suite.addresses;
  const own = { failure: () => suite.failure(), stop: () => suite.stop() };
  return { generators, encoder, reward, security: ClientSecurity.plaintext, patience: {}, ...own };
}
