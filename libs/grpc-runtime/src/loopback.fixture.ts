import { setTimeout as delay } from 'node:timers/promises';
import { resolveOptions } from '@a2sf/config';
import {
  PolicyServiceClient,
  type PolicyServiceHandlers,
  type PolicyServiceStub,
  RewardServiceClient,
  type RewardServiceHandlers,
  type RewardServiceStub,
} from '@a2sf/contracts';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { Metrics, createLogger } from '@a2sf/observability';
import type { RestrictedMethods } from './access-control.js';
import { connect } from './channel.js';
import { type HandlersOf, type ServiceSpec, service } from './handlers.js';
import { type RunningServer, serve } from './serve.js';
import { type ServerOptions, serverOptions } from './server-options.js';

// Servers on loopback for the tests of this package: the real runtime with handlers of the test's own.

export type RewardHandlers = HandlersOf<RewardServiceHandlers>;
export type PolicyHandlers = HandlersOf<PolicyServiceHandlers>;

const options: ServerOptions = resolveOptions({ name: 'test', description: '' }, serverOptions, [], {}).values;

/** A server under test and what it left behind. */
export interface Loopback {
  readonly server: RunningServer;
  readonly port: number;
  readonly address: string;
  readonly metrics: Metrics;
  /** The lines of its log. */
  readonly log: readonly Record<string, unknown>[];
  /** Value of one series; NaN when there is none. */
  readonly sample: (name: string, labels: Readonly<Record<string, string>>) => Promise<number>;
}

export async function startLoopback(
  spec: ServiceSpec,
  overrides: Partial<ServerOptions> = {},
  onStop: () => Promise<void> = () => Promise.resolve(),
  restricted?: RestrictedMethods,
): Promise<Loopback> {
  const metrics = new Metrics({ processMetrics: false });
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    stream: { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const server = await serve({
    name: 'test',
    service: spec,
    options: { ...options, ...overrides },
    metrics,
    log: logger,
    onStop,
    ...(restricted === undefined ? {} : { restricted }),
    process: false,
  });
  server.setReady(true);
  return {
    server,
    port: server.port,
    address: `127.0.0.1:${server.port}`,
    metrics,
    log,
    sample: async (name, labels) => {
      const metric = (await metrics.registry.getMetricsAsJSON()).find((entry) => entry.name === name);
      const values = metric?.values.filter((value) =>
        Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
      );
      return values === undefined || values.length === 0 ? NaN : values.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

const unused = (): never => {
  throw new Error('not used by this test');
};

/** Handlers of the reward service, of which a test gives those it calls. */
export function rewardService(handlers: Partial<RewardHandlers>): ServiceSpec {
  const all: RewardHandlers = { Score: unused, ListMetrics: () => Promise.resolve({ metrics: ['x'] }), ...handlers };
  return service<RewardServiceHandlers>(RewardServiceClient.service, all);
}

export function policyService(handlers: Partial<PolicyHandlers>): ServiceSpec {
  const all: PolicyHandlers = {
    SelectAction: unused,
    SelectActions: unused,
    Update: unused,
    ExportCheckpoint: unused,
    ImportCheckpoint: unused,
    PromoteChallenger: unused,
    WatchPolicy: unused,
    GetInfo: () => Promise.resolve({ agent: 'x' }),
    ...handlers,
  };
  return service<PolicyServiceHandlers>(PolicyServiceClient.service, all);
}

export async function withReward(
  handlers: Partial<RewardHandlers>,
  use: (client: RewardServiceStub, loopback: Loopback) => Promise<void>,
  overrides: Partial<ServerOptions> = {},
): Promise<void> {
  const loopback = await startLoopback(rewardService(handlers), overrides);
  const client = connect(RewardServiceClient, loopback.address);
  try {
    await use(client, loopback);
  } finally {
    client.close();
    await loopback.server.stop();
  }
}

export async function withPolicy(
  handlers: Partial<PolicyHandlers>,
  use: (client: PolicyServiceStub, loopback: Loopback) => Promise<void>,
  overrides: Partial<ServerOptions> = {},
): Promise<void> {
  const loopback = await startLoopback(policyService(handlers), overrides);
  const client = connect(PolicyServiceClient, loopback.address);
  try {
    await use(client, loopback);
  } finally {
    client.close();
    await loopback.server.stop();
  }
}

/** The A2sfError that a promise is rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<A2sfError> {
  const error: unknown = await promise.then(
    () => new Error('was not refused'),
    (reason: unknown) => reason,
  );
  if (!isA2sfError(error)) throw error;
  return error;
}

/** Waits until a condition holds; gives up after a time far beyond what any test needs. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await condition()); await delay(5)) {
    if (performance.now() > end) throw new Error('waited a minute in vain');
  }
}

/** A promise that a test settles by hand. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
