import { resolveOptions } from '@a2sf/config';
import { serve } from '@a2sf/grpc-runtime';
import { checkDevice, LanguageModelHost } from '@a2sf/inference';
import { modelPresets, obtainModelFolder } from '@a2sf/model-zoo';
import { Metrics, createLogger } from '@a2sf/observability';
import { generatorMetrics } from './metrics.js';
import { options } from './options.js';
import { generatorService } from './service.js';

/** Serves one language model until it is told to stop. */
export async function run(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf serve generator', description: 'Generates from a full or a compressed KV cache.' };
  const { values } = resolveOptions(command, options, argv);
  await checkDevice(values.device);
  const log = createLogger({ name: 'generator', level: values.logLevel });
  const { folder, name, preset } = await obtainModelFolder(values.modelName, 'llm', {
    revision: values.revision,
    offline: values.offline,
    onProgress: (progress) => log.info(progress, 'loading the model from the hub'),
  });
  const maxPromptTokens =
    values.maxPromptTokens ?? (preset === undefined ? undefined : modelPresets[preset]?.maxPromptTokens);
  const metrics = new Metrics();
  const observed = generatorMetrics(metrics);
  const model = await LanguageModelHost.start(
    {
      folder,
      name,
      threads: values.threads,
      device: values.device,
      weights: values.weights,
      slots: values.slots,
      slotBytes: values.slotBytes,
      ...(values.stepsPerRun === undefined ? {} : { stepsPerRun: values.stepsPerRun }),
      ...(values.contextTokens === undefined ? {} : { contextTokens: values.contextTokens }),
      ...(maxPromptTokens === undefined ? {} : { maxPromptTokens }),
    },
    {
      maxQueue: values.maxQueue,
      onStatus: (slots) => observed.setSlotsInUse(slots as number),
      onExit: (error) => {
        log.fatal({ err: error }, 'the model worker is gone');
        process.exit(1);
      },
    },
  );
  log.info(model.info, 'model loaded');
  const limits = { maxNewTokens: values.maxNewTokensLimit, maxPromptBytes: values.maxPromptBytes };
  const server = await serve({
    name: 'generator',
    service: generatorService(model, limits, observed),
    options: values,
    metrics,
    log,
    onStop: () => model.dispose(),
  });
  server.setReady(true);
  await server.stopped;
}
