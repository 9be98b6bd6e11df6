import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  EncoderServiceClient,
  GeneratorServiceClient,
  PolicyServiceClient,
  RewardServiceClient,
} from '@a2sf/contracts';
import { isA2sfError } from '@a2sf/errors';
import { callUnary, ClientSecurity, connect, waitUntilServing, type ClientSecurityOptions } from '@a2sf/grpc-runtime';
import { findingOf, type Finding } from './doctor-findings.js';

const dayMs = 86_400_000;
const soonDays = 14;

/** The TLS files and the token that the flags name, read and held against each other. */
export function checkSecurity(values: ClientSecurityOptions): {
  findings: Finding[];
  security: ClientSecurity | undefined;
} {
  const check = 'tls';
  const { tlsCert, tlsCa, tokenFile } = values;
  try {
    const security = ClientSecurity.of(values);
    const certificates = [tlsCert, tlsCa].filter((path) => path !== undefined);
    const findings = certificates.map((path) => checkExpiry(path));
    if (tokenFile !== undefined) findings.push({ check: 'token', verdict: 'ok', message: `${tokenFile} holds one` });
    return { findings, security };
  } catch (error) {
    // Flags that lack each other are wrong usage of the command itself.
    if (isA2sfError(error) && error.reason === 'usage') throw error;
    const fix = 'name PEM files of one certificate, its key without a passphrase, and the authority of the other end';
    return { findings: [findingOf(check, 'problem', error, fix)], security: undefined };
  }

  function checkExpiry(path: string): Finding {
    const { validFrom, validTo } = new X509Certificate(readFileSync(path));
    const days = (Date.parse(validTo) - Date.now()) / dayMs;
    if (Date.parse(validFrom) > Date.now()) {
      const message = `${path} is valid from ${validFrom} only`;
      return { check, verdict: 'problem', message, fix: "set this machine's clock, or have it issued again" };
    }
    if (days > soonDays) return { check, verdict: 'ok', message: `${path} is valid until ${validTo}` };
    const message = `${path} ${days < 0 ? 'expired' : 'expires'} on ${validTo}`;
    const fix = 'have it issued again; a running service takes the new file by itself';
    return { check, verdict: days < 0 ? 'problem' : 'warning', message, fix };
  }
}

/** The addresses of services that run already. */
export interface DoctorPeers {
  readonly generators: readonly string[];
  readonly encoder: string | undefined;
  readonly rewardService: string | undefined;
  readonly policy: string | undefined;
}

/** What a service told of itself. */
interface Told {
  readonly message: string;
  /** Identity of its language model. */
  readonly modelId?: string;
  /** Identity of its encoder, or of the one that its policy was trained on. */
  readonly encoderId?: string;
}

interface Kind {
  readonly flag: string;
  readonly service: string;
  readonly ask: (address: string, security: ClientSecurity) => Promise<Told>;
}

const servingMs = 5000;
const call = { timeoutMs: 10_000 };

const kinds: Readonly<Record<keyof DoctorPeers, Kind>> = {
  generators: {
    flag: '--generators',
    service: 'generator',
    ask: async (address, security) => {
      const client = connect(GeneratorServiceClient, address, { security });
      const info = await callUnary(client, 'getInfo', {}, call).finally(() => client.close());
      const message = `${info.modelId} on ${info.device}, ${info.dtype}, prompts of at most ${info.maxPromptTokens} tokens`;
      return { message, modelId: info.modelId };
    },
  },
  encoder: {
    flag: '--encoder',
    service: 'encoder',
    ask: async (address, security) => {
      const client = connect(EncoderServiceClient, address, { security });
      const { encoderId, dimension, device } = await callUnary(client, 'getInfo', {}, call).finally(() =>
        client.close(),
      );
      return { message: `${encoderId} of dimension ${dimension} on ${device}`, encoderId };
    },
  },
  rewardService: {
    flag: '--reward_service',
    service: 'reward',
    ask: async (address, security) => {
      const client = connect(RewardServiceClient, address, { security });
      const { metrics, encoderId } = await callUnary(client, 'listMetrics', {}, call).finally(() => client.close());
      return { message: `${metrics.length} metrics${encoderId === '' ? '' : `, cosine by ${encoderId}`}`, encoderId };
    },
  },
  policy: {
    flag: '--policy',
    service: 'policy',
    ask: async (address, security) => {
      const client = connect(PolicyServiceClient, address, { security });
      const info = await callUnary(client, 'getInfo', {}, call).finally(() => client.close());
      if (info.embeddingDimension === 0) return { message: `${info.role} without a checkpoint` };
      const message = `${info.role}, ${info.agent}, version ${info.policyVersion} at iteration ${info.iteration}`;
      return { message, encoderId: info.encoderId };
    },
  },
};

/** Asks each service for its health and for what it is, and holds what they tell against each other. */
export async function checkPeers(peers: DoctorPeers, security: ClientSecurity): Promise<Finding[]> {
  const addresses: [keyof DoctorPeers, string][] = [
    ...peers.generators.map((address): [keyof DoctorPeers, string] => ['generators', address]),
    ...(['encoder', 'rewardService', 'policy'] as const).flatMap((name): [keyof DoctorPeers, string][] =>
      peers[name] === undefined ? [] : [[name, peers[name]]],
    ),
  ];
  const asked = await Promise.all(
    addresses.map(async ([name, address]) => ({ name, address, ...(await checkPeer(kinds[name], address, security)) })),
  );
  const modelIds = asked.flatMap(({ told }) => told?.modelId ?? []);
  const encoderIds = asked.flatMap(({ told }) => told?.encoderId ?? []).filter((id) => id !== '');
  return [
    ...asked.map(({ finding }) => finding),
    ...agreement('models', modelIds, {
      verdict: 'problem',
      problem: 'the generators hold different models',
      fix: 'start all of them with one --model_name',
    }),
    ...agreement('encoders', encoderIds, {
      verdict: 'warning',
      problem: 'the services are made for different encoders',
      fix: 'start encoder and reward with one --model_name, and a policy that was trained on it',
    }),
  ];
}

async function checkPeer(
  { flag, service, ask }: Kind,
  address: string,
  security: ClientSecurity,
): Promise<{ readonly finding: Finding; readonly told?: Told }> {
  const check = service;
  try {
    await waitUntilServing(address, { timeoutMs: servingMs, security });
  } catch (error) {
    const fix = `start it by a2sf serve ${service}, or give its address by ${flag}; where it speaks TLS, --tls_ca too`;
    return { finding: findingOf(check, 'problem', error, fix) };
  }
  try {
    const told = await ask(address, security);
    return { finding: { check, verdict: 'ok', message: `${address}: ${told.message}` }, told };
  } catch (error) {
    const foreign = isA2sfError(error) && error.code === 'UNIMPLEMENTED';
    if (!foreign) return { finding: findingOf(check, 'problem', error, `see the log of the ${service} at ${address}`) };
    const message = `${address} serves, but is no ${service}, or one of another version`;
    return { finding: { check, verdict: 'problem', message, fix: `give the address of the ${service} by ${flag}` } };
  }
}

function agreement(
  check: string,
  ids: readonly string[],
  otherwise: { readonly problem: string } & Omit<Finding, 'check' | 'message'>,
): Finding[] {
  const different = [...new Set(ids)];
  if (different.length < 2) return [];
  const { problem, ...rest } = otherwise;
  return [{ check, message: `${problem}: ${different.join(', ')}`, ...rest }];
}
