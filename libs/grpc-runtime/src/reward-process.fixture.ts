import { setTimeout as delay } from 'node:timers/promises';
import { resolveOptions, runMain } from '@a2sf/config';
import { RewardServiceClient, type RewardServiceHandlers } from '@a2sf/contracts';
import { Metrics, createLogger } from '@a2sf/observability';
import { service } from './handlers.js';
import { serve } from './serve.js';
import { serverOptions } from './server-options.js';

// A process that serves, for the tests of signals and parents. Score takes as many ms as its first prediction says,
// and ListMetrics tells where it listens.
runMain('reward', async (argv) => {
  const { values } = resolveOptions({ name: 'reward', description: '' }, serverOptions, argv);
  const server = await serve({
    name: 'reward',
    service: service<RewardServiceHandlers>(RewardServiceClient.service, {
      Score: async ({ items }, { signal }) => {
        await delay(Number(items[0]?.prediction ?? 0), undefined, { signal });
        return { scores: [1] };
      },
      ListMetrics: () => Promise.resolve({ metrics: [values.host] }),
    }),
    options: values,
    metrics: new Metrics(),
    log: createLogger({ name: 'reward', level: values.logLevel }),
  });
  server.setReady(true);
  // Something that would keep the process alive after its servers.
  setInterval(() => {}, 1000);
});
