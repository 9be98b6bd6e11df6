import { resolveOptions } from '@a2sf/config';
import { serve } from '@a2sf/grpc-runtime';
import { checkDevice, SentenceEncoderHost } from '@a2sf/inference';
import { obtainModelFolder } from '@a2sf/model-zoo';
import { createLogger, Metrics } from '@a2sf/observability';
import { composeEncoder } from './compose-encoder.js';
import { encoderMetrics } from './metrics.js';
import { options } from './options.js';
import { encoderService } from './service.js';

/** Serves one encoder until it is told to stop. */
export async function run(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf serve encoder', description: 'Turns prompts into embeddings.' };
  const { values } = resolveOptions(command, options, argv);
  const log = createLogger({ name: 'encoder', level: values.logLevel });
  await checkDevice(values.device);
  const { folder, name } = await obtainModelFolder(values.modelName, 'encoder', {
    revision: values.revision,
    offline: values.offline,
    onProgress: (progress) => log.info(progress, 'loading the model from the hub'),
  });
  const model = await SentenceEncoderHost.start(
    { folder, name, threads: values.threads, device: values.device, tableBytes: values.tableBytes },
    {
      maxQueue: values.maxQueue,
      onExit: (error) => {
        log.fatal({ err: error }, 'the model worker is gone');
        process.exit(1);
      },
    },
  );
  const metrics = new Metrics();
  const observed = encoderMetrics(metrics);
  const encoder = composeEncoder(model, values, observed);
  log.info(encoder.info, 'model loaded');
  const limits = { maxBatch: values.maxBatch, maxPromptBytes: values.maxPromptBytes };
  const server = await serve({
    name: 'encoder',
    service: encoderService(encoder, limits, observed),
    options: values,
    metrics,
    log,
    onStop: () => model.dispose(),
  }).catch(async (error: unknown) => {
    await model.dispose(); // an idle worker would keep the process alive
    throw error;
  });
  server.setReady(true);
  await server.stopped;
}
