import { resolveOptions } from '@a2sf/config';
import { serve } from '@a2sf/grpc-runtime';
import { checkDevice } from '@a2sf/inference';
import { obtainModelFolder } from '@a2sf/model-zoo';
import { Metrics, createLogger } from '@a2sf/observability';
import { LazyEmbedder } from './embedder.js';
import { options } from './options.js';
import { rewardService } from './service.js';

/** Serves rewards until it is told to stop. */
export async function run(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf serve reward', description: 'Scores texts against references.' };
  const { values } = resolveOptions(command, options, argv);
  await checkDevice(values.device);
  const log = createLogger({ name: 'reward', level: values.logLevel });
  const { folder, name } = await obtainModelFolder(values.modelName, 'encoder', {
    revision: values.revision,
    offline: values.offline,
    onProgress: (progress) => log.info(progress, 'loading the model from the hub'),
  }); // a wrong name fails now, not at the first cosine
  const embedder = new LazyEmbedder({ folder, name, threads: values.threads, device: values.device }, log);
  const metrics = new Metrics();
  const server = await serve({
    name: 'reward',
    service: rewardService(embedder, { maxItems: values.maxItems }, metrics.histogram('a2sf_reward_score_seconds')),
    options: values,
    metrics,
    log,
    onStop: () => embedder.dispose(),
  });
  server.setReady(true);
  await server.stopped;
}
