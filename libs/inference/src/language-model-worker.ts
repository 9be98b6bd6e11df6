import type { GenerateInput, InspectInput, LanguageModelOptions, SweepInput } from './language-model-types.js';
import { LanguageModel } from './language-model.js';
import { serveWorker, type WorkerCall } from './worker-server.js';

serveWorker(async (options: LanguageModelOptions) => {
  const model = await LanguageModel.load(options);
  return {
    info: model.info,
    methods: {
      generate: (input: GenerateInput, call: WorkerCall) => model.generate(input, call.emit, call),
      sweep: (input: SweepInput, call: WorkerCall) => model.sweep(input, call),
      inspect: (input: InspectInput, call: WorkerCall) => model.inspect(input, call),
    },
  };
});
